/* SPDX-License-Identifier: Apache-2.0 */
/* The learn action from text. */
#include <errno.h>

#include "lib/base/error.h"
#include "lib/openflow/flow_text.h"
#include "lib/openflow/ofact_text.h"

static void put_learn_spec(struct ofact_parser *p, const struct ofact_learn_spec *spec)
{
    ofact_learn_spec_assign(buffer_put_uninit(p->out, sizeof *spec), spec);
}

static struct error *learn_output(struct ofact_parser *p, const char *arg)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_OUTPUT };
    struct error *error = subfield_parse(arg, &spec.src);
    if (!error) {
        spec.n_bits = spec.src.n_bits;
        put_learn_spec(p, &spec);
    }
    return error;
}

static struct error *learn_load(struct ofact_parser *p, char *arg)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_LOAD };
    char *dst;
    struct error *error = ofact_cut_arrow("learn", arg, &dst);
    error = error ? error : subfield_parse(dst, &spec.dst);
    error = error ? error : ofact_check_writable("learn", spec.dst.field);
    if (error) {
        return error;
    }
    spec.n_bits = spec.dst.n_bits;
    if (ofact_parse_wide(arg, spec.value.b)) {
        spec.src_kind = LEARN_SRC_VALUE;
        if (!ofact_fits_bits(spec.value.b, spec.n_bits)) {
            return error_new(EINVAL, "action learn: %s has more than the %u bits of %s", arg, spec.n_bits, dst);
        }
    } else {
        error = subfield_parse(arg, &spec.src);
        if (!error && spec.src.n_bits != spec.dst.n_bits) {
            error = error_new(EINVAL, "action learn: %s and %s differ in width", arg, dst);
        }
    }
    if (!error) {
        put_learn_spec(p, &spec);
    }
    return error;
}

static struct error *learn_match(struct ofact_parser *p, const char *name, const char *value)
{
    struct ofact_learn_spec spec = { .dst_kind = LEARN_DST_MATCH };
    struct error *error = subfield_parse(name, &spec.dst);
    if (error) {
        return error;
    }
    spec.n_bits = spec.dst.n_bits;
    struct subfield src;
    struct error *no_field = *value ? subfield_parse(value, &src) : NULL;
    if (!*value) {
        spec.src = spec.dst;
    } else if (!no_field) {
        spec.src = src;
        if (src.n_bits != spec.n_bits) {
            return error_new(EINVAL, "action learn: %s and %s differ in width", name, value);
        }
    } else {
        const struct field *f = spec.dst.field;
        union field_value v, mask;
        spec.src_kind = LEARN_SRC_VALUE;
        memset(&v, 0, sizeof v);
        memset(&mask, 0, sizeof mask);
        error_free(no_field);
        if (ofact_parse_wide(value, spec.value.b)) {
            if (!ofact_fits_bits(spec.value.b, spec.n_bits)) {
                return error_new(EINVAL, "action learn: %s has more than the %u bits of %s", value, spec.n_bits, name);
            }
        } else {
            error = field_parse(f, value, p->names, &v, &mask);
            if (!error && (spec.n_bits != f->n_bits || !ofact_mask_is_whole(f, &mask))) {
                error = ofact_text_bad("learn", value, "a number or a field");
            }
            memcpy(spec.value.b + 16 - f->n_bytes, v.b, f->n_bytes);
        }
    }
    if (!error) {
        put_learn_spec(p, &spec);
    }
    return error;
}

struct error *ofact_parse_learn(struct ofact_parser *p, char *arg)
{
    size_t begin = p->out->len;
    struct ofact_learn l = { .priority = 32768, .table = 1 };
    ofact_put(p->out, OFACT_LEARN, sizeof l);
    unsigned n = 0;
    char *name, *value, form;
    struct error *error = NULL;
    while (!error && flow_text_next(&arg, &name, &value, &form)) {
        static const struct { const char *name; uint16_t max; } numbers[] = {
            { "table", 254 }, { "priority", 65535 }, { "idle_timeout", 65535 }, { "hard_timeout", 65535 },
        };
        uint16_t *const targets[] = { NULL, &l.priority, &l.idle_timeout, &l.hard_timeout };
        uint64_t x;
        size_t i;
        for (i = 0; i < ARRAY_SIZE(numbers) && strcmp(name, numbers[i].name); i++) {
        }
        if (i < ARRAY_SIZE(numbers)) {
            error = ofact_parse_number("learn", value, numbers[i].max, &x);
            if (!error && !i) {
                l.table = x;
            } else if (!error) {
                *targets[i] = x;
            }
        } else if (!strcmp(name, "cookie")) {
            error = ofact_parse_number("learn", value, UINT64_MAX, &l.cookie);
        } else if (!strcmp(name, "send_flow_rem")) {
            l.flags |= LEARN_SEND_FLOW_REM;
        } else if (!strcmp(name, "delete_learned") || !strcmp(name, "fin_idle_timeout")
                   || !strcmp(name, "fin_hard_timeout") || !strcmp(name, "limit") || !strcmp(name, "result_dst")) {
            error = error_new(ENOTSUP, "action learn: \"%s\" is not supported", name);
        } else {
            error = !strcmp(name, "load") ? learn_load(p, value) : !strcmp(name, "output") ? learn_output(p, value)
                    : learn_match(p, name, value);
            n++;
        }
        if (!error && p->out->len - begin > OFACT_MAX_LIST) {
            error = error_new(EINVAL, "action learn: too many specifications");
        }
    }
    if (!error) {
        ofact_finish(p->out, begin);
        struct ofact_learn *o = (struct ofact_learn *) (p->out->data + begin);
        l.a = o->a;
        l.n_specs = n;
        memcpy(o, &l, sizeof l);
    }
    return error ? error_wrap(error, "action learn") : NULL;
}
