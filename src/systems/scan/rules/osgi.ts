import { meet, nodes, type ContentModel } from '../content/model.ts';
import type { RepositoryNode } from '../content/node.ts';
import { installerFolder, osgiConfigs } from '../content/osgi.ts';
import type { Check } from '../rule.ts';
import { groupBy } from '../text.ts';

export const duplicateConfigurations: Check<ContentModel> = {
  rule: {
    key: 'DuplicateOsgiConfigurations',
    type: 'BUG',
    severity: 'MAJOR',
    title: 'An OSGi service is configured once',
    finds: 'The same PID configured more than once for the same run modes, in one package or in several',
    remedy: 'Keep one of them, or give them different run modes: which one counts is not defined.',
  },
  check: (model, report) => {
    const groups = groupBy(
      osgiConfigs(model),
      ({ pid, runModes }) => `${pid} ${[...runModes].sort().join('.')}`,
    );
    for (const [first, ...others] of groups.values())
      others.forEach((config, index) => {
        const clash = [first!, ...others.slice(0, index)].find((one) =>
          meet(one.in.runModes, config.in.runModes),
        );
        const where = clash?.place.file === config.place.file ? clash.in.label : clash?.place.file;
        if (clash)
          report(config.place, `${config.pid} is configured for the same run modes in ${where} already`);
      });
  },
};

const installable = /\.(jar|zip|config|cfg|cfg\.json|properties)$/i;
const folderTypes = new Set(['nt:folder', 'sling:Folder', 'sling:OrderedFolder']);

export const onlyOsgiNodes: Check<ContentModel> = {
  rule: {
    key: 'ConfigAndInstallShouldOnlyContainOsgiNodes',
    type: 'BUG',
    severity: 'MAJOR',
    title: 'Folders named config and install hold OSGi only',
    finds:
      'Anything but OSGi configurations, bundles and packages below a node named `config` or `install` in `/apps`',
    remedy:
      'Rename the node. Of an in-place editor, name it as you like and give its name as `configPath` of `cq:inplaceEditing`. Only administrators can read what is below `config` and `install`.',
  },
  check: (model, report) => {
    for (const { node } of nodes(model)) {
      if (!installerFolder.test(node.path.slice(0, node.path.lastIndexOf('/')))) continue;
      for (const wrong of notOsgi(node))
        report(wrong.place, `${wrong.path} is neither an OSGi configuration nor a bundle nor a package`);
    }
  },
};

/** The node itself, or what is wrong in a folder of a start level. */
function notOsgi(node: RepositoryNode): RepositoryNode[] {
  if (node.type === 'sling:OsgiConfig') return [];
  if (node.type === 'nt:file') return installable.test(node.name) ? [] : [node];
  if (!folderTypes.has(node.type)) return [node];
  return /^\d+$/.test(node.name) ? [...node.children.values()].flatMap(notOsgi) : node.own ? [node] : [];
}

const tiers = ['author', 'publish'];
const environments = ['dev', 'rde', 'stage', 'prod'];

export const supportedRunmode: Check<ContentModel> = {
  rule: {
    key: 'SupportedRunmode',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    cloudService: true,
    title: 'Run modes are those of the Cloud Service',
    finds:
      'A folder `config.*` or `install.*` with other run modes than `author` or `publish`, then `dev`, `rde`, `stage` or `prod`, in this order',
    remedy: 'Rename the folder, and use environment variables in the configuration for everything else.',
  },
  check: (model, report) => {
    const reported = new Set<string>();
    for (const { node } of nodes(model)) {
      const folder = node.path.slice(0, node.path.lastIndexOf('/'));
      for (const path of [folder, node.path]) {
        const runModes = installerFolder.exec(path)?.groups?.['runModes'];
        if (runModes === undefined || reported.has(path) || isSupported(runModes.split('.'))) continue;
        reported.add(path);
        report(node.place, `The run modes of ${path} are not known to the Cloud Service`);
      }
    }
  },
};

function isSupported(modes: readonly string[]): boolean {
  const [first = '', second, ...more] = modes;
  if (more.length > 0) return false;
  if (second === undefined) return tiers.includes(first) || environments.includes(first);
  return tiers.includes(first) && environments.includes(second);
}

export const classicAuthoringMode: Check<ContentModel> = {
  rule: {
    key: 'ClassicUIAuthoringMode',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    cloudService: true,
    title: 'Authors work in the touch UI',
    finds:
      '`authoringUIModeService.default` of `com.day.cq.wcm.core.impl.AuthoringUIModeServiceImpl` set to `CLASSIC`',
    remedy: 'Set it to `TOUCH` or remove it: the classic UI is deprecated.',
  },
  check: (model, report) => {
    for (const { pid, values, place } of osgiConfigs(model)) {
      const setting = values.get('authoringUIModeService.default');
      if (pid.endsWith('.AuthoringUIModeServiceImpl') && setting?.value.toUpperCase() === 'CLASSIC')
        report(
          { file: place.file, line: setting.line ?? place.line },
          'The default authoring mode is the classic UI',
        );
    }
  },
};

export const queryLimitReads: Check<ContentModel> = {
  rule: {
    key: 'OverrideOfQueryLimitReads',
    type: 'CODE_SMELL',
    severity: 'MINOR',
    only: 'cloud',
    cloudService: true,
    title: 'The limit of reads of a query stays as it is',
    finds:
      '`queryLimitReads` set in the configuration of `org.apache.jackrabbit.oak.query.QueryEngineSettingsService`',
    remedy: 'Remove the setting and give slow queries an index.',
  },
  check: (model, report) => {
    for (const { pid, values, place } of osgiConfigs(model)) {
      const setting = values.get('queryLimitReads');
      if (pid.endsWith('.QueryEngineSettingsService') && setting)
        report(
          { file: place.file, line: setting.line ?? place.line },
          `queryLimitReads is set to ${setting.value}`,
        );
    }
  },
};

export const osgiChecks: readonly Check<ContentModel>[] = [
  duplicateConfigurations,
  onlyOsgiNodes,
  supportedRunmode,
  classicAuthoringMode,
  queryLimitReads,
];
