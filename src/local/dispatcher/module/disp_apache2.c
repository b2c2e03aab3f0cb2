/* A dispatcher module for local platforms. Adobe's own one may not be passed on; this one reads the same directives and
   farm files, caches, filters and flushes by the same documented rules, as far as a site on one host needs them.
   Its messages go to httpd's error log. The name of this file is what <IfModule disp_apache2.c> asks for. */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "mod_proxy.h"
#include "apr_strings.h"
#include "cache.h"

#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>
#endif

extern module AP_MODULE_DECLARE_DATA dispatcher_module;
APLOG_USE_MODULE(dispatcher);

typedef struct {
    apr_array_header_t *farms;
    int decline_root; /* -1 = not said */
} settings;

/* ---- directives */

static void *create_settings(apr_pool_t *pool, server_rec *server)
{
    settings *s = apr_pcalloc(pool, sizeof *s);
    s->decline_root = -1;
    return s;
}

static void *merge_settings(apr_pool_t *pool, void *base, void *vhost)
{
    settings *b = base, *v = vhost, *s = apr_pcalloc(pool, sizeof *s);
    s->farms = v->farms ? v->farms : b->farms;
    s->decline_root = v->decline_root >= 0 ? v->decline_root : b->decline_root;
    return s;
}

static const char *set_config(cmd_parms *cmd, void *unused, const char *path)
{
    settings *s = ap_get_module_config(cmd->server->module_config, &dispatcher_module);
    return farms_read(cmd->pool, ap_server_root_relative(cmd->pool, path), &s->farms);
}

static const char *set_decline_root(cmd_parms *cmd, void *unused, const char *value)
{
    settings *s = ap_get_module_config(cmd->server->module_config, &dispatcher_module);
    s->decline_root = !strcmp(value, "1") || !strcasecmp(value, "on");
    return NULL;
}

/* What is true here anyway (the URL is the rewritten one, errors of the render pass), or has no meaning here. */
static const char *take(cmd_parms *cmd, void *unused, const char *value)
{
    return NULL;
}

#define ACCEPTED(name) AP_INIT_TAKE1(name, take, NULL, RSRC_CONF, "accepted, without effect")
static const command_rec directives[] = {
    AP_INIT_TAKE1("DispatcherConfig", set_config, NULL, RSRC_CONF, "the file that holds the farms"),
    AP_INIT_TAKE1("DispatcherDeclineRoot", set_decline_root, NULL, RSRC_CONF, "1: leave the URL / to httpd"),
    ACCEPTED("DispatcherLog"),
    ACCEPTED("DispatcherLogLevel"),
    ACCEPTED("DispatcherNoServerHeader"),
    ACCEPTED("DispatcherUseProcessedURL"),
    ACCEPTED("DispatcherPassError"),
    ACCEPTED("DispatcherKeepAliveTimeout"),
    ACCEPTED("DispatcherNoCanonURL"),
    ACCEPTED("DispatcherUseForwardedHost"),
    ACCEPTED("DispatcherRestrictUncacheableContent"),
    { NULL }
};

/* ---- requests */

static int flush(request_rec *r, const farm *f)
{
    const char *action = apr_table_get(r->headers_in, "CQ-Action");
    const char *handle = apr_table_get(r->headers_in, "CQ-Handle");
    const char *scope = apr_table_get(r->headers_in, "CQ-Action-Scope");
    int resource_only = scope && !strcasecmp(scope, "ResourceOnly"), discarded;
    apr_status_t status;

    if ((discarded = ap_discard_request_body(r)) != OK) return discarded;
    if (!f->docroot) return HTTP_NOT_FOUND;
    if (f->allowed_clients && !globs_allow(f->allowed_clients, r->connection->client_ip)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "Flushing rejected from %s", r->connection->client_ip);
        return HTTP_FORBIDDEN;
    }
    if (!strcasecmp(action, "Test")) { /* whether this client may flush; nothing is */
        ap_set_content_type(r, "text/html");
        ap_rputs("<H1>OK</H1>", r);
        return OK;
    }
    if ((strcasecmp(action, "Activate") && strcasecmp(action, "Deactivate") && strcasecmp(action, "Delete"))
        || !handle || !cache_handle_valid(handle)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "not a flush: action %s, handle %s", action, handle ? handle : "-");
        return HTTP_BAD_REQUEST;
    }
    status = cache_flush(f, r->pool, handle, resource_only);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, status, r, "cannot flush %s in %s", handle, f->docroot);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "flushed: action %s, handle %s%s", action, handle,
                  resource_only ? ", resource only" : "");
    ap_set_content_type(r, "text/html");
    ap_rputs("<H1>OK</H1>", r);
    return OK;
}

static int send_cached(request_rec *r, apr_file_t *file, const apr_finfo_t *info)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int condition;

    ap_update_mtime(r, info->mtime);
    ap_set_last_modified(r);
    ap_set_accept_ranges(r);
    ap_set_content_length(r, info->size);
    if ((condition = ap_meets_conditions(r)) != OK) return condition;
    if (info->size > 0) apr_brigade_insert_file(brigade, file, 0, info->size, r->pool);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(r->connection->bucket_alloc));
    ap_pass_brigade(r->output_filters, brigade);
    return OK;
}

static int keep_header(void *kept, const char *name, const char *value)
{
    apr_table_addn(kept, name, value);
    return 1;
}

typedef struct {
    const farm *f;
    apr_table_t *kept;
} selection;

/* What frames the request itself always stays. */
static int select_header(void *data, const char *name, const char *value)
{
    selection *s = data;
    if (farm_passes_header(s->f, name) || !strcasecmp(name, "Host") || !strcasecmp(name, "Connection")
        || !strcasecmp(name, "Content-Length") || !strcasecmp(name, "Transfer-Encoding"))
        keep_header(s->kept, name, value);
    return 1;
}

/* Hands the request to mod_proxy, which is asked next. */
static int pass_on(request_rec *r, const farm *f, const char *cached_as)
{
    static const char *const partial[] = { "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
                                           "If-Range", "Range", "Accept-Encoding" };
    const render *chosen = &((const render *)f->renders->elts)[r->request_time % f->renders->nelts];
    selection s = { f, apr_table_make(r->pool, 20) };
    apr_size_t i;

    if (!*chosen->hostname) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "farm %s has a render without a host name", f->name);
        return HTTP_BAD_GATEWAY;
    }
    apr_table_do(select_header, &s, r->headers_in, NULL);
    r->headers_in = s.kept;
    if (cached_as && !r->header_only) {
        /* The cache needs the whole page, as it is. */
        for (i = 0; i < sizeof partial / sizeof *partial; i++) apr_table_unset(r->headers_in, partial[i]);
        cache_store(f, r, cached_as);
    }
    r->filename = apr_pstrcat(r->pool, "proxy:http://", chosen->hostname, ":", chosen->port,
                              ap_os_escape_path(r->pool, r->uri, 1), r->args ? "?" : "", r->args, NULL);
    r->proxyreq = PROXYREQ_REVERSE;
    r->handler = "proxy-server";
    return DECLINED;
}

static int dispatch(request_rec *r)
{
    settings *s = ap_get_module_config(r->server->module_config, &dispatcher_module);
    const farm *f;
    const char *path;
    apr_file_t *file;
    apr_finfo_t info;

    if (!r->handler || strcmp(r->handler, "dispatcher-handler") || !s->farms) return DECLINED;
    f = farm_for(s->farms, r->hostname ? r->hostname : "", r->uri);
    if (apr_table_get(r->headers_in, "CQ-Action")) return flush(r, f);
    if (s->decline_root == 1 && !strcmp(r->uri, "/")) return DECLINED;
    if (!farm_lets_pass(f, r)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "filtered out: %s %s", r->method, r->uri);
        return HTTP_NOT_FOUND;
    }
    path = cache_path(f, r);
    if (path && cache_open(f, r, path, &file, &info)) return send_cached(r, file, &info);
    return pass_on(r, f, path);
}

#ifdef __linux__
/* A local platform leaves nothing behind: were httpd killed, its children would go on serving without it. */
static void end_with_parent(apr_pool_t *pool, server_rec *server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}
#endif

static void hooks(apr_pool_t *pool)
{
    static const char *const before[] = { "mod_proxy.c", NULL };
    cache_register();
    ap_hook_handler(dispatch, NULL, before, APR_HOOK_REALLY_FIRST);
#ifdef __linux__
    ap_hook_child_init(end_with_parent, NULL, NULL, APR_HOOK_FIRST);
#endif
}

module AP_MODULE_DECLARE_DATA dispatcher_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, create_settings, merge_settings, directives, hooks
};
