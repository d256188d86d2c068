/* SPDX-License-Identifier: Apache-2.0 */
/* The learn action from the wire. */
#include "lib/base/error.h"
#include "lib/openflow/ofact_text.h"
#include "lib/openflow/wire.h"

static struct error *bad_argument(const char *what, const char *why)
{
    return error_new(OFPERR_OFPBAC_BAD_ARGUMENT, "action %s: %s", what, why);
}

enum { LEARN_N_BITS = 0x3ff, LEARN_IMMEDIATE = 1 << 13, LEARN_DST_SHIFT = 11, LEARN_RESERVED = 0xc400 };

static struct error *decode_learn_subfield(struct reader *r, unsigned n_bits, bool write, struct subfield *s)
{
    struct error *error = nxm_pull_header(r, &s->field, NULL, NULL);
    if (error) {
        return error;
    }
    s->ofs = reader_be16(r);
    s->n_bits = n_bits;
    if (r->bad) {
        return error_new(OFPERR_OFPBAC_BAD_LEN, "action learn: cut short");
    }
    return nxm_check_subfield(s, write);
}

static struct error *decode_learn_spec(struct reader *r, unsigned header, struct ofact_learn_spec *spec)
{
    unsigned n_bits = header & LEARN_N_BITS, dst_kind = header >> LEARN_DST_SHIFT & 3;
    struct error *error = NULL;
    memset(spec, 0, sizeof *spec);
    if (header & LEARN_RESERVED || dst_kind == 3 || !n_bits) {
        return bad_argument("learn", "a specification of unknown form");
    }
    spec->n_bits = n_bits;
    spec->src_kind = header & LEARN_IMMEDIATE ? LEARN_SRC_VALUE : LEARN_SRC_FIELD;
    spec->dst_kind = dst_kind;
    if (spec->src_kind == LEARN_SRC_VALUE) {
        unsigned n_bytes = 2 * DIV_ROUND_UP(n_bits, 16);
        if (n_bytes > 16 || dst_kind == LEARN_DST_OUTPUT) {
            return bad_argument("learn", "a value that is too wide, or an output to one");
        }
        const uint8_t *value = reader_get(r, n_bytes);
        if (!value) {
            return error_new(OFPERR_OFPBAC_BAD_LEN, "action learn: cut short");
        }
        memcpy(spec->value.b + 16 - n_bytes, value, n_bytes);
        for (unsigned bit = n_bits; bit < 128; bit++) {
            spec->value.b[15 - bit / 8] &= ~(1 << bit % 8);
        }
    } else {
        error = decode_learn_subfield(r, n_bits, false, &spec->src);
    }
    if (!error && dst_kind != LEARN_DST_OUTPUT) {
        error = decode_learn_subfield(r, n_bits, dst_kind == LEARN_DST_LOAD, &spec->dst);
    }
    return error;
}

struct error *ofact_decode_learn(struct reader *r, struct buffer *out)
{
    size_t begin = out->len;
    struct ofact_learn *l = ofact_put(out, OFACT_LEARN, sizeof *l);
    l->idle_timeout = reader_be16(r);
    l->hard_timeout = reader_be16(r);
    l->priority = reader_be16(r);
    l->cookie = reader_be64(r);
    l->flags = reader_be16(r);
    l->table = reader_u8(r);
    uint8_t pad = reader_u8(r);
    l->fin_idle_timeout = reader_be16(r);
    l->fin_hard_timeout = reader_be16(r);
    if (pad || l->table == 0xff || l->flags & ~(LEARN_SEND_FLOW_REM | LEARN_DELETE_LEARNED)) {
        return bad_argument("learn", "table 255, unknown flags or padding that is not zero");
    }
    if (l->fin_idle_timeout || l->fin_hard_timeout || l->flags & LEARN_DELETE_LEARNED) {
        return bad_argument("learn", "fin_idle_timeout, fin_hard_timeout and delete_learned are not supported");
    }
    unsigned n = 0;
    while (reader_left(r) >= 2) {
        unsigned header = reader_be16(r);
        struct ofact_learn_spec spec;
        if (!header) {
            break;
        }
        struct error *error = decode_learn_spec(r, header, &spec);
        if (error) {
            return error;
        }
        if (out->len - begin > OFACT_MAX_LIST - sizeof spec) {
            return error_new(OFPERR_OFPBAC_TOO_MANY, "action learn: too many specifications");
        }
        ofact_learn_spec_assign(buffer_put_uninit(out, sizeof spec), &spec);
        n++;
    }
    struct error *error = ofact_must_be_zero(r, reader_left(r), "learn");
    ofact_finish(out, begin);
    ((struct ofact_learn *) (out->data + begin))->n_specs = n;
    return error;
}
