/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of bytes, and a bounds-checked cursor over foreign bytes. */
#include "lib/base/buffer.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

static void make_room(struct buffer *, size_t n);

void buffer_init(struct buffer *b)
{
    *b = (struct buffer) BUFFER_INIT;
}

void buffer_fini(struct buffer *b)
{
    free(b->data);
    buffer_init(b);
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
}

void *buffer_put_uninit(struct buffer *b, size_t n)
{
    make_room(b, n);
    void *p = b->data + b->len;
    b->len += n;
    return p;
}

void *buffer_put_zeros(struct buffer *b, size_t n)
{
    return memset(buffer_put_uninit(b, n), 0, n);
}

void buffer_put(struct buffer *b, const void *p, size_t n)
{
    if (n) {
        memcpy(buffer_put_uninit(b, n), p, n);
    }
}

void buffer_put_u8(struct buffer *b, uint8_t x)
{
    *(uint8_t *) buffer_put_uninit(b, 1) = x;
}

void buffer_put_be16(struct buffer *b, uint16_t host)
{
    put_be16(buffer_put_uninit(b, 2), host);
}

void buffer_put_be32(struct buffer *b, uint32_t host)
{
    put_be32(buffer_put_uninit(b, 4), host);
}

void buffer_put_be64(struct buffer *b, uint64_t host)
{
    put_be64(buffer_put_uninit(b, 8), host);
}

void buffer_pad(struct buffer *b, size_t start, size_t align)
{
    size_t over = (b->len - start) % align;
    if (over) {
        buffer_put_zeros(b, align - over);
    }
}

void buffer_pull(struct buffer *b, size_t n)
{
    n = MIN(n, b->len);
    if (n) {
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
    }
}

uint8_t *buffer_steal(struct buffer *b, size_t *len)
{
    uint8_t *data = b->data;
    *len = b->len;
    buffer_init(b);
    return data;
}

const void *reader_get(struct reader *r, size_t n)
{
    if (UNLIKELY(n > reader_left(r))) {
        r->bad = true;
        r->p = r->end;
        return NULL;
    }
    const void *p = r->p;
    r->p += n;
    return p;
}

uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_get(r, 1);
    return p ? *p : 0;
}

uint16_t reader_be16(struct reader *r)
{
    const void *p = reader_get(r, 2);
    return p ? get_be16(p) : 0;
}

uint32_t reader_be32(struct reader *r)
{
    const void *p = reader_get(r, 4);
    return p ? get_be32(p) : 0;
}

uint64_t reader_be64(struct reader *r)
{
    const void *p = reader_get(r, 8);
    return p ? get_be64(p) : 0;
}

void reader_skip(struct reader *r, size_t n)
{
    reader_get(r, n);
}

struct reader reader_sub(struct reader *r, size_t n)
{
    const uint8_t *p = reader_get(r, n);
    return p ? reader_of(p, n) : (struct reader) { r->end, r->end, true };
}

static void make_room(struct buffer *b, size_t n)
{
    size_t need;
    if (__builtin_add_overflow(b->len, n, &need)) {
        need = SIZE_MAX;   /* The allocation fails and says so. */
    }
    if (need > b->allocated || !b->data) {
        size_t twice = b->allocated <= SIZE_MAX / 2 ? b->allocated * 2 : need;
        b->allocated = MAX(MAX(need, twice), (size_t) 64);
        b->data = xrealloc(b->data, b->allocated);
    }
}
