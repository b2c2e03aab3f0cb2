/* Reads the dispatcher's .any files: names that begin with a slash, quoted values, blocks in braces, $include. */
#ifndef FAIRWAY_ANY_H
#define FAIRWAY_ANY_H

#include "apr_pools.h"
#include "apr_tables.h"

typedef struct any_node {
    const char *name;             /* without the slash; NULL for a bare value or a block without a name */
    const char *value;            /* NULL for a block */
    int regex;                    /* the value stood in single quotes */
    apr_array_header_t *children; /* of any_node *; NULL for a value */
    const char *file;
    int line;
} any_node;

/* Reads a file with everything it includes. Returns NULL, or what is wrong, with file and line. */
const char *any_read(apr_pool_t *pool, const char *path, any_node **root);

/* The last child of that name (a later one replaces an earlier one), or NULL. */
const any_node *any_child(const any_node *node, const char *name);

/* The value of the last child of that name, or NULL. */
const char *any_value(const any_node *node, const char *name);

/* "file:line: message" */
const char *any_error(apr_pool_t *pool, const any_node *node, const char *message, const char *what);

#endif
