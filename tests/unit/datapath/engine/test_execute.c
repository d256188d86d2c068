/* SPDX-License-Identifier: Apache-2.0 */
/* Action lists as rows: a sentence, the list, and what leaves where. */
#include <stdio.h>
#include <stdlib.h>

#include "datapath/action/execute.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/packet/headers.h"
#include "tests/unit/datapath/engine/engine_tests.h"

/* A sink that writes down what it is given. */
struct notes {
    struct action_sink sink;
    struct text text;
    uint32_t n_out, n_dropped;
};

static void put_packet(struct notes *n, const char *what, uint32_t where, const struct packet *p)
{
    text_printf(&n->text, "%s%u:", what, where);
    for (uint32_t ofs = 12; ofs + 4 <= p->head_len; ofs += 4) {
        uint16_t type = get_be16(p->data + ofs);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_SVLAN) {
            break;
        }
        text_printf(&n->text, "%s%u,", type == ETH_TYPE_VLAN ? "v" : "s", get_be16(p->data + ofs + 2) & 0xfff);
    }
    if (p->has_tunnel) {
        text_printf(&n->text, "tun%u,", (unsigned) be64toh(p->tunnel.id));
    }
    if (p->max_len != UINT32_MAX) {
        text_printf(&n->text, "max%u,", p->max_len);
    }
    if (p->mark || p->priority) {
        text_printf(&n->text, "mark%u/%u,", p->mark, p->priority);
    }
    if (p->dp_hash) {
        text_put(&n->text, "hash,");
    }
    if (p->gso_size) {
        text_printf(&n->text, "gso%u,", p->gso_size);
    }
    text_printf(&n->text, "%u ", packet_len(p));
}

static void note_output(struct action_sink *sink, uint32_t port, struct packet **p, uint32_t n)
{
    struct notes *notes = CONTAINER_OF(sink, struct notes, sink);
    for (uint32_t i = 0; i < n; i++) {
        put_packet(notes, "", port, p[i]);
        packet_free(p[i]);
        notes->n_out++;
    }
}

static void note_recirc(struct action_sink *sink, struct packet **p, uint32_t n)
{
    struct notes *notes = CONTAINER_OF(sink, struct notes, sink);
    for (uint32_t i = 0; i < n; i++) {
        put_packet(notes, "recirc", p[i]->recirc_id, p[i]);
        packet_free(p[i]);
        notes->n_out++;
    }
}

static void note_userspace(struct action_sink *sink, const struct action *a, const struct packet *p)
{
    put_packet(CONTAINER_OF(sink, struct notes, sink), "up", a->userspace.cookie, p);
}

static void note_drop(struct action_sink *sink, enum drop reason, uint32_t in_port)
{
    struct notes *notes = CONTAINER_OF(sink, struct notes, sink);
    text_printf(&notes->text, "drop-%s ", drop_name(reason));
    notes->n_dropped++;
}

static void put_tos(struct action_list *a, uint8_t tos)
{
    struct key_l3 value = { .tos = tos }, mask = { .tos = 0xff };
    action_put_set(a, KEY_L3, &value, &mask);
}

static void nothing(struct action_list *a) { }
static void one_output(struct action_list *a) { action_put_output(a, 1); }
static void two_outputs(struct action_list *a) { action_put_output(a, 1); action_put_output(a, 2); }
static void explicit_drop(struct action_list *a) { action_put_drop(a, DROP_NO_MATCH); }
static void push(struct action_list *a)
{
    action_put_output(a, 1);
    action_put_push_vlan(a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 5));
    action_put_output(a, 2);
    action_put_push_vlan(a, htobe16(ETH_TYPE_SVLAN), htobe16(VLAN_CFI | 6));
    action_put_output(a, 3);
    action_put_pop_vlan(a);
    action_put_output(a, 4);
}
static void pop_untagged(struct action_list *a) { action_put_pop_vlan(a); action_put_output(a, 1); }
static void truncate_one(struct action_list *a)
{
    action_put_truncate(a, 20);
    action_put_output(a, 1);
    action_put_output(a, 2);
}
static void clone_changes(struct action_list *a)
{
    uint32_t begin = action_begin_clone(a);
    action_put_push_vlan(a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 5));
    action_put_output(a, 1);
    action_end_clone(a, begin);
    action_put_output(a, 2);
}
static void clone_is_last(struct action_list *a)
{
    action_put_output(a, 2);
    uint32_t begin = action_begin_clone(a);
    uint32_t inner = action_begin_clone(a);
    action_put_output(a, 3);
    action_end_clone(a, inner);
    action_put_output(a, 1);
    action_end_clone(a, begin);
}
static void tunnel(struct action_list *a)
{
    struct tunnel_key t = { .id = htobe64(42) };
    action_put_output(a, 1);
    action_put_tunnel(a, &t);
    action_put_output(a, 2);
}
static void meta(struct action_list *a) { action_put_meta(a, 0xff, 0x0f, true, 3); action_put_output(a, 1); }
static void up_and_on(struct action_list *a)
{
    action_put_userspace(a, UPCALL_ACTION, 100, 7);
    action_put_output(a, 1);
}
static void up_only(struct action_list *a) { action_put_userspace(a, UPCALL_ACTION, 100, 7); }
static void recirc(struct action_list *a) { action_put_output(a, 1); action_put_recirc(a, 9); }
static void recirc_on(struct action_list *a) { action_put_recirc(a, 9); action_put_output(a, 1); }
static void hash(struct action_list *a) { action_put_hash(a, 1, 1); action_put_output(a, 1); }
static void set_on_arp(struct action_list *a) { put_tos(a, 4); action_put_output(a, 1); }
static void left_over(struct action_list *a) { action_put_output(a, 1); action_put_push_vlan(a, htobe16(ETH_TYPE_VLAN), htobe16(VLAN_CFI | 5)); }

static const struct row {
    const char *sentence;
    void (*make)(struct action_list *);
    const char *leaves;
    uint32_t made, consumed;
    bool arp;
} rows[] = {
    { "an empty list drops", nothing, "drop-action ", 0, 0, false },
    { "one output takes the packet itself", one_output, "1:62 ", 0, 0, false },
    { "two outputs make one copy", two_outputs, "1:62 2:62 ", 1, 0, false },
    { "a drop has its reason", explicit_drop, "drop-no-match ", 0, 0, false },
    { "tags are pushed outside and popped from outside", push, "1:62 2:v5,66 3:s6,v5,70 4:v5,66 ", 3, 0, false },
    { "a tag that is not there cannot be popped", pop_untagged, "drop-set-field ", 0, 0, false },
    { "truncation is for the next output only", truncate_one, "1:max20,62 2:62 ", 1, 0, false },
    { "what a clone does the packet does not feel", clone_changes, "1:v5,66 2:62 ", 1, 0, false },
    { "a clone at the end needs no copy", clone_is_last, "2:62 3:62 1:62 ", 2, 0, false },
    { "a tunnel is set for what follows", tunnel, "1:62 2:tun42,62 ", 1, 0, false },
    { "mark under its mask, and priority", meta, "1:mark15/3,62 ", 0, 0, false },
    { "the control plane looks and the packet goes on", up_and_on, "up7:62 1:62 ", 0, 0, false },
    { "a packet for the control plane alone is consumed", up_only, "up7:62 ", 0, 1, false },
    { "recirculation at the end takes the packet itself", recirc, "1:62 recirc9:62 ", 1, 0, false },
    { "recirculation in the middle makes a copy", recirc_on, "recirc9:62 1:62 ", 1, 0, false },
    { "a hash is set", hash, "1:hash,62 ", 0, 0, false },
    { "what cannot be set is dropped", set_on_arp, "drop-set-field ", 0, 0, true },
    { "what is left after an output is consumed", left_over, "1:62 ", 1, 1, false },
};

static struct packet *make_packet_of(struct packet_pool *pool, bool arp)
{
    uint8_t frame[128];
    struct key key;
    size_t n = make_frame(frame, 1, 20);
    if (arp) {
        put_be16(frame + 12, ETH_TYPE_ARP);
    }
    struct packet *p = packet_from_bytes(pool, frame, n);
    key_extract(p, &key, 1);
    return p;
}

START_TEST(rows_of_actions)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct notes notes = { .sink = { .output = note_output, .recirc = note_recirc, .userspace = note_userspace,
                                         .drop = note_drop } };
        struct action_list list;
        action_list_init(&list);
        rows[i].make(&list);
        must(actions_check(&list));
        notes.sink.pool = packet_pool_create(64, 4);
        struct packet *p = make_packet_of(notes.sink.pool, rows[i].arp);
        actions_run(&notes.sink, &list, &p, 1);
        ck_assert_msg(!strcmp(text_str(&notes.text), rows[i].leaves), "%s: \"%s\" instead of \"%s\"",
                      rows[i].sentence, text_str(&notes.text), rows[i].leaves);
        ck_assert_msg(notes.sink.n_made == rows[i].made && notes.sink.n_consumed == rows[i].consumed,
                      "%s: made %u, consumed %u", rows[i].sentence, (unsigned) notes.sink.n_made,
                      (unsigned) notes.sink.n_consumed);
        ck_assert_uint_eq(1 + notes.sink.n_made, notes.n_out + notes.n_dropped + notes.sink.n_consumed);
        ck_assert_uint_eq(packet_pool_in_use(notes.sink.pool), 0);
        packet_pool_destroy(notes.sink.pool);
        action_list_fini(&list);
        text_fini(&notes.text);
    }
}
END_TEST

START_TEST(a_group_goes_through_together_and_losses_are_counted)
{
    /* A pool of 40: 32 packets leave room for 8 copies. */
    struct notes notes = { .sink = { .output = note_output, .recirc = note_recirc, .userspace = note_userspace,
                                     .drop = note_drop, .pool = packet_pool_create(40, 0) } };
    struct action_list list;
    struct packet *p[BATCH_MAX];
    action_list_init(&list);
    action_put_output(&list, 1);
    action_put_output(&list, 2);
    for (int i = 0; i < BATCH_MAX; i++) {
        p[i] = make_packet_of(notes.sink.pool, false);
        ck_assert(p[i]);
    }
    actions_run(&notes.sink, &list, p, BATCH_MAX);
    ck_assert_uint_eq(notes.sink.n_made, BATCH_MAX);
    ck_assert_uint_eq(notes.n_dropped, BATCH_MAX - 8);
    ck_assert_uint_eq(notes.n_out, BATCH_MAX + 8);
    ck_assert(strstr(text_str(&notes.text), "drop-no-buffer"));
    packet_pool_destroy(notes.sink.pool);
    action_list_fini(&list);
    text_fini(&notes.text);
}
END_TEST

START_TEST(offload_state_survives_actions)
{
    struct notes notes = { .sink = { .output = note_output, .recirc = note_recirc, .userspace = note_userspace,
                                     .drop = note_drop, .pool = packet_pool_create(40, 4) } };
    struct action_list list;
    struct packet *p = make_packet_of(notes.sink.pool, false);
    p->gso_size = 1400;
    p->gso = GSO_UDP;
    p->offload = OFFLOAD_CSUM_PARTIAL;
    p->csum_start = p->l4_ofs;
    p->csum_offset = 6;
    action_list_init(&list);
    push(&list);
    actions_run(&notes.sink, &list, &p, 1);
    ck_assert_str_eq(text_str(&notes.text), "1:gso1400,62 2:v5,gso1400,66 3:s6,v5,gso1400,70 4:v5,gso1400,66 ");
    packet_pool_destroy(notes.sink.pool);
    action_list_fini(&list);
    text_fini(&notes.text);
}
END_TEST

TCase *execute_tcase(void)
{
    TCase *t = tcase_create("execute");
    tcase_add_test(t, rows_of_actions);
    tcase_add_test(t, a_group_goes_through_together_and_losses_are_counted);
    tcase_add_test(t, offload_state_survives_actions);
    return t;
}
