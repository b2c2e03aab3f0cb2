import type { MetricDefinition, Severity } from './gates.ts';

/**
 * The health checks that are asked over HTTP, by Cloud Manager's names and tiers (page "Security Testing" of Cloud
 * Manager for Managed Services). That page gives `cq_dispatcher_configuration` no tier: important, as the web server's.
 */
const severities = {
  default_login_accounts: 'critical',
  sling_get_servlet: 'critical',
  user_profile_default_access: 'critical',
  sling_referrer_filter: 'important',
  cq_html_library_manager_config: 'important',
  crxde_support: 'important',
  davex_health_check: 'important',
  example_content_packages: 'important',
  wcm_filter_configuration: 'important',
  webdav_health_check: 'important',
  web_server_configuration: 'important',
  cq_dispatcher_configuration: 'important',
} as const satisfies Record<string, Severity>;

export type SecurityKpi = keyof typeof severities;

export type CheckOutcome = 'passed' | 'failed' | 'unknown';

/** Rows of the gate for those checks, in the order of the table. */
export const securityMetrics = (kpis: readonly string[]): readonly MetricDefinition[] =>
  Object.entries(severities)
    .filter(([kpi]) => kpis.includes(kpi))
    .map(([kpi, severity]) => ({ kpi, severity, expectedValue: 'passed', comparator: 'EQ' }));

/** One failing instance fails a check; one that cannot be asked leaves it unknown, which is no pass either. */
export function combine(outcomes: readonly CheckOutcome[]): CheckOutcome {
  if (outcomes.includes('failed')) return 'failed';
  return outcomes.length === 0 || outcomes.includes('unknown') ? 'unknown' : 'passed';
}
