#include "farm.h"

#include "apr_fnmatch.h"
#include "apr_lib.h"
#include "apr_strings.h"
#include "any.h"

typedef struct {
    const char *glob; /* or else */
    ap_regex_t *regex;
} pattern;

typedef struct {
    int allow;
    pattern *patterns[FIELDS];
} rule;

static const char *const field_names[FIELDS] = { "glob",      "url",    "path",  "method", "extension",
                                                 "selectors", "suffix", "query" };

static int matches(const pattern *p, const char *text)
{
    if (p->regex) return ap_regexec(p->regex, text, 0, NULL, 0) == 0;
    return apr_fnmatch(p->glob, text, 0) == APR_SUCCESS;
}

static const char *read_pattern(apr_pool_t *pool, const any_node *node, pattern **result)
{
    pattern *p = apr_pcalloc(pool, sizeof *p);
    if (!node->regex) p->glob = node->value;
    else {
        p->regex = ap_pregcomp(pool, apr_pstrcat(pool, "^(?:", node->value, ")$", NULL), AP_REG_EXTENDED);
        if (!p->regex) return any_error(pool, node, "not a regular expression: ", node->value);
    }
    *result = p;
    return NULL;
}

static const char *read_rule(apr_pool_t *pool, const any_node *node, rule *result)
{
    const char *problem, *type = NULL;
    int i, f;

    if (!node->children) return any_error(pool, node, "a rule needs a block with /type and a pattern", "");
    for (i = 0; i < node->children->nelts; i++) {
        const any_node *child = ((any_node **)node->children->elts)[i];
        if (!child->name || !child->value) return any_error(pool, child, "unexpected block or value in a rule", "");
        if (!strcmp(child->name, "type")) {
            type = child->value;
            continue;
        }
        for (f = 0; f < FIELDS && strcmp(child->name, field_names[f]); f++) {}
        if (f == FIELDS) return any_error(pool, child, "a rule knows no /", child->name);
        if ((problem = read_pattern(pool, child, &result->patterns[f]))) return problem;
    }
    if (!type || (strcmp(type, "allow") && strcmp(type, "deny")))
        return any_error(pool, node, "/type must be \"allow\" or \"deny\"", "");
    result->allow = !strcmp(type, "allow");
    return NULL;
}

static const char *read_rules(apr_pool_t *pool, const any_node *parent, const char *name, apr_array_header_t **result)
{
    const any_node *list = any_child(parent, name);
    const char *problem;
    int i;

    if (!list) return NULL;
    if (!list->children) return any_error(pool, list, "a block is needed after /", name);
    *result = apr_array_make(pool, list->children->nelts + 1, sizeof(rule));
    for (i = 0; i < list->children->nelts; i++) {
        rule *entry = apr_array_push(*result);
        memset(entry, 0, sizeof *entry);
        if ((problem = read_rule(pool, ((any_node **)list->children->elts)[i], entry))) return problem;
    }
    return NULL;
}

static apr_array_header_t *read_values(apr_pool_t *pool, const any_node *list)
{
    apr_array_header_t *values;
    int i;

    if (!list || !list->children) return NULL;
    values = apr_array_make(pool, list->children->nelts + 1, sizeof(const char *));
    for (i = 0; i < list->children->nelts; i++) {
        const any_node *child = ((any_node **)list->children->elts)[i];
        if (child->value && *child->value) *(const char **)apr_array_push(values) = child->value;
    }
    return values;
}

static const char *read_number(apr_pool_t *pool, const any_node *parent, const char *name, int highest, int *result)
{
    const any_node *node = any_child(parent, name);
    char *end;
    apr_int64_t number;

    if (!node) return NULL;
    number = node->value && apr_isdigit(*node->value) ? apr_strtoi64(node->value, &end, 10) : -1;
    if (number < 0 || number > highest || *end)
        return any_error(pool, node, "a number is needed after /", name);
    *result = (int)number;
    return NULL;
}

static const char *read_renders(apr_pool_t *pool, const any_node *node, farm *f)
{
    const any_node *list = any_child(node, "renders");
    const char *problem;
    int i, port;

    if (!list || !list->children || !list->children->nelts)
        return any_error(pool, node, "/renders are missing in farm /", f->name);
    f->renders = apr_array_make(pool, list->children->nelts, sizeof(render));
    for (i = 0; i < list->children->nelts; i++) {
        const any_node *child = ((any_node **)list->children->elts)[i];
        render *entry = apr_array_push(f->renders);
        entry->name = child->name ? child->name : "";
        entry->hostname = any_value(child, "hostname");
        if (!entry->hostname || strpbrk(entry->hostname, "/@?# \t"))
            return any_error(pool, child, "a host name is needed after /hostname of a render", "");
        port = 80;
        /* An empty port comes from a variable that this host does not set. */
        entry->port = any_value(child, "port");
        if (entry->port && *entry->port && (problem = read_number(pool, child, "port", 65535, &port))) return problem;
        entry->port = apr_itoa(pool, port);
    }
    return NULL;
}

static const char *read_farm(apr_pool_t *pool, const any_node *node, farm *f)
{
    const any_node *cache = any_child(node, "cache");
    const char *problem;

    if (!node->name || !node->children) return any_error(pool, node, "a farm needs a name and a block", "");
    f->name = node->name;
    f->virtualhosts = read_values(pool, any_child(node, "virtualhosts"));
    f->clientheaders = read_values(pool, any_child(node, "clientheaders"));
    if ((problem = read_renders(pool, node, f))) return problem;
    if ((problem = read_rules(pool, node, "filter", &f->filter))) return problem;
    if (!cache) return NULL;
    if (!cache->children) return any_error(pool, cache, "a block is needed after /cache", "");
    f->docroot = any_value(cache, "docroot");
    if (!f->docroot) return any_error(pool, cache, "/docroot is missing in /cache of farm /", f->name);
    if (!*f->docroot) f->docroot = NULL; /* from a variable that this host does not set */
    else if (*f->docroot != '/')
        return any_error(pool, any_child(cache, "docroot"), "/docroot must be an absolute path: ", f->docroot);
    if ((problem = read_number(pool, cache, "statfileslevel", 100, &f->statfileslevel))) return problem;
    if ((problem = read_number(pool, cache, "allowAuthorized", 1, &f->allow_authorized))) return problem;
    if ((problem = read_rules(pool, cache, "rules", &f->rules))) return problem;
    if ((problem = read_rules(pool, cache, "invalidate", &f->invalidate))) return problem;
    return read_rules(pool, cache, "allowedClients", &f->allowed_clients);
}

const char *farms_read(apr_pool_t *pool, const char *path, apr_array_header_t **farms)
{
    any_node *root;
    const any_node *list;
    const char *problem = any_read(pool, path, &root);
    int i;

    if (problem) return problem;
    list = any_child(root, "farms");
    if (!list || !list->children) return any_error(pool, root, "there is no /farms block", "");
    if (!list->children->nelts) return any_error(pool, list, "no farm is enabled", "");
    *farms = apr_array_make(pool, list->children->nelts, sizeof(farm));
    for (i = 0; i < list->children->nelts; i++) {
        farm *f = apr_array_push(*farms);
        memset(f, 0, sizeof *f);
        if ((problem = read_farm(pool, ((any_node **)list->children->elts)[i], f))) return problem;
    }
    return NULL;
}

static int host_matches(const char *wanted, const char *host, const char *uri, int exactly)
{
    const char *colon = strstr(wanted, "://"), *slash;
    apr_size_t length;

    if (colon) wanted = colon + 3;
    slash = strchr(wanted, '/');
    length = slash ? (apr_size_t)(slash - wanted) : strlen(wanted);
    if (slash && strncmp(uri, slash, strcspn(slash, "*"))) return 0;
    if (exactly) return strlen(host) == length && !strncasecmp(wanted, host, length);
    {
        char glob[256];
        apr_cpystrn(glob, wanted, length + 1 < sizeof glob ? length + 1 : sizeof glob);
        return apr_fnmatch(glob, host, APR_FNM_CASE_BLIND) == APR_SUCCESS;
    }
}

const farm *farm_for(const apr_array_header_t *farms, const char *host, const char *uri)
{
    const farm *all = (const farm *)farms->elts;
    int exactly, i, v;

    for (exactly = 1; exactly >= 0; exactly--) {
        for (i = farms->nelts; i-- > 0;) {
            const apr_array_header_t *hosts = all[i].virtualhosts;
            for (v = 0; hosts && v < hosts->nelts; v++) {
                if (host_matches(((const char **)hosts->elts)[v], host, uri, exactly)) return &all[i];
            }
        }
    }
    return &all[0];
}

int rules_allow(const apr_array_header_t *rules, const char *const values[FIELDS])
{
    int i, f;
    for (i = rules->nelts; i-- > 0;) {
        const rule *candidate = &((const rule *)rules->elts)[i];
        for (f = 0; f < FIELDS; f++) {
            if (candidate->patterns[f] && !matches(candidate->patterns[f], values[f])) break;
        }
        if (f == FIELDS) return candidate->allow;
    }
    return 0;
}

int globs_allow(const apr_array_header_t *rules, const char *text)
{
    const char *values[FIELDS];
    int f;
    for (f = 0; f < FIELDS; f++) values[f] = text;
    return rules_allow(rules, values);
}

int farm_lets_pass(const farm *f, request_rec *r)
{
    const char *values[FIELDS], *dot = strchr(r->uri, '.'), *end, *last;

    if (!f->filter) return 1;
    values[GLOB] = r->the_request;
    values[URL] = r->uri;
    values[METHOD] = r->method;
    values[QUERY] = r->args ? r->args : "";
    values[PATH] = r->uri;
    values[EXTENSION] = values[SELECTORS] = values[SUFFIX] = "";
    if (dot) { /* path.selectors.extension/suffix */
        end = dot + strcspn(dot, "/");
        for (last = end; *last != '.'; last--) {}
        values[PATH] = apr_pstrmemdup(r->pool, r->uri, (apr_size_t)(dot - r->uri));
        values[EXTENSION] = apr_pstrmemdup(r->pool, last + 1, (apr_size_t)(end - last - 1));
        if (last > dot) values[SELECTORS] = apr_pstrmemdup(r->pool, dot + 1, (apr_size_t)(last - dot - 1));
        values[SUFFIX] = end;
    }
    return rules_allow(f->filter, values);
}

int farm_passes_header(const farm *f, const char *header)
{
    int i;
    if (!f->clientheaders) return 1;
    for (i = 0; i < f->clientheaders->nelts; i++) {
        const char *name = ((const char **)f->clientheaders->elts)[i];
        if (!strcmp(name, "*") || !strcasecmp(name, header)) return 1;
    }
    return 0;
}
