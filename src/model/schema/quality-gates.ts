import { z } from 'zod';

/*
 * What a program may set instead of Cloud Manager's thresholds and severities, by KPI. Which way a value is compared
 * belongs to the KPI.
 */

const severity = z.enum(['critical', 'important', 'informational']).optional();

/** The worst rating that passes. */
const rating = z.strictObject({ expected: z.enum(['A', 'B', 'C', 'D', 'E']).optional(), severity });
const percent = z.strictObject({ expected: z.number().min(0).max(100).optional(), severity });
const amount = z.strictObject({ expected: z.number().min(0).optional(), severity });
/** Passes or fails, or has its threshold elsewhere. */
const check = z.strictObject({ severity });

export const qualityGatesSchema = z
  .strictObject({
    security_rating: rating,
    reliability_rating: rating,
    sqale_rating: rating,
    coverage: percent,
    skipped_tests: amount,
    open_issues: amount,
    duplicated_lines_density: percent,
    cloud_service_compatibility: amount,

    deserialization_firewall_attach_api_readiness: check,
    deserialization_firewall_functional: check,
    deserialization_firewall_loaded: check,
    authorizable_node_name_generation: check,
    default_login_accounts: check,
    sling_get_servlet: check,
    sling_java_script_handler: check,
    sling_jsp_script_handler: check,
    ssl_configuration: check,
    user_profile_default_access: check,
    sling_referrer_filter: check,
    cq_html_library_manager_config: check,
    crxde_support: check,
    davex_health_check: check,
    example_content_packages: check,
    wcm_filter_configuration: check,
    webdav_health_check: check,
    web_server_configuration: check,
    cq_dispatcher_configuration: check,
    replication_and_transport_users: check,

    error_rate: percent,
    /** Its threshold is `performance.responseTimeMs`. */
    response_time: check,
    peak_resp_time: amount,
    /** Its threshold is `performance.viewsPerMinute`. */
    views_per_minute: check,
    requests_per_minute: amount,
    cpu_utilization_rate: percent,
    disk_io_wait_time: percent,
    disk_bandwidth_util: percent,
    network_bandwidth_util: percent,
    assets_error_rate: percent,
  })
  .partial();

export type QualityGates = z.infer<typeof qualityGatesSchema>;
