#include "any.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "apr_file_io.h"
#include "apr_lib.h"
#include "apr_strings.h"

#define MAX_FILE (1024 * 1024)
#define MAX_DEPTH 20

typedef enum { END, OPEN, CLOSE, WORD, QUOTED, REGEX, BROKEN } token_type;

typedef struct {
    apr_pool_t *pool;
    const char *file;
    const char *at;
    int line;
    int depth; /* of includes */
    char *text; /* of the token read last; the message when it is BROKEN */
    int token_line;
} reader;

static const char *read_into(apr_pool_t *pool, const char *path, any_node *parent, int depth);

static const char *complaint(reader *in, const char *message, const char *what)
{
    return apr_psprintf(in->pool, "%s:%d: %s%s", in->file, in->token_line, message, what);
}

/* Puts variables of the environment in; an unknown one becomes empty, as an unset one does in a shell. */
static char *with_environment(apr_pool_t *pool, const char *text)
{
    const char *start = strstr(text, "${"), *end = start ? strchr(start, '}') : NULL;
    const char *value;

    if (!end) return apr_pstrdup(pool, text);
    value = getenv(apr_pstrmemdup(pool, start + 2, (apr_size_t)(end - start - 2)));
    return apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(start - text)), value ? value : "",
                       with_environment(pool, end + 1), NULL);
}

static token_type next(reader *in)
{
    const char *start;
    char quote;

    for (;; in->at++) {
        if (*in->at == '\n') in->line++;
        else if (*in->at == '#') {
            while (in->at[1] && in->at[1] != '\n') in->at++;
        }
        else if (!apr_isspace(*in->at)) break;
    }
    in->token_line = in->line;
    switch (*in->at) {
    case '\0': return END;
    case '{': in->at++; return OPEN;
    case '}': in->at++; return CLOSE;
    case '"':
    case '\'':
        quote = *in->at;
        start = ++in->at;
        while (*in->at && *in->at != quote && *in->at != '\n') in->at++;
        if (*in->at != quote) {
            in->text = "this quotation mark is never closed";
            return BROKEN;
        }
        in->text = with_environment(in->pool, apr_pstrmemdup(in->pool, start, (apr_size_t)(in->at - start)));
        in->at++;
        return quote == '"' ? QUOTED : REGEX;
    default:
        start = in->at;
        while (*in->at && !apr_isspace(*in->at) && !strchr("{}\"'", *in->at)) {
            if (in->at[0] == '$' && in->at[1] == '{') {
                while (in->at[1] && in->at[1] != '}' && !apr_isspace(in->at[1])) in->at++;
                if (in->at[1] == '}') in->at++;
            }
            in->at++;
        }
        in->text = apr_pstrmemdup(in->pool, start, (apr_size_t)(in->at - start));
        if (*start != '/' && strcmp(in->text, "$include")) in->text = with_environment(in->pool, in->text);
        return WORD;
    }
}

static any_node *add(reader *in, any_node *parent, const char *name)
{
    any_node *node = apr_pcalloc(in->pool, sizeof *node);
    node->name = name;
    node->file = in->file;
    node->line = in->token_line;
    *(any_node **)apr_array_push(parent->children) = node;
    return node;
}

static const char *include(reader *in, any_node *parent)
{
    const char *slash = strrchr(in->file, '/'), *pattern, *problem = NULL;
    glob_t found;
    size_t i;

    pattern = *in->text == '/' || !slash
                  ? in->text
                  : apr_pstrcat(in->pool, apr_pstrmemdup(in->pool, in->file, (apr_size_t)(slash + 1 - in->file)),
                                in->text, NULL);
    if (in->depth >= MAX_DEPTH) return complaint(in, "files include each other without end: ", pattern);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (i = 0; i < found.gl_pathc && !problem; i++)
            problem = read_into(in->pool, apr_pstrdup(in->pool, found.gl_pathv[i]), parent, in->depth + 1);
        globfree(&found);
        return problem;
    }
    return strpbrk(pattern, "*?[") ? NULL : complaint(in, "there is no file ", pattern);
}

/* Reads entries up to the closing brace, or to the end of the file when opened_in is 0. */
static const char *entries(reader *in, any_node *parent, int opened_in)
{
    const char *problem = NULL, *name;
    any_node *node;
    token_type token;

    while (!problem) {
        switch (token = next(in)) {
        case END:
            if (!opened_in) return NULL;
            return complaint(in, "the file ends before the closing brace of the block opened in line ",
                             apr_itoa(in->pool, opened_in));
        case CLOSE:
            return opened_in ? NULL : complaint(in, "closing brace without an opening one", "");
        case BROKEN:
            return complaint(in, in->text, "");
        case OPEN:
            node = add(in, parent, NULL);
            node->children = apr_array_make(in->pool, 4, sizeof(any_node *));
            problem = entries(in, node, in->token_line);
            break;
        case QUOTED:
        case REGEX:
            node = add(in, parent, NULL);
            node->value = in->text;
            node->regex = token == REGEX;
            break;
        case WORD:
            if (!strcmp(in->text, "$include")) {
                token = next(in);
                if (token != QUOTED && token != REGEX) return complaint(in, "$include needs a quoted file name", "");
                problem = include(in, parent);
            }
            else if (*in->text != '/') {
                add(in, parent, NULL)->value = in->text;
            }
            else {
                name = in->text + 1;
                node = add(in, parent, name);
                token = next(in);
                if (token == OPEN) {
                    node->children = apr_array_make(in->pool, 4, sizeof(any_node *));
                    problem = entries(in, node, in->token_line);
                }
                else if (token == BROKEN) return complaint(in, in->text, "");
                else if (token == QUOTED || token == REGEX || (token == WORD && *in->text != '/')) {
                    node->value = in->text;
                    node->regex = token == REGEX;
                }
                else return any_error(in->pool, node, "a value or a block is missing after /", name);
            }
        }
    }
    return problem;
}

static const char *read_into(apr_pool_t *pool, const char *path, any_node *parent, int depth)
{
    reader in = { pool, path, NULL, 1, depth, NULL, 1 };
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t length;
    apr_status_t status;
    char *text, message[120];

    status = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, pool);
    if (status == APR_SUCCESS) status = apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_TYPE, file);
    if (status == APR_SUCCESS && (info.filetype != APR_REG || info.size > MAX_FILE)) status = APR_EINVAL;
    if (status == APR_SUCCESS) {
        length = (apr_size_t)info.size;
        text = apr_pcalloc(pool, length + 1);
        if (length > 0) status = apr_file_read_full(file, text, length, NULL);
        apr_file_close(file);
    }
    if (status != APR_SUCCESS)
        return apr_psprintf(pool, "%s: cannot read it: %s", path, apr_strerror(status, message, sizeof message));
    in.at = text;
    return entries(&in, parent, 0);
}

const char *any_read(apr_pool_t *pool, const char *path, any_node **root)
{
    any_node *top = apr_pcalloc(pool, sizeof *top);
    top->children = apr_array_make(pool, 4, sizeof(any_node *));
    top->file = path;
    top->line = 1;
    *root = top;
    return read_into(pool, path, top, 0);
}

const any_node *any_child(const any_node *node, const char *name)
{
    int i;
    for (i = node && node->children ? node->children->nelts : 0; i-- > 0;) {
        const any_node *child = ((any_node **)node->children->elts)[i];
        if (child->name && !strcmp(child->name, name)) return child;
    }
    return NULL;
}

const char *any_value(const any_node *node, const char *name)
{
    const any_node *child = any_child(node, name);
    return child ? child->value : NULL;
}

const char *any_error(apr_pool_t *pool, const any_node *node, const char *message, const char *what)
{
    return apr_psprintf(pool, "%s:%d: %s%s", node->file, node->line, message, what);
}
