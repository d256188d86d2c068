/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string. */
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"

static void make_room(struct text *, size_t n);

void text_init(struct text *t)
{
    *t = (struct text) TEXT_INIT;
}

void text_fini(struct text *t)
{
    free(t->s);
    text_init(t);
}

void text_clear(struct text *t)
{
    text_truncate(t, 0);
}

const char *text_str(const struct text *t)
{
    return t->s ? t->s : "";
}

char *text_steal(struct text *t)
{
    char *s = t->s ? t->s : xstrdup("");
    text_init(t);
    return s;
}

void text_put(struct text *t, const char *s)
{
    text_put_n(t, s, strlen(s));
}

void text_put_n(struct text *t, const void *s, size_t n)
{
    make_room(t, n);
    if (n) {
        memcpy(t->s + t->len, s, n);
    }
    t->len += n;
    t->s[t->len] = '\0';
}

void text_put_char(struct text *t, char c)
{
    text_put_n(t, &c, 1);
}

void text_printf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vprintf(t, format, args);
    va_end(args);
}

void text_vprintf(struct text *t, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = t->s ? t->allocated - t->len : 0;
    int n = vsnprintf(t->s ? t->s + t->len : NULL, room, format, args);
    if (n >= 0 && (size_t) n >= room) {
        make_room(t, n);
        vsnprintf(t->s + t->len, (size_t) n + 1, format, again);
    }
    va_end(again);
    if (n > 0) {
        t->len += n;
    }
}

void text_put_hex(struct text *t, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    make_room(t, n <= SIZE_MAX / 2 ? n * 2 : SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        t->s[t->len++] = digits[p[i] >> 4];
        t->s[t->len++] = digits[p[i] & 15];
    }
    t->s[t->len] = '\0';
}

void text_put_hex_dump(struct text *t, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t start = 0; start < n; start += 16) {
        text_printf(t, "%08zx ", start);
        for (size_t i = start; i < start + 16; i++) {
            const char *gap = i == start + 8 ? "-" : " ";
            if (i < n) {
                text_printf(t, "%s%02x", gap, p[i]);
            } else {
                text_put(t, "   ");
            }
        }
        text_put(t, "  |");
        for (size_t i = start; i < MIN(start + 16, n); i++) {
            text_put_char(t, p[i] >= 32 && p[i] < 127 ? (char) p[i] : '.');
        }
        text_put(t, "|\n");
    }
}

void text_truncate(struct text *t, size_t len)
{
    if (t->s && len <= t->len) {
        t->len = len;
        t->s[len] = '\0';
    }
}

void text_chomp(struct text *t, char c)
{
    if (t->len && t->s[t->len - 1] == c) {
        text_truncate(t, t->len - 1);
    }
}

bool text_ends_with(const struct text *t, const char *suffix)
{
    size_t n = strlen(suffix);
    return n <= t->len && !memcmp(text_str(t) + t->len - n, suffix, n);
}

/* Room for 'n' more characters and the NUL. */
static void make_room(struct text *t, size_t n)
{
    size_t need;
    if (__builtin_add_overflow(t->len, n, &need) || need == SIZE_MAX) {
        need = SIZE_MAX - 1;   /* The allocation fails and says so. */
    }
    if (!t->s || need >= t->allocated) {
        size_t twice = t->allocated <= SIZE_MAX / 2 ? t->allocated * 2 : need + 1;
        t->allocated = MAX(MAX(need + 1, twice), (size_t) 32);
        bool fresh = !t->s;
        t->s = xrealloc(t->s, t->allocated);
        if (fresh) {
            t->s[0] = '\0';
        }
    }
}
