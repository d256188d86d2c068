/* SPDX-License-Identifier: Apache-2.0 */
/* Memory allocation that aborts when memory is exhausted. */
#include "lib/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static NORETURN void out_of_memory(size_t size)
{
    char line[96];
    int n = snprintf(line, sizeof line, "out of memory: an allocation of %zu bytes failed\n", size);
    ssize_t ignored UNUSED = write(STDERR_FILENO, line, n);
    abort();
}

static size_t product(size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) {
        out_of_memory(SIZE_MAX);
    }
    return total;
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (UNLIKELY(!p)) {
        out_of_memory(size);
    }
    return p;
}

void *xzalloc(size_t size)
{
    return xcalloc(1, size);
}

void *xcalloc(size_t n, size_t size)
{
    size_t total = product(n, size);
    void *p = calloc(1, total ? total : 1);
    if (UNLIKELY(!p)) {
        out_of_memory(total);
    }
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (UNLIKELY(!p)) {
        out_of_memory(size);
    }
    return p;
}

void *xgrow(void *p, size_t *allocated, size_t size)
{
    size_t n = *allocated ? product(*allocated, 2) : 4;
    p = xrealloc(p, product(n, size));
    *allocated = n;
    return p;
}

void *xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);
    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *xstrdup_or_null(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

char *xstrndup(const char *s, size_t max)
{
    size_t n = strnlen(s, max);
    char *copy = xmalloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *s = xvasprintf(format, args);
    va_end(args);
    return s;
}

char *xvasprintf(const char *format, va_list args)
{
    char *s;
    if (UNLIKELY(vasprintf(&s, format, args) < 0)) {
        out_of_memory(0);
    }
    return s;
}

void *xzalloc_aligned(size_t size)
{
    size_t rounded = ROUND_UP(size ? size : 1, (size_t) CACHE_LINE);
    void *p = rounded >= size ? aligned_alloc(CACHE_LINE, rounded) : NULL;
    if (UNLIKELY(!p)) {
        out_of_memory(size);
    }
    return memset(p, 0, rounded);
}
