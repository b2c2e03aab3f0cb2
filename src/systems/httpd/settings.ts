/** A program on the dispatcher host; `{root}` in an argument stands for the server root that it is to work on. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** What putting a configuration together and testing it needs. */
export interface ConfigurationSettings {
  /** Absolute path of the ServerRoot, `/etc/httpd` with AMS. */
  readonly serverRoot: string;
  /** Absolute path for journal, backups and staging; outside the folders of the configuration, on a lasting disk. */
  readonly stateFolder: string;
  /** For example `apachectl -d {root} -f conf/httpd.conf -t`. */
  readonly configTest: Command;
  /** Environment variables for all commands, besides PATH: those that httpd itself gets on this host. */
  readonly environment: Readonly<Record<string, string>>;
  /** Globs of the files that no package may change, relative to the server root. */
  readonly immutable: readonly string[];
  /** Files and folders that every package must hold, relative to the server root. */
  readonly mandatory: readonly string[];
}

/** What an agent knows of the Apache httpd on its host. */
export interface HttpdSettings extends ConfigurationSettings {
  /** A graceful reload that tests before it signals: `apachectl graceful`, `systemctl reload httpd`. */
  readonly graceful: Command;
  /**
   * A page that httpd answers by itself with 2xx or 3xx whenever it is well. Not one from the publish instance,
   * which may be restarting while the configuration changes.
   */
  readonly baseline: { readonly url: string; readonly host?: string; readonly path: string };
  /** The dispatcher on its loopback address, and the `Host` that its flush virtual host answers to. */
  readonly flush: { readonly url: string; readonly host: string };
  /** Apache's PidFile, relative to the server root; `run/httpd.pid` when absent. */
  readonly pidFile?: string;
}

/** Receives one line of a step's log. */
export type Log = (line: string) => Promise<void>;

/** The folders that a package replaces. Nothing else in the server root is ever touched. */
export const configurationFolders = ['conf', 'conf.d', 'conf.dispatcher.d', 'conf.modules.d'] as const;

const within = (folder: string, names: string): string[] => names.split(' ').map((name) => folder + name);

/** The files that the AEM project archetype (`dispatcher.ams/immutable.files`) protects from change. */
export const defaultImmutable: readonly string[] = [
  'conf/httpd.conf',
  ...within('conf.d/', 'dispatcher_vhost.conf logformat.conf security.conf'),
  ...within(
    'conf.d/available_vhosts/',
    'aem_author.vhost aem_publish.vhost aem_lc.vhost aem_flush.vhost aem_health.vhost ' +
      '000_unhealthy_author.vhost 000_unhealthy_publish.vhost',
  ),
  ...within('conf.d/rewrites/', 'base_rewrite.rules xforwarded_forcessl_rewrite.rules'),
  'conf.d/allowlists/000_base_allowlist.rules',
  'conf.modules.d/02-dispatcher.conf',
  'conf.dispatcher.d/dispatcher.any',
  ...within(
    'conf.dispatcher.d/available_farms/',
    '000_ams_author_farm.any 999_ams_publish_farm.any 001_ams_lc_farm.any',
  ),
  ...within(
    'conf.dispatcher.d/cache/',
    'ams_author_cache.any ams_author_invalidate_allowed.any ams_publish_cache.any ams_publish_invalidate_allowed.any',
  ),
  ...within(
    'conf.dispatcher.d/clientheaders/',
    'ams_author_clientheaders.any ams_publish_clientheaders.any ams_common_clientheaders.any ams_lc_clientheaders.any',
  ),
  ...within(
    'conf.dispatcher.d/filters/',
    'ams_author_filters.any ams_publish_filters.any ams_lc_filters.any',
  ),
  ...within(
    'conf.dispatcher.d/renders/',
    'ams_author_renders.any ams_publish_renders.any ams_lc_renders.any',
  ),
  ...within('conf.dispatcher.d/vhosts/', 'ams_author_vhosts.any ams_publish_vhosts.any ams_lc_vhosts.any'),
];

/** Without one of these no AMS dispatcher starts: the chain of includes from httpd.conf to the farms. */
export const defaultMandatory: readonly string[] = [
  'conf/httpd.conf',
  'conf.d/dispatcher_vhost.conf',
  'conf.d/logformat.conf',
  'conf.d/security.conf',
  'conf.d/available_vhosts',
  'conf.d/enabled_vhosts',
  'conf.modules.d/00-base.conf',
  'conf.modules.d/00-mpm.conf',
  'conf.modules.d/00-proxy.conf',
  'conf.modules.d/02-dispatcher.conf',
  'conf.dispatcher.d/dispatcher.any',
  'conf.dispatcher.d/available_farms',
  'conf.dispatcher.d/enabled_farms',
];
