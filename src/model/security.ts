import type { MetricDefinition, Severity } from './gates.ts';

/**
 * The security checks by Cloud Manager's names and tiers (page "Security Testing" of Cloud Manager for Managed
 * Services), each with the name of AEM's own health check for it. That page gives `cq_dispatcher_configuration` no
 * tier: important, as the web server's.
 */
const checks = {
  deserialization_firewall_attach_api_readiness: [
    'critical',
    'Deserialization Firewall Attach API Readiness',
  ],
  deserialization_firewall_functional: ['critical', 'Deserialization Firewall Functional'],
  deserialization_firewall_loaded: ['critical', 'Deserialization Firewall Loaded'],
  authorizable_node_name_generation: ['critical', 'Authorizable Node Name Generation'],
  default_login_accounts: ['critical', 'Default Login Accounts'],
  sling_get_servlet: ['critical', 'Sling Get Servlet'],
  sling_java_script_handler: ['critical', 'Sling Java Script Handler'],
  sling_jsp_script_handler: ['critical', 'Sling Jsp Script Handler'],
  ssl_configuration: ['critical', 'SSL Configuration'],
  user_profile_default_access: ['critical', 'User Profile Default Access'],
  sling_referrer_filter: ['important', 'Sling Referrer Filter'],
  cq_html_library_manager_config: ['important', 'CQ HTML Library Manager Config'],
  crxde_support: ['important', 'CRXDE Support'],
  davex_health_check: ['important', 'DavEx Health Check'],
  example_content_packages: ['important', 'Example Content Packages'],
  wcm_filter_configuration: ['important', 'WCM Filter Configuration'],
  webdav_health_check: ['important', 'WebDAV Health Check'],
  web_server_configuration: ['important', 'Web Server Configuration'],
  cq_dispatcher_configuration: ['important', 'CQ Dispatcher Configuration'],
  replication_and_transport_users: ['informational', 'Replication and Transport Users'],
} as const satisfies Record<string, readonly [Severity, string]>;

export type SecurityKpi = keyof typeof checks;

/** In the order of Cloud Manager's table. */
export const securityKpis = Object.keys(checks) as readonly SecurityKpi[];

/** What AEM calls its health check for a KPI. */
export const healthCheckOf = (kpi: SecurityKpi): string => checks[kpi][1];

export type CheckOutcome = 'passed' | 'failed' | 'unknown';

/** Rows of the gate for those checks, in the order of the table. */
export const securityMetrics = (kpis: readonly string[]): readonly MetricDefinition[] =>
  securityKpis
    .filter((kpi) => kpis.includes(kpi))
    .map((kpi) => ({ kpi, severity: checks[kpi][0], expectedValue: 'passed', comparator: 'EQ' }));

/** One failing instance fails a check; one that cannot be asked leaves it unknown, which is no pass either. */
export function combine(outcomes: readonly CheckOutcome[]): CheckOutcome {
  if (outcomes.includes('failed')) return 'failed';
  return outcomes.length === 0 || outcomes.includes('unknown') ? 'unknown' : 'passed';
}
