/** What a program of somebody else may know of this process's environment; everything else may hold a secret. */
const KEPT = [
  ...['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME'],
  ...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
];

export const cleanEnvironment = (env: NodeJS.ProcessEnv, more: readonly string[] = []): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => KEPT.includes(name) || more.includes(name)));
