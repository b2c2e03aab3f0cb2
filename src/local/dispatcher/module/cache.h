/* The cache of a farm: files below its docroot, named like the URLs, and .stat files that tell which are stale. */
#ifndef FAIRWAY_CACHE_H
#define FAIRWAY_CACHE_H

#include "farm.h"

/* Where the answer to this request is or would be cached; NULL when it is not to be cached. */
const char *cache_path(const farm *f, request_rec *r);

/* Opens the cached file unless there is none or a flush has made it stale. */
int cache_open(const farm *f, request_rec *r, const char *path, apr_file_t **file, apr_finfo_t *info);

/* Writes the answer that the render is about to give into the cache, when it turns out to be fit for that. */
void cache_store(const farm *f, request_rec *r, const char *path);

/* Registers what cache_store needs. */
void cache_register(void);

/* Whether the handle is a path that may be flushed. */
int cache_handle_valid(const char *handle);

/* Deletes the files of a handle and, unless only the resource is meant, makes its surroundings stale. */
apr_status_t cache_flush(const farm *f, apr_pool_t *pool, const char *handle, int resource_only);

#endif
