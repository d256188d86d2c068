/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the datapath channel: header, attributes, keys, flows, errors. */
#include "datapath/wire.h"

#include <errno.h>

#include "lib/base/error.h"
#include "lib/flow/fields.h"

_Static_assert(WIRE_MAX_BYTES <= 65535, "lengths fit two bytes");

static bool has_bit(const uint32_t bits[3], unsigned number)
{
    return bits[number / 32] & (UINT32_C(1) << number % 32);
}

/* ---- Writing ---- */

void wire_begin(struct buffer *b, enum wire_type type, uint32_t xid)
{
    buffer_clear(b);
    buffer_put_be16(b, type);
    buffer_put_be16(b, 0);
    buffer_put_be32(b, xid);
}

void wire_put(struct buffer *b, enum wire_attr number, const void *value, size_t n)
{
    buffer_put_be16(b, number);
    buffer_put_be16(b, n);
    buffer_put(b, value, n);
}

void wire_put_u8(struct buffer *b, enum wire_attr number, uint8_t x)
{
    wire_put(b, number, &x, 1);
}

void wire_put_u16(struct buffer *b, enum wire_attr number, uint16_t x)
{
    be16 wire = htobe16(x);
    wire_put(b, number, &wire, sizeof wire);
}

void wire_put_u32(struct buffer *b, enum wire_attr number, uint32_t x)
{
    be32 wire = htobe32(x);
    wire_put(b, number, &wire, sizeof wire);
}

void wire_put_u64(struct buffer *b, enum wire_attr number, uint64_t x)
{
    be64 wire = htobe64(x);
    wire_put(b, number, &wire, sizeof wire);
}

void wire_put_string(struct buffer *b, enum wire_attr number, const char *s)
{
    wire_put(b, number, s, MIN(strlen(s), wire_attr_rows[number].max));
}

size_t wire_open(struct buffer *b, enum wire_attr number)
{
    wire_put(b, number, NULL, 0);
    return b->len;
}

void wire_close(struct buffer *b, size_t opened)
{
    put_be16(b->data + opened - 2, b->len - opened);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) {
        any |= p[i];
    }
    return !any;
}

size_t wire_key_encode(const struct key *key, uint8_t *to, size_t room)
{
    size_t used = 0;
    uint32_t blocks = 0;
    for (unsigned block = 0; block < KEY_N_BLOCKS; block++) {
        uint64_t any = 0;
        for (unsigned i = 0; i < KEY_BLOCK_WORDS; i++) {
            any |= key->words[block][i];
        }
        blocks |= (uint32_t) !!any << block;
    }
    for (size_t i = 0; i < KEY_N_MEMBERS; i++) {
        const struct key_member *m = &key_members[i];
        const uint8_t *p = (const uint8_t *) key + m->ofs;
        if (!(blocks & UINT32_C(1) << m->ofs / KEY_BLOCK_BYTES) || is_zero(p, m->size)) {
            continue;
        }
        if (used + 2 + m->size > room) {
            return SIZE_MAX;
        }
        to[used] = m->number;
        to[used + 1] = m->size;
        memcpy(to + used + 2, p, m->size);
        used += 2 + m->size;
    }
    return used;
}

struct error *wire_key_decode(const void *p, size_t n, struct key *key)
{
    struct reader r = reader_of(p, n);
    unsigned last = 0;
    const struct key_member *m = key_members, *end = key_members + KEY_N_MEMBERS;
    memset(key, 0, sizeof *key);
    while (reader_left(&r)) {
        unsigned number = reader_u8(&r);
        unsigned size = reader_u8(&r);
        const void *value = reader_get(&r, size);
        if (!value) {
            return error_new(EINVAL, "key member %u: cut off", number);
        }
        if (number <= last) {
            return error_new(EINVAL, "key member %u: twice or out of order", number);
        }
        while (m < end && m->number < number) {      /* Both are in order. */
            m++;
        }
        if (m == end || m->number != number) {
            return error_new(EOPNOTSUPP, "key member %u is not known here", number);
        }
        if (size != m->size) {
            return error_new(EINVAL, "key member %s: %u bytes instead of %u", m->name, size, m->size);
        }
        last = number;
        memcpy((uint8_t *) key + m->ofs, value, size);
    }
    return NULL;
}

void wire_put_key(struct buffer *b, enum wire_attr number, const struct key *key)
{
    size_t opened = wire_open(b, number);
    size_t room = KEY_N_MEMBERS * 2 + sizeof *key;
    size_t n = wire_key_encode(key, buffer_put_uninit(b, room), room);
    b->len -= room - n;
    wire_close(b, opened);
}

void wire_put_flow(struct buffer *b, const struct dp_flow *flow)
{
    size_t opened = wire_open(b, ATTR_FLOW);
    wire_put_u64(b, ATTR_FLOW_ID, flow->id);
    wire_put_u64(b, ATTR_SEQ, flow->seq);
    wire_put_u32(b, ATTR_SLOT, flow->slot);
    wire_put_key(b, ATTR_KEY, &flow->key);
    wire_put_key(b, ATTR_MASK, &flow->mask.bits);
    wire_put_actions(b, &flow->actions);
    wire_put_u64(b, ATTR_PACKETS, flow->counters.packets);
    wire_put_u64(b, ATTR_BYTES, flow->counters.bytes);
    wire_put_u64(b, ATTR_USED, flow->counters.used_ms);
    wire_put_u16(b, ATTR_TCP_FLAGS, flow->counters.tcp_flags);
    wire_close(b, opened);
}

void wire_put_error(struct buffer *b, const struct error *e)
{
    wire_put_u32(b, ATTR_ERRNO, error_code(e));
    wire_put_string(b, ATTR_TEXT, error_text(e));
}

/* ---- Reading ---- */

struct error *wire_parse_attrs(const void *p, size_t n, struct wire_attrs *a)
{
    memset(a, 0, sizeof *a);
    a->start = p;
    a->end = a->start + n;
    struct reader r = reader_of(p, n);
    while (reader_left(&r)) {
        unsigned number = reader_be16(&r);
        unsigned length = reader_be16(&r);
        const uint8_t *value = reader_get(&r, length);
        if (!value) {
            return error_new(EINVAL, "attribute %u: cut off", number);
        }
        const struct wire_attr_row *row = number <= WIRE_ATTR_MAX ? &wire_attr_rows[number] : NULL;
        if (!row || !row->name) {
            return error_new(EOPNOTSUPP, "attribute %u is not known here", number);
        }
        if (length < row->min || length > row->max) {
            return error_new(EINVAL, "attribute %s: %u bytes, must be %u to %u", row->name, length, row->min,
                             row->max);
        }
        if (a->p[number]) {
            if (!row->many) {
                return error_new(EINVAL, "attribute %s: twice", row->name);
            }
            continue;
        }
        a->p[number] = value;
        a->n[number] = length;
    }
    return NULL;
}

struct error *wire_parse(const void *p, size_t n, bool from_control, struct wire_message *m)
{
    struct reader r = reader_of(p, n);
    unsigned type = reader_be16(&r);
    unsigned zero = reader_be16(&r);
    memset(m, 0, sizeof *m);
    m->xid = reader_be32(&r);
    if (r.bad || zero) {
        return error_new(EINVAL, "message: header is cut off or not ours");
    }
    const struct wire_message_row *row = type < ARRAY_SIZE(wire_message_rows) ? &wire_message_rows[type] : NULL;
    if (!row || !row->name) {
        return error_new(EOPNOTSUPP, "message type %u is not known here", type);
    }
    if (row->from_control != from_control) {
        return error_new(EINVAL, "message %s: comes from the wrong side", row->name);
    }
    m->type = type;
    struct error *e = wire_parse_attrs(r.p, reader_left(&r), &m->attrs);
    for (unsigned i = 1; !e && i <= WIRE_ATTR_MAX; i++) {
        if (has_bit(row->needs, i) && !m->attrs.p[i]) {
            e = error_new(EINVAL, "attribute %s is missing", wire_attr_rows[i].name);
        } else if (m->attrs.p[i] && !has_bit(row->takes, i)) {
            e = error_new(EINVAL, "attribute %s does not belong here", wire_attr_rows[i].name);
        }
    }
    return e ? error_wrap(e, "message %s", row->name) : NULL;
}

uint8_t wire_u8(const struct wire_attrs *a, enum wire_attr number)
{
    return a->p[number] ? a->p[number][0] : 0;
}

uint16_t wire_u16(const struct wire_attrs *a, enum wire_attr number)
{
    return a->p[number] ? get_be16(a->p[number]) : 0;
}

uint32_t wire_u32(const struct wire_attrs *a, enum wire_attr number)
{
    return a->p[number] ? get_be32(a->p[number]) : 0;
}

uint64_t wire_u64(const struct wire_attrs *a, enum wire_attr number)
{
    return a->p[number] ? get_be64(a->p[number]) : 0;
}

bool wire_string(const struct wire_attrs *a, enum wire_attr number, char *to, size_t size)
{
    size_t n = MIN((size_t) a->n[number], size - 1);
    if (n) {
        memcpy(to, a->p[number], n);
    }
    to[n] = '\0';
    return strlen(to) == a->n[number];
}

struct reader wire_all(const struct wire_attrs *a)
{
    return reader_of(a->start, a->end - a->start);
}

bool wire_next(struct reader *r, enum wire_attr number, const uint8_t **p, size_t *n)
{
    while (reader_left(r)) {
        unsigned found = reader_be16(r);
        *n = reader_be16(r);
        *p = reader_get(r, *n);
        if (*p && found == number) {
            return true;
        }
    }
    return false;
}

struct error *wire_get_key(const struct wire_attrs *a, enum wire_attr number, struct key *key)
{
    struct error *e = wire_key_decode(wire_reader(a, number).p, a->n[number], key);
    return e ? error_wrap(e, "%s", wire_attr_rows[number].name) : NULL;
}

struct error *wire_get_flow(const uint8_t *p, size_t n, struct dp_flow *flow)
{
    static const enum wire_attr needed[] = { ATTR_FLOW_ID, ATTR_SLOT, ATTR_SEQ, ATTR_KEY, ATTR_MASK,
                                             ATTR_ACTION_LIST };
    struct wire_attrs a;
    memset(flow, 0, sizeof *flow);
    action_list_init(&flow->actions);
    struct error *e = wire_parse_attrs(p, n, &a);
    if (e) {
        return e;
    }
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if (!wire_has(&a, needed[i])) {
            return error_new(EINVAL, "flow: attribute %s is missing", wire_attr_rows[needed[i]].name);
        }
    }
    flow->id = wire_u64(&a, ATTR_FLOW_ID);
    flow->seq = wire_u64(&a, ATTR_SEQ);
    flow->slot = wire_u32(&a, ATTR_SLOT);
    flow->counters.packets = wire_u64(&a, ATTR_PACKETS);
    flow->counters.bytes = wire_u64(&a, ATTR_BYTES);
    flow->counters.used_ms = wire_u64(&a, ATTR_USED);
    flow->counters.tcp_flags = wire_u16(&a, ATTR_TCP_FLAGS);
    e = wire_get_key(&a, ATTR_KEY, &flow->key);
    if (!e) {
        e = wire_get_key(&a, ATTR_MASK, &flow->mask.bits);
    }
    if (!e) {
        mask_seal(&flow->mask);
        e = wire_get_actions(&a, &flow->actions);
    }
    return e;
}

struct error *wire_get_error(const struct wire_attrs *a)
{
    if (!wire_has(a, ATTR_ERRNO)) {
        return NULL;
    }
    char text[1025];
    wire_string(a, ATTR_TEXT, text, sizeof text);
    uint32_t code = wire_u32(a, ATTR_ERRNO);
    return error_new(code && code < INT32_MAX ? (int) code : EINVAL, "%s", text[0] ? text : "the datapath refused");
}
