#include "cache.h"

#include "apr_strings.h"
#include "http_log.h"
#include "http_protocol.h"
#include "util_filter.h"

APLOG_USE_MODULE(dispatcher);

#define STAT_FILE ".stat"
/* Touched by every flush, also by those that leave the .stat files alone: an answer that was asked for before and
   comes after it must not get into the cache. */
#define FLUSH_MARK ".flushed"

static ap_filter_rec_t *store_filter;

typedef struct {
    const char *path;
    const char *mark;
    apr_time_t asked;
    apr_file_t *file; /* NULL until the answer is known to be fit */
    char *temporary;
    apr_off_t written;
} store;

/* ---- what is cached, and where */

const char *cache_path(const farm *f, request_rec *r)
{
    const char *name = strrchr(r->uri, '/');

    if (!f->docroot || r->method_number != M_GET || r->args || *r->uri != '/') return NULL; /* HEAD counts as GET */
    if (!name || !strchr(name, '.') || strstr(r->uri, "/.")) return NULL;
    if (!f->allow_authorized && apr_table_get(r->headers_in, "Authorization")) return NULL;
    if (f->rules && !globs_allow(f->rules, r->uri)) return NULL;
    return apr_pstrcat(r->pool, f->docroot, r->uri, NULL);
}

/* When the nearest .stat file was touched; 0 when there is none. Times are microseconds, always set explicitly: the
   file system's own clock lags by milliseconds, so that a flush right after a store would go unnoticed. */
static apr_time_t nearest_stat(const farm *f, apr_pool_t *pool, const char *path)
{
    apr_size_t root = strlen(f->docroot);
    const char *ends[101];
    const char *at = path + root;
    apr_finfo_t info;
    int level = 0;

    ends[0] = at;
    while (level < f->statfileslevel && (at = strchr(at + 1, '/'))) ends[++level] = at;
    for (; level >= 0; level--) {
        const char *stat_file = apr_pstrcat(pool, apr_pstrmemdup(pool, path, (apr_size_t)(ends[level] - path)),
                                            "/" STAT_FILE, NULL);
        if (apr_stat(&info, stat_file, APR_FINFO_MTIME, pool) == APR_SUCCESS) return info.mtime;
    }
    return 0;
}

int cache_open(const farm *f, request_rec *r, const char *path, apr_file_t **file, apr_finfo_t *info)
{
    if (apr_file_open(file, path, APR_READ | APR_BINARY | APR_SENDFILE_ENABLED, APR_OS_DEFAULT, r->pool)) return 0;
    if (apr_file_info_get(info, APR_FINFO_SIZE | APR_FINFO_MTIME | APR_FINFO_TYPE, *file) == APR_SUCCESS
        && info->filetype == APR_REG
        && (!f->invalidate || !globs_allow(f->invalidate, r->uri) || info->mtime > nearest_stat(f, r->pool, path)))
        return 1;
    apr_file_close(*file);
    return 0;
}

/* ---- storing */

static apr_status_t discard(void *data)
{
    store *s = data;
    if (s->file) {
        apr_file_close(s->file);
        apr_file_remove(s->temporary, apr_file_pool_get(s->file));
        s->file = NULL;
    }
    return APR_SUCCESS;
}

static int has_token(const char *header, const char *const *tokens)
{
    for (; header && *tokens; tokens++) {
        if (ap_strcasestr(header, *tokens)) return 1;
    }
    return 0;
}

static int fit(request_rec *r)
{
    static const char *const uncacheable[] = { "no-cache", "no-store", "private", NULL };
    return r->status == HTTP_OK && !apr_table_get(r->headers_out, "Set-Cookie")
           && !apr_table_get(r->headers_out, "Content-Encoding") && !apr_table_get(r->headers_out, "Content-Range")
           && !has_token(apr_table_get(r->headers_out, "Cache-Control"), uncacheable)
           && !has_token(apr_table_get(r->headers_out, "Dispatcher"), uncacheable);
}

static int begin(request_rec *r, store *s)
{
    char *folder = apr_pstrmemdup(r->pool, s->path, (apr_size_t)(strrchr(s->path, '/') - s->path));
    apr_status_t status = apr_dir_make_recursive(folder, APR_FPROT_OS_DEFAULT, r->pool);

    if (status == APR_SUCCESS) {
        s->temporary = apr_pstrcat(r->pool, folder, "/.part-XXXXXX", NULL);
        status = apr_file_mktemp(&s->file, s->temporary, APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL | APR_FOPEN_BINARY,
                                 r->pool);
    }
    if (status == APR_SUCCESS) apr_pool_cleanup_register(r->pool, s, discard, apr_pool_cleanup_null);
    else ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r, "not cached: %s", s->path);
    return status == APR_SUCCESS;
}

static void finish(request_rec *r, store *s)
{
    const char *announced = apr_table_get(r->headers_out, "Content-Length");
    apr_finfo_t mark;
    apr_status_t status;

    if (announced && apr_atoi64(announced) != s->written) return;
    apr_file_perms_set(s->temporary, APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD | APR_FPROT_WREAD);
    status = apr_file_close(s->file);
    s->file = NULL;
    /* The content is as old as the question, not as the answer. */
    if (status == APR_SUCCESS) status = apr_file_mtime_set(s->temporary, s->asked, r->pool);
    if (status == APR_SUCCESS) status = apr_file_rename(s->temporary, s->path, r->pool);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, status, r, "not cached: %s", s->path);
        apr_file_remove(s->temporary, r->pool);
    }
    /* A flush first touches its mark, then deletes: either it finds this file, or this finds the mark. */
    else if (apr_stat(&mark, s->mark, APR_FINFO_MTIME, r->pool) == APR_SUCCESS && mark.mtime >= s->asked)
        apr_file_remove(s->path, r->pool);
}

static apr_status_t store_answer(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    request_rec *r = filter->r;
    store *s = filter->ctx;
    apr_bucket *bucket;

    if (!s->file && (!fit(r) || !begin(r, s))) {
        ap_remove_output_filter(filter);
        return ap_pass_brigade(filter->next, brigade);
    }
    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade) && s->file;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t length;

        if (AP_BUCKET_IS_ERROR(bucket)) discard(s); /* the render broke off */
        else if (APR_BUCKET_IS_EOS(bucket)) finish(r, s);
        else if (!APR_BUCKET_IS_METADATA(bucket)) {
            if (apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS
                || apr_file_write_full(s->file, data, length, NULL) != APR_SUCCESS)
                discard(s);
            else s->written += (apr_off_t)length;
        }
    }
    if (!s->file) ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void cache_store(const farm *f, request_rec *r, const char *path)
{
    store *s = apr_pcalloc(r->pool, sizeof *s);
    s->path = path;
    s->mark = apr_pstrcat(r->pool, f->docroot, "/" FLUSH_MARK, NULL);
    s->asked = apr_time_now();
    ap_add_output_filter_handle(store_filter, s, r, r->connection);
}

void cache_register(void)
{
    store_filter = ap_register_output_filter("DISPATCHER_STORE", store_answer, NULL, AP_FTYPE_RESOURCE);
}

/* ---- flushing */

int cache_handle_valid(const char *handle)
{
    const char *c;
    if (*handle != '/' || strlen(handle) > 2000) return 0;
    for (c = handle; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == '\\') return 0;
        if (*c == '/' && (c[1] == '/' || c[1] == '.')) return 0; /* "..", and files of the cache's own */
    }
    return 1;
}

static apr_status_t touch(apr_pool_t *pool, const char *path, apr_time_t now)
{
    apr_file_t *file;
    apr_status_t status = apr_file_open(&file, path, APR_FOPEN_CREATE | APR_FOPEN_WRITE, APR_OS_DEFAULT, pool);
    if (status == APR_SUCCESS) status = apr_file_close(file);
    return status == APR_SUCCESS ? apr_file_mtime_set(path, now, pool) : status;
}

static apr_status_t absent_is_fine(apr_status_t status)
{
    return APR_STATUS_IS_ENOENT(status) || APR_STATUS_IS_ENOTDIR(status) ? APR_SUCCESS : status;
}

/* Removes what a folder holds under names that begin with `prefix`, folders with all they hold. Links are removed,
   never followed. */
static apr_status_t remove_in(apr_pool_t *parent, const char *folder, const char *prefix)
{
    apr_pool_t *pool;
    apr_dir_t *dir;
    apr_finfo_t entry;
    apr_array_header_t *names;
    apr_status_t status, worst = APR_SUCCESS;
    int i;

    apr_pool_create(&pool, parent);
    if ((status = apr_dir_open(&dir, folder, pool)) != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return absent_is_fine(status);
    }
    names = apr_array_make(pool, 16, sizeof(const char *));
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strcmp(entry.name, ".") && strcmp(entry.name, "..") && !strncmp(entry.name, prefix, strlen(prefix)))
            *(const char **)apr_array_push(names) = apr_pstrcat(pool, folder, "/", entry.name, NULL);
    }
    apr_dir_close(dir);
    for (i = 0; i < names->nelts; i++) {
        const char *path = ((const char **)names->elts)[i];
        status = apr_stat(&entry, path, APR_FINFO_TYPE | APR_FINFO_LINK, pool);
        if (status == APR_SUCCESS && entry.filetype == APR_DIR) {
            status = remove_in(pool, path, "");
            if (status == APR_SUCCESS) status = apr_dir_remove(path, pool);
            if (APR_STATUS_IS_ENOTEMPTY(status)) status = APR_SUCCESS; /* a visitor's answer came in just now */
        }
        else if (status == APR_SUCCESS) status = apr_file_remove(path, pool);
        status = absent_is_fine(status);
        if (status != APR_SUCCESS) worst = status;
    }
    apr_pool_destroy(pool);
    return worst;
}

apr_status_t cache_flush(const farm *f, apr_pool_t *pool, const char *handle, int resource_only)
{
    apr_size_t length = strlen(handle);
    const char *slash, *resource, *end;
    apr_time_t now = apr_time_now();
    apr_status_t status = touch(pool, apr_pstrcat(pool, f->docroot, "/" FLUSH_MARK, NULL), now);
    int level;

    if (length > 1 && handle[length - 1] == '/') handle = apr_pstrmemdup(pool, handle, --length);
    if (status == APR_SUCCESS && length > 1) {
        slash = strrchr(handle, '/');
        resource = apr_pstrcat(pool, f->docroot, handle, NULL);
        status = remove_in(pool, apr_pstrmemdup(pool, resource, strlen(f->docroot) + (apr_size_t)(slash - handle)),
                           apr_pstrcat(pool, slash + 1, ".", NULL));
        if (status == APR_SUCCESS) status = remove_in(pool, apr_pstrcat(pool, resource, "/_jcr_content", NULL), "");
    }
    if (resource_only) return status;
    /* /.stat, /content/.stat, ... down to the folder of the resource, or to statfileslevel. */
    for (end = handle, level = 0; status == APR_SUCCESS && end && strchr(end, '/') && level <= f->statfileslevel;
         end = strchr(end + 1, '/'), level++) {
        char *folder = apr_pstrcat(pool, f->docroot, apr_pstrmemdup(pool, handle, (apr_size_t)(end - handle)), NULL);
        status = apr_dir_make_recursive(folder, APR_FPROT_OS_DEFAULT, pool);
        if (status == APR_SUCCESS) status = touch(pool, apr_pstrcat(pool, folder, "/" STAT_FILE, NULL), now);
    }
    return status;
}
