/* SPDX-License-Identifier: Apache-2.0 */
/* A growing array of bytes, for building messages. Reading foreign bytes is done with 'struct
 * reader'. */
#ifndef LIB_BASE_BUFFER_H
#define LIB_BASE_BUFFER_H

#include "lib/base/types.h"

struct buffer {
    uint8_t *data;
    size_t len;
    size_t allocated;
};

#define BUFFER_INIT { NULL, 0, 0 }

void buffer_init(struct buffer *);
void buffer_fini(struct buffer *);
void buffer_clear(struct buffer *);
/* Appends 'n' uninitialised (put_zeros: zero) bytes and returns where they begin, which is valid
 * until the next append. */
void *buffer_put_uninit(struct buffer *, size_t n);
void *buffer_put_zeros(struct buffer *, size_t n);
void buffer_put(struct buffer *, const void *p, size_t n);
void buffer_put_u8(struct buffer *, uint8_t);
void buffer_put_be16(struct buffer *, uint16_t host);
void buffer_put_be32(struct buffer *, uint32_t host);
void buffer_put_be64(struct buffer *, uint64_t host);
/* Zeros up to a multiple of 'align' bytes, counted from offset 'start'. */
void buffer_pad(struct buffer *, size_t start, size_t align);
/* Removes the first 'n' bytes (moves the rest). */
void buffer_pull(struct buffer *, size_t n);
/* Gives the bytes to the caller, who frees them; the buffer is empty then. */
uint8_t *buffer_steal(struct buffer *, size_t *len);

/* A cursor over foreign bytes. A read past the end sets 'bad', yields zeros, and stays at the
 * end, so a parser may read several fields and look at 'bad' once. */
struct reader {
    const uint8_t *p;
    const uint8_t *end;
    bool bad;
};

static inline struct reader reader_of(const void *p, size_t n)
{
    return (struct reader) { p, (const uint8_t *) p + n, false };
}

static inline size_t reader_left(const struct reader *r) { return r->end - r->p; }
/* 'n' bytes, or NULL and 'bad'. */
const void *reader_get(struct reader *, size_t n);
uint8_t reader_u8(struct reader *);
uint16_t reader_be16(struct reader *);
uint32_t reader_be32(struct reader *);
uint64_t reader_be64(struct reader *);
void reader_skip(struct reader *, size_t n);
/* A reader of the next 'n' bytes, which are skipped here. */
struct reader reader_sub(struct reader *, size_t n);

#endif
