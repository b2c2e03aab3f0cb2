import type { Flavour } from '../rule.ts';
import { child, readAny, type Configuration, type Entry } from './any.ts';
import { readHttpd, type HttpdConfiguration } from './httpd.ts';
import { expand, type ServerRoot } from './server-root.ts';

/** A dispatcher configuration as the rules see it. */
export interface DispatcherModel {
  readonly root: ServerRoot;
  readonly httpd: HttpdConfiguration;
  /** Undefined when the package has no `dispatcher.any`. */
  readonly any: Configuration | undefined;
  readonly farms: readonly Entry[];
  readonly flavour: Flavour;
}

export const DISPATCHER_ANY = 'conf.dispatcher.d/dispatcher.any';

export function readDispatcher(root: ServerRoot): DispatcherModel {
  const httpd = readHttpd(root);
  const any = root.file(DISPATCHER_ANY) && readAny(root, DISPATCHER_ANY, httpd.variables);
  const paths = root.files.map(({ path }) => path);
  return {
    root,
    httpd,
    any,
    farms: (any?.entries ?? [])
      .filter(({ name }) => name === 'farms')
      .flatMap(({ children = [] }) => children.filter(({ name }) => name !== '')),
    flavour:
      paths.some((path) => path.startsWith('conf/')) || !paths.some((path) => path.endsWith('.farm'))
        ? 'ams'
        : 'cloud',
  };
}

/**
 * The farms for visitors: those that do not name an author or forms instance in their name, document root or renders.
 * Without a cache there is nothing to judge of one.
 */
export function publishFarms({ farms }: DispatcherModel): Entry[] {
  return farms.filter((farm) => {
    const renders = child(farm, 'renders')?.children ?? [];
    const said = [farm.name, child(child(farm, 'cache'), 'docroot')?.value];
    for (const render of renders) said.push(child(render, 'hostname')?.value);
    return !said.some((text) => /author|livecycle|flush|(^|_)lc/i.test(text ?? ''));
  });
}

/** The number that a property holds: `unknown` when a variable says so on the host. */
export function numberIn(model: DispatcherModel, entry: Entry): number | 'unknown' {
  const text = expand(entry.value ?? '', model.httpd.variables);
  return text === undefined ? 'unknown' : /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
}
