import type { Place } from '../rule.ts';
import { Lines } from '../text.ts';
import { nodes, type ContentModel } from './model.ts';
import type { ScannedPackage } from './package.ts';
import { isConfigFile } from './package.ts';

/** An OSGi configuration in a package. */
export interface OsgiConfig {
  /** PID of the service; of a factory, with the name of the configuration behind a `~`. */
  readonly pid: string;
  /** Run modes of its folder, as written. */
  readonly runModes: readonly string[];
  /** Path in the repository. */
  readonly path: string;
  readonly place: Place;
  readonly values: ReadonlyMap<string, { readonly value: string; readonly line?: number }>;
  readonly in: ScannedPackage;
}

/** A folder that Sling's installer looks into, `config`, `install.author.prod`, below its search path. */
export const installerFolder = /^\/(?:apps|libs)\/(?:.+\/)?(?<kind>config|install)(?:\.(?<runModes>[^/]+))?$/;

const inFolder = /^(?<folder>\/(?:apps|libs)\/.+)\/(?<name>[^/]+)$/;

/** The OSGi configurations of all packages. */
export function osgiConfigs(model: ContentModel): OsgiConfig[] {
  return [...nodes(model)].flatMap(({ node, in: one }): OsgiConfig[] => {
    const { folder = '', name = '' } = inFolder.exec(node.path)?.groups ?? {};
    const match = installerFolder.exec(folder.replace(/\/\d+$/, ''))?.groups;
    const isNode = node.type === 'sling:OsgiConfig';
    if (!match || !(isNode || (node.type === 'nt:file' && isConfigFile(name)))) return [];
    const text = one.configTexts.get(node.path);
    return [
      {
        pid: pidOf(name),
        runModes: match['runModes']?.split('.') ?? [],
        path: node.path,
        place: node.place,
        values:
          text === undefined
            ? new Map(
                [...node.properties].map(([key, { values, line }]) => [
                  key,
                  { value: values.join(','), line },
                ]),
              )
            : fileValues(text, name),
        in: one,
      },
    ];
  });
}

/** Sling takes the first `-` of a factory configuration as the `~` of newer names. */
const pidOf = (name: string): string =>
  name.replace(/\.(config|cfg|cfg\.json|xml)$/i, '').replace(/^([^~-]+)[~-]/, '$1~');

/** The keys of a configuration file with the first value of each: enough to judge single settings. */
function fileValues(text: string, name: string): OsgiConfig['values'] {
  const lines = new Lines(text);
  const setting = name.endsWith('.json')
    ? /"((?:[^"\\]|\\.)+)"\s*:\s*(?:\[\s*)?(?:"((?:[^"\\]|\\.)*)"|([^\s,\]}]+))/g
    : /^[ \t]*([^\s=#]+)[ \t]*=[ \t]*(?:[A-Za-z]?\[?\s*\\?\s*)?(?:"((?:[^"\\]|\\.)*)"|([^\r\n]*))/gm;
  return new Map(
    [...text.matchAll(setting)].map(({ 1: key = '', 2: quoted, 3: bare, index }) => [
      key.replace(/\\(.)/g, '$1').replace(/:[A-Za-z]+(\[\])?$/, ''),
      { value: (quoted ?? bare ?? '').trim(), line: lines.at(index) },
    ]),
  );
}
