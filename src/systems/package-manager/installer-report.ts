/** What Sling's OSGi installer has to do with one resource. */
export interface InstallerItem {
  readonly kind: 'bundle' | 'package' | 'other';
  /** Symbolic name of a bundle, `group:name` of a package, PID of a configuration. */
  readonly name: string;
  /** Empty where the installer knows none. */
  readonly version: string;
  /** The installer's own words when it gave up. */
  readonly error: string;
}

export interface InstallerReport {
  /** What it has not done yet. */
  readonly active: readonly InstallerItem[];
  /** What it has given up, until the resource changes. */
  readonly failed: readonly InstallerItem[];
}

const kinds = new Map<string, InstallerItem['kind']>([
  ['Bundles', 'bundle'],
  ['content-package', 'package'],
]);

/**
 * Reads `/system/console/status-osgi-installer.txt`: sections underlined with dashes, in them headings of kinds, and
 * one line per resource, `- <name>: <digest>/<priority>, <url> (<version>), <state>, <error>`. Undefined when the text
 * is something else.
 */
export function readInstallerReport(text: string): InstallerReport | undefined {
  const active: InstallerItem[] = [];
  const failed: InstallerItem[] = [];
  let section = '';
  let kind: InstallerItem['kind'] = 'other';
  for (const line of text.split(/\r?\n/)) {
    const [, heading] = /^(Active|Processed|Untransformed) Resources$/.exec(line) ?? [];
    if (heading) section = heading;
    const [, title] = /^([\w-]+):$/.exec(line) ?? [];
    if (title) kind = kinds.get(title) ?? 'other';
    const [, name, rest] = /^[-*] ((?:[^:\s]+:)*[^:\s]+): (.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) continue;
    const [, version = '', state, error = ''] = /^.*?(?: \(([^()]*)\))?, ([A-Z]+), (.*)$/.exec(rest) ?? [];
    const item = { kind, name, version, error: error.trim().replace(/^.* due to (.*)$/, '$1') };
    if (section === 'Active') active.push(item);
    if (section === 'Processed' && state === 'IGNORED' && item.error) failed.push(item);
  }
  return section === '' ? undefined : { active, failed };
}
