import { Failure } from '../failure.ts';
import { run } from '../process.ts';
import { configurationFolders, type HttpdSettings } from './settings.ts';

/**
 * The settings with the files that the host itself protects (`chattr +i`, as AMS does) added to the immutable ones.
 * Where file attributes cannot be read, the globs of the settings are all there is.
 */
export async function withProtected(settings: HttpdSettings, signal?: AbortSignal): Promise<HttpdSettings> {
  const listed = await run('lsattr', ['-R', ...configurationFolders], {
    cwd: settings.serverRoot,
    env: { PATH: process.env.PATH },
    signal,
  }).catch((error: unknown) => {
    if (error instanceof Failure && error.type === 'Missing') return { stdout: '' };
    throw error;
  });
  const paths = listed.stdout
    .split('\n')
    .map((line) => /^[A-Za-z-]*i[A-Za-z-]* +(\S.*)$/.exec(line)?.[1])
    .filter((path) => path !== undefined);
  return { ...settings, immutable: [...settings.immutable, ...paths.map(literally)] };
}

/** A path as a glob that matches nothing else. */
const literally = (path: string): string => path.replace(/[\\*?[\]{}()!+@|]/g, '\\$&');
