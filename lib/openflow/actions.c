/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions in our own form: building, comparing, looking for outputs and groups. */
#include "lib/openflow/actions.h"

#include "lib/packet/headers.h"

const char *ofact_name(enum ofact_type type)
{
    return (unsigned) type < OFACT_N ? ofact_rows[type].name : "unknown";
}

void *ofact_put(struct buffer *b, enum ofact_type type, size_t size)
{
    size = ROUND_UP(size, 8);
    struct ofact *a = buffer_put_zeros(b, size);
    a->type = type;
    a->len = size;
    return a;
}

void ofact_finish(struct buffer *b, size_t begin)
{
    buffer_pad(b, begin, 8);
    ((struct ofact *) (b->data + begin))->len = b->len - begin;
}

bool ofact_list_equal(const struct ofact_list *a, const struct ofact_list *b)
{
    if (a->len != b->len) {
        return false;
    }
    const struct ofact *x, *y = b->first;
    /* 'raw' is about text and does not make a difference. */
    OFACT_FOR_EACH (x, a) {
        if (x->type != y->type || x->len != y->len) {
            return false;
        }
        if (x->type == OFACT_WRITE_ACTIONS || x->type == OFACT_CLONE) {
            struct ofact_list p = ofact_nested_list(x), q = ofact_nested_list(y);
            if (!ofact_list_equal(&p, &q)) {
                return false;
            }
        } else if (memcmp(x + 1, y + 1, x->len - sizeof *x)) {
            return false;
        }
        y = (const struct ofact *) ((const char *) y + y->len);
    }
    return true;
}

void ofacts_adapt(struct ofact_list *list, const struct match *m)
{
    struct ofact *a;
    bool has_tag = m->value.key.l2.vlan[0].tci & htobe16(VLAN_CFI);
    OFACT_FOR_EACH (a, list) {
        switch (a->type) {
        case OFACT_PUSH_VLAN:
            has_tag = true;
            break;
        case OFACT_POP_VLAN:
            has_tag = false;
            break;
        case OFACT_SET_VLAN_VID:
        case OFACT_SET_VLAN_PCP: {
            struct ofact_vlan *v = (struct ofact_vlan *) a;
            v->has_tag = has_tag;
            has_tag = has_tag || v->push;
            break;
        }
        case OFACT_SET_L4_SRC:
        case OFACT_SET_L4_DST:
            ((struct ofact_l4_port *) a)->proto = m->value.key.l3.proto;
            break;
        case OFACT_WRITE_ACTIONS:
        case OFACT_CLONE: {
            struct ofact_list nested = ofact_nested_list(a);
            ofacts_adapt(&nested, m);
            break;
        }
        default:
            break;
        }
    }
}

bool ofacts_output_to(const struct ofact_list *list, ofp_port port)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        switch (a->type) {
        case OFACT_OUTPUT:
            if (((const struct ofact_output *) a)->port == port) {
                return true;
            }
            break;
        case OFACT_ENQUEUE:
            if (((const struct ofact_enqueue *) a)->port == port) {
                return true;
            }
            break;
        case OFACT_OUTPUT_TRUNC:
            if (((const struct ofact_output_trunc *) a)->port == port) {
                return true;
            }
            break;
        case OFACT_CONTROLLER:
            if (port == OFPP_CONTROLLER) {
                return true;
            }
            break;
        case OFACT_WRITE_ACTIONS:
        case OFACT_CLONE: {
            struct ofact_list nested = ofact_nested_list(a);
            if (ofacts_output_to(&nested, port)) {
                return true;
            }
            break;
        }
        default:
            break;
        }
    }
    return false;
}

bool ofacts_use_group(const struct ofact_list *list, uint32_t group)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        if (a->type == OFACT_GROUP && ((const struct ofact_group *) a)->group_id == group) {
            return true;
        }
        if (a->type == OFACT_WRITE_ACTIONS || a->type == OFACT_CLONE) {
            struct ofact_list nested = ofact_nested_list(a);
            if (ofacts_use_group(&nested, group)) {
                return true;
            }
        }
    }
    return false;
}
