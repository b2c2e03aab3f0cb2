/** What Fairway gives to git: rules for names and addresses that come from people. */

/** Whether a branch or a tag may have this name: the rules of `git check-ref-format`, and no leading dash. */
export const isRefName = (name: string): boolean =>
  name.length > 0 &&
  name.length <= 255 &&
  !/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.lock(\/|$)|(^|\/)\.|\.$|\/$|^\/|^-|^@$/u.test(name);

const HOST = String.raw`(\[[0-9a-fA-F:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)`;
const ALLOWED = {
  https: new RegExp(String.raw`^https://${HOST}(:\d+)?/.+`),
  ssh: new RegExp(String.raw`^(ssh://([A-Za-z0-9._-]+@)?${HOST}(:\d+)?/.+|([A-Za-z0-9._]+@)${HOST}:[^-].*)`),
  file: /^file:\/\/\/.+/,
};
const LONGEST_ADDRESS = 1000;

/**
 * Why this is no address to build from; undefined when it is one: https, ssh (`ssh://` or `user@host:path`) and, where
 * allowed, `file:///`. Credentials in an address would end up in logs.
 */
export function repositoryProblem(url: string, allowFile: boolean): string | undefined {
  if (/^https?:\/\/[^/]*@|^[^/]*:\/\/[^/@]*:[^/]*@/i.test(url))
    return "must not contain credentials: they belong into git's own configuration";
  const { https, ssh, file } = ALLOWED;
  const good = https.test(url) || ssh.test(url) || (allowFile && file.test(url));
  if (good && url.length <= LONGEST_ADDRESS && !/[\p{Cc}\s]/u.test(url)) return undefined;
  const forms = `https://host/path, ssh://user@host/path${allowFile ? ',' : ' or'} user@host:path`;
  return `must be an address like ${forms}${allowFile ? ' or file:///path' : ''}, without blanks`;
}
