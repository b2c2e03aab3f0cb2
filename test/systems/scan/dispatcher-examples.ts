import type { Texts } from './files.ts';

export interface DispatcherExample {
  /** What differs from a configuration without findings; undefined leaves a file out. */
  readonly bad: Readonly<Record<string, string | undefined>>;
  readonly at: readonly string[];
}

const FARM = 'conf.dispatcher.d/available_farms/site.any';
const FILTERS = 'conf.dispatcher.d/filters/site.any';
const VHOST = 'conf.d/available_vhosts/site.vhost';

const farm = `/site {
  /clientheaders { "Host" "User-Agent" }
  /virtualhosts { "*" }
  /renders { /0 { /hostname "\${PUBLISH_IP}" /port "4503" } }
  /filter {
    $include "../filters/*.any"
  }
  /cache {
    /docroot "\${PUBLISH_DOCROOT}"
    /statfileslevel "2"
    /gracePeriod "2"
    /serveStaleOnError "1"
    /rules { /0000 { /glob "*" /type "allow" } }
    /ignoreUrlParams {
      /0001 { /glob "*" /type "allow" }
      /0002 { /glob "q" /type "deny" }
    }
  }
}
`;
const filters = `/0001 { /type "deny" /url "*" }
/0010 { /type "allow" /method '(GET|HEAD)' /extension '(html|json)' /path "/content/*" }
/0100 { /type "deny" /selectors '.+' /path "/content/*" }
/0101 { /type "deny" /suffix '.+' /path "/content/*" }
/0102 { /type "deny" /query "debug=*" }
/0103 { /type "deny" /query "wcmmode=*" }
`;
const vhost = `<VirtualHost *:80>
  ServerName site
  <Directory "\${PUBLISH_DOCROOT}">
    Require all granted
  </Directory>
</VirtualHost>
`;

/** A configuration in which the rules find nothing. */
export const goodConfiguration: Texts = {
  'conf/httpd.conf': 'Include conf.d/*.conf\n<Directory />\n  Require all denied\n</Directory>\n',
  'conf.d/site.conf':
    'Define LEVEL 2\nIncludeOptional conf.d/variables/*.vars\nInclude conf.d/enabled_vhosts/*.vhost\n',
  [VHOST]: vhost,
  'conf.d/enabled_vhosts/site.vhost': '-> ../available_vhosts/site.vhost',
  'conf.dispatcher.d/dispatcher.any': '/name "one"\n/farms {\n  $include "enabled_farms/*.any"\n}\n',
  'conf.dispatcher.d/enabled_farms/site.any': '-> ../available_farms/site.any',
  [FARM]: farm,
  [FILTERS]: filters,
};

const changed = (from: string, to: string, text = farm, path = FARM) => {
  if (!text.includes(from)) throw new Error(`there is no ${from} in the example`);
  return { [path]: text.replace(from, to) };
};
const lineOf = (part: string, text = farm) => text.slice(0, text.indexOf(part)).split('\n').length;

export const dispatcherExamples: Readonly<Record<string, DispatcherExample>> = {
  'DOTRules:Disp-1---ignoreUrlParams-allow-list': {
    bad: changed('/0001 { /glob "*" /type "allow" }', '/0001 { /glob "*" /type "deny" }'),
    at: [`${FARM}:15`],
  },
  'DOTRules:Disp-2---statfileslevel': {
    bad: changed('/statfileslevel "2"', '/statfileslevel "1"'),
    at: [`${FARM}:10`],
  },
  'DOTRules:Disp-3---gracePeriod': { bad: changed('/gracePeriod "2"', ''), at: [`${FARM}:8`] },
  'DOTRules:Disp-4---default-filter-deny-rules': {
    bad: changed('/type "deny" /url "*"', '/type "allow" /url "*"', filters, FILTERS),
    at: [`${FILTERS}:1`],
  },
  'DOTRules:Disp-5---serveStaleOnError': {
    bad: changed('/serveStaleOnError "1"', '/serveStaleOnError "0"'),
    at: [`${FARM}:12`],
  },
  'DOTRules:Disp-6---suffix-allow-list': {
    bad: changed('"deny" /suffix', '"deny" /method "POST" /suffix', filters, FILTERS),
    at: [`${FILTERS}:2`],
  },
  'DOTRules:Disp-7---selector-allow-list': {
    bad: changed(
      "'.+'",
      "'(feed|rss|pages|languages|blueprint|infinity|tidy|sysview|docview|query|4|jcr:content)'",
      filters,
      FILTERS,
    ),
    at: [`${FILTERS}:2`],
  },
  'DOTRules:Disp-8---unique-farm-name': {
    bad: { 'conf.dispatcher.d/enabled_farms/twin.any': farm },
    at: ['conf.dispatcher.d/enabled_farms/twin.any:1'],
  },
  'DOTRules:Httpd-1---require-all-granted': {
    bad: changed('"${PUBLISH_DOCROOT}"', '/', vhost, VHOST),
    at: [`${VHOST}:4`],
  },
  'DOTRules:Httpd-S1---include-failed': {
    bad: { 'conf.d/site.conf': '# vhosts\nInclude conf.d/nothing/*.vhost\n' },
    at: ['conf.d/site.conf:2'],
  },
  'DOTRules:Disp-S1---brace-missing': {
    bad: changed('/0 { /hostname "${PUBLISH_IP}" /port "4503" }', '/0\n /hostname "x"'),
    at: [`${FARM}:4`],
  },
  'DOTRules:Disp-S2---token-unexpected': {
    bad: changed('  /cache {', '  /statfileslevel "2"\n  /cache {'),
    at: [`${FARM}:${lineOf('  /cache {')}`],
  },
  'DOTRules:Disp-S3---quote-unmatched': {
    bad: changed('"User-Agent" }', '"User-Agent\'\n }'),
    at: [`${FARM}:2`],
  },
  'DOTRules:Disp-S4---brace-unclosed': {
    bad: { [FARM]: farm.trimEnd().replace(/\}$/, '') },
    at: [`${FARM}:1`],
  },
  'DOTRules:Disp-S5---mandatory-missing': {
    bad: changed('  /virtualhosts { "*" }\n', ''),
    at: [`${FARM}:1`],
  },
  'DOTRules:Disp-S6---property-deprecated': {
    bad: changed('  /virtualhosts', '  /homepage "/a.html"\n  /virtualhosts'),
    at: [`${FARM}:3`],
  },
  'DOTRules:Disp-S7---no-dispatcher-config': {
    bad: { 'conf.dispatcher.d/dispatcher.any': undefined },
    at: ['package'],
  },
  'DOTRules:Syntax0---syntax-violation': {
    bad: changed('../filters/*.any', '../filters/nothing.any'),
    at: [`${FARM}:6`],
  },
};
