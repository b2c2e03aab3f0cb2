/* What the farm files say, checked and ready for use. */
#ifndef FAIRWAY_FARM_H
#define FAIRWAY_FARM_H

#include "httpd.h"

/* Parts of a request that a rule may look at. In lists other than /filter only GLOB is used. */
typedef enum { GLOB, URL, PATH, METHOD, EXTENSION, SELECTORS, SUFFIX, QUERY, FIELDS } field;

typedef struct {
    const char *name;
    const char *hostname;
    const char *port;
} render;

typedef struct {
    const char *name;
    apr_array_header_t *virtualhosts;  /* of const char * */
    apr_array_header_t *clientheaders; /* of const char *; NULL = all */
    apr_array_header_t *renders;       /* of render */
    apr_array_header_t *filter;        /* of rules; NULL = everything is allowed */
    const char *docroot;               /* NULL = no cache */
    int statfileslevel;
    int allow_authorized;
    apr_array_header_t *rules;          /* what is cached; NULL = everything */
    apr_array_header_t *invalidate;     /* what a .stat file makes stale; NULL = nothing */
    apr_array_header_t *allowed_clients; /* who may flush; NULL = everybody */
} farm;

/* Reads dispatcher.any. Returns NULL, or what is wrong, with file and line. */
const char *farms_read(apr_pool_t *pool, const char *path, apr_array_header_t **farms);

/* The farm that a request belongs to: from the last farm up, an exact host name before a pattern; without any match
   the first one. */
const farm *farm_for(const apr_array_header_t *farms, const char *host, const char *uri);

/* What the last matching rule says. */
int rules_allow(const apr_array_header_t *rules, const char *const values[FIELDS]);

/* The same for lists that look at one text only. */
int globs_allow(const apr_array_header_t *rules, const char *text);

/* Whether /filter lets a request through. */
int farm_lets_pass(const farm *f, request_rec *r);

/* Whether the render gets this header of the client. */
int farm_passes_header(const farm *f, const char *header);

#endif
