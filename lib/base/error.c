/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the control path: a code and a text. */
#include "lib/base/error.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

struct error {
    int code;
    char *text;
};

static struct error *make(int code, char *text)
{
    struct error *e = xmalloc(sizeof *e);
    e->code = code;
    e->text = text;
    return e;
}

struct error *error_new(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct error *e = make(code, xvasprintf(format, args));
    va_end(args);
    return e;
}

struct error *error_wrap(struct error *cause, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *front = xvasprintf(format, args);
    va_end(args);
    char *text = xasprintf("%s: %s", front, cause->text);
    free(front);
    free(cause->text);
    cause->text = text;
    return cause;
}

struct error *error_errno(int errno_value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *front = xvasprintf(format, args);
    va_end(args);
    char space[128];
    struct error *e = make(errno_value, xasprintf("%s: %s", front,
                                                  strerror_r(errno_value, space, sizeof space)));
    free(front);
    return e;
}

int error_code(const struct error *e)
{
    return e ? e->code : 0;
}

const char *error_text(const struct error *e)
{
    return e ? e->text : "no error";
}

void error_free(struct error *e)
{
    if (e) {
        free(e->text);
        free(e);
    }
}

void error_keep_first(struct error **first, struct error *e)
{
    if (*first) {
        error_free(e);
    } else {
        *first = e;
    }
}
