/* SPDX-License-Identifier: Apache-2.0 */
/* The message protocol between control plane and datapath (MECHANISMS 4): what goes over the channel.
 *
 * What: a message is a header (type, two zero bytes, request number) and attributes: a number of two bytes, a length of
 * two bytes, the value. Numbers are rows of spec/datapath.toml; keys, masks and actions are lists of numbered members. All
 * integers are big-endian. Whatever is unknown, missing, twice or of a wrong length is refused, with an error that names it.
 *
 * Use:   wire_begin(&b, WIRE_PORT_DEL, xid);
 *        wire_put_u32(&b, ATTR_PORT_NO, 3);
 *
 * Memory: parsed messages point into the bytes that they were parsed from. */
#ifndef DATAPATH_WIRE_H
#define DATAPATH_WIRE_H

#include "datapath/client.h"
#include "lib/base/buffer.h"
#include "spec/datapath.h"

enum { WIRE_HEADER_BYTES = 8, WIRE_MAX_BYTES = 32768, WIRE_ROOM = 31500, WIRE_MAX_FRAME = 65536 + 128,
       WIRE_PIECE = 30000, WIRE_MAX_CLONES = 16 };

/* ---- Writing ---- */
void wire_begin(struct buffer *, enum wire_type, uint32_t xid);   /* Empties the buffer first. */
void wire_put(struct buffer *, enum wire_attr, const void *value, size_t n);
void wire_put_u8(struct buffer *, enum wire_attr, uint8_t);
void wire_put_u16(struct buffer *, enum wire_attr, uint16_t);
void wire_put_u32(struct buffer *, enum wire_attr, uint32_t);
void wire_put_u64(struct buffer *, enum wire_attr, uint64_t);
void wire_put_string(struct buffer *, enum wire_attr, const char *);   /* Without its NUL byte. */
/* An attribute that holds what is put until wire_close(), which gets what this returned. */
size_t wire_open(struct buffer *, enum wire_attr);
void wire_close(struct buffer *, size_t opened);
void wire_put_key(struct buffer *, enum wire_attr, const struct key *);
void wire_put_actions(struct buffer *, const struct action_list *);
void wire_put_flow(struct buffer *, const struct dp_flow *);           /* As an ATTR_FLOW. */
void wire_put_port(struct buffer *, const struct dp_port_config *, const struct dp_port_state *);   /* State may be NULL. */
void wire_put_error(struct buffer *, const struct error *);            /* ATTR_ERRNO and ATTR_TEXT. */
void wire_put_stats(struct buffer *, const struct dp_stats *);
void wire_put_port_stats(struct buffer *, const struct dp_port_stats *);
void wire_put_upcall_stats(struct buffer *, const struct dp_upcall_stats *);

/* The members of a key that are not zero into 'room' bytes. Returns how many bytes, SIZE_MAX if they do not fit. */
size_t wire_key_encode(const struct key *, uint8_t *to, size_t room);
struct error *wire_key_decode(const void *p, size_t n, struct key *);

/* ---- Reading ---- */
struct wire_attrs {
    const uint8_t *start, *end;
    const uint8_t *p[WIRE_ATTR_MAX + 1];   /* Of the first of its number; NULL: absent. */
    uint16_t n[WIRE_ATTR_MAX + 1];
};
struct wire_message {
    enum wire_type type;
    uint32_t xid;
    struct wire_attrs attrs;
};

/* 'from_control' says which half of the protocol is expected. */
struct error *wire_parse(const void *p, size_t n, bool from_control, struct wire_message *);
struct error *wire_parse_attrs(const void *p, size_t n, struct wire_attrs *);
static inline bool wire_has(const struct wire_attrs *a, enum wire_attr number) { return a->p[number]; }
/* Over its value; empty if it is absent. */
static inline struct reader wire_reader(const struct wire_attrs *a, enum wire_attr number)
{
    return reader_of(a->p[number] ? a->p[number] : (const uint8_t *) "", a->n[number]);
}
/* Zero if it is absent. */
uint8_t wire_u8(const struct wire_attrs *, enum wire_attr);
uint16_t wire_u16(const struct wire_attrs *, enum wire_attr);
uint32_t wire_u32(const struct wire_attrs *, enum wire_attr);
uint64_t wire_u64(const struct wire_attrs *, enum wire_attr);
/* Cut to fit, terminated; NUL bytes inside are refused by false. */
bool wire_string(const struct wire_attrs *, enum wire_attr, char *to, size_t size);
/* For attributes that may be there many times: the next one of that number; 'r' begins as wire_all(). */
struct reader wire_all(const struct wire_attrs *);
bool wire_next(struct reader *r, enum wire_attr, const uint8_t **p, size_t *n);

struct error *wire_get_key(const struct wire_attrs *, enum wire_attr, struct key *);
/* 'actions' is initialised; what it holds after an error is to be freed all the same. */
struct error *wire_get_actions(const struct wire_attrs *, struct action_list *actions);
/* 'flow' is initialised by this, its actions are the caller's. */
struct error *wire_get_flow(const uint8_t *p, size_t n, struct dp_flow *flow);
/* 'config' is initialised by this; 'state' may be NULL. */
struct error *wire_get_port(const uint8_t *p, size_t n, struct dp_port_config *config, struct dp_port_state *state);
struct error *wire_get_error(const struct wire_attrs *);               /* NULL if there is none. */
struct error *wire_get_stats(const struct wire_attrs *, struct dp_stats *);
struct error *wire_get_port_stats(const struct wire_attrs *, struct dp_port_stats *);
struct error *wire_get_upcall_stats(const struct wire_attrs *, struct dp_upcall_stats *);

#endif
