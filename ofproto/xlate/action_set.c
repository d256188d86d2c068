/* SPDX-License-Identifier: Apache-2.0 */
/* The action set (OpenFlow 1.5.1 section 5.6): written along the way, run at the end, in an order of its own. */
#include "ofproto/xlate/state.h"

#include <stdlib.h>

enum { PLACE_SET = 8, PLACE_GROUP = 10, PLACE_OUTPUT = 11 };

static void note_output(struct xlate_state *);
static bool replaces(const struct ofact *new, const struct ofact *old);

void xl_action_set_add(struct xlate_state *s, const struct ofact_list *list)
{
    const struct ofact *a;
    OFACT_FOR_EACH (a, list) {
        /* What is written again takes the place of what was written first. */
        for (size_t at = 0; at < s->action_set.len; ) {
            struct ofact *old = (struct ofact *) (s->action_set.data + at);
            size_t len = old->len;
            if (replaces(a, old)) {
                memmove(old, (char *) old + len, s->action_set.len - at - len);
                s->action_set.len -= len;
            } else {
                at += len;
            }
        }
        if (s->action_set.len + a->len > MAX_ACTION_SET) {
            xl_note(s, " >> the action set is too long");
            xl_fail(s, DROP_TOO_MANY_ACTIONS);
            return;
        }
        buffer_put(&s->action_set, a, a->len);
    }
    note_output(s);
}

void xl_action_set_clear(struct xlate_state *s)
{
    buffer_clear(&s->action_set);
    s->now.f.actset_output = OFPP_UNSET;
}

void xl_action_set_run(struct xlate_state *s)
{
    if (!s->action_set.len || s->exit) {
        return;
    }
    /* What runs must not be written to meanwhile. */
    struct buffer set = s->action_set;
    buffer_init(&s->action_set);
    struct ofact_list list = ofact_list_of(&set);
    s->in_action_set = true;
    if (s->in->trace) {
        trace_table(s->in->trace, s->note_depth, "--. Executing action set:");
    }
    s->note_depth++;
    bool has_group = false;
    const struct ofact *a;
    OFACT_FOR_EACH (a, &list) {
        has_group |= a->type == OFACT_GROUP;
    }
    for (int place = 1; place <= (has_group ? PLACE_GROUP : PLACE_OUTPUT); place++) {
        OFACT_FOR_EACH (a, &list) {
            if (ofact_rows[a->type].place == place) {
                struct ofact_list one = { (struct ofact *) a, a->len };
                xl_perform(s, &one);
            }
        }
    }
    s->note_depth--;
    s->in_action_set = false;
    buffer_fini(&set);
}

/* The field that tells where the set will send the packet. */
static void note_output(struct xlate_state *s)
{
    struct ofact_list list = ofact_list_of(&s->action_set);
    const struct ofact *a;
    s->now.f.actset_output = OFPP_UNSET;
    OFACT_FOR_EACH (a, &list) {
        if (a->type == OFACT_GROUP) {
            s->now.f.actset_output = OFPP_UNSET;
            return;
        }
        if (a->type == OFACT_OUTPUT) {
            s->now.f.actset_output = ((const struct ofact_output *) a)->port;
        }
    }
}

/* There is one action of each kind, and one set_field of each field. Partial sets of a field, and moves, add up. */
static bool replaces(const struct ofact *new, const struct ofact *old)
{
    if (new->type != old->type || new->type == OFACT_MOVE) {
        return false;
    }
    if (new->type == OFACT_SET_FIELD) {
        const struct ofact_set_field *a = (const struct ofact_set_field *) new, *b = (const struct ofact_set_field *) old;
        return a->field == b->field && !a->masked;
    }
    return true;
}
