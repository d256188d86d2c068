/* SPDX-License-Identifier: Apache-2.0 */
/* The pending store: bounds, fairness between guards, order, ids. */
#include <stdlib.h>

#include "datapath/pending.h"
#include "lib/base/random.h"
#include "tests/unit/datapath/engine/engine_tests.h"

static void make_key(struct key *key, uint32_t port, uint32_t n)
{
    memset(key, 0, sizeof *key);
    key->meta.in_port = port;
    key->l3.ip4_src = n;
}

static struct pending_chain *add(struct pending *s, uint32_t port, uint32_t n, int64_t now_ms, enum drop *why)
{
    struct key key;
    make_key(&key, port, n);
    return pending_add(s, &key, pending_key_hash(&key), UPCALL_MISS, 0, now_ms, why);
}

static void free_all(struct pending *s)
{
    for (uint32_t i = 0; i < s->n_used; i++) {
        if (s->chains[i].id) {
            for (struct packet *p = pending_take(s, &s->chains[i]), *next; p; p = next) {
                next = p->next;
                packet_free(p);
            }
        }
    }
    ck_assert_uint_eq(s->n_chains, 0);
    ck_assert_uint_eq(s->n_packets, 0);
    ck_assert_uint_eq(s->n_bytes, 0);
    pending_destroy(s);
}

START_TEST(one_guard_leaves_room_for_others)
{
    enum drop why;
    struct pending *s = pending_create(3, 1000000, 1000000);
    uint32_t n = 0;
    while (add(s, 1, n, 1000, &why)) {
        n++;
    }
    ck_assert_int_eq(why, DROP_PENDING_FULL);
    ck_assert_uint_ge(n, PENDING_CHAINS / 4);
    ck_assert_uint_le(n, PENDING_CHAINS / 2);
    uint32_t m = 0;
    while (add(s, 2, m, 1000, &why)) {
        m++;
    }
    ck_assert_uint_ge(m, 100);
    ck_assert(add(s, 3, 0, 1000, &why));
    free_all(s);
}
END_TEST

START_TEST(misses_pass_a_token_bucket)
{
    enum drop why;
    struct pending *s = pending_create(0, 100, 10);
    for (uint32_t i = 0; i < 10; i++) {
        ck_assert(add(s, 1, i, 5000, &why));
    }
    ck_assert(!add(s, 1, 10, 5000, &why));
    ck_assert_int_eq(why, DROP_UPCALL_QUOTA);
    ck_assert(add(s, 2, 10, 5000, &why));          /* Another guard's is full. */
    ck_assert(add(s, 1, 11, 5010, &why));          /* 10 ms are one more. */
    ck_assert(!add(s, 1, 12, 5010, &why));
    free_all(s);
}
END_TEST

START_TEST(changing_guards_does_not_refill_buckets)
{
    /* An attacker who walks through VLANs finds only as many buckets as there are places. */
    enum drop why;
    struct pending *s = pending_create(0, 1, 4);
    uint32_t n = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        struct pending_chain *c = add(s, i % 20000, i, 5000, &why);
        if (c) {
            pending_take(s, c);
            n++;
        }
    }
    ck_assert_uint_le(n, PENDING_GUARDS * 4);
    free_all(s);
}
END_TEST

START_TEST(packets_come_back_in_order_and_ids_do_not_come_again)
{
    enum drop why;
    struct pending *s = pending_create(9, 1000000, 1000000);
    uint64_t last = 0;
    for (int round = 0; round < 100; round++) {
        struct pending_chain *c = add(s, 1, 5, 1, &why);
        ck_assert_ptr_eq(pending_find_id(s, c->id), c);
        ck_assert_uint_eq(pending_worker(c->id), 9);
        ck_assert(!pending_find_id(s, last) || !last);
        last = c->id;
        struct packet *p[5];
        for (int i = 0; i < 5; i++) {
            p[i] = packet_from_bytes(NULL, "01234567890123456789", 20);
            ck_assert(pending_append(s, c, p[i]) == (i < PENDING_KEY_PACKETS));
        }
        packet_free(p[4]);
        struct packet *q = pending_take(s, c);
        for (int i = 0; i < 4; i++) {
            struct packet *next = q->next;
            ck_assert_ptr_eq(q, p[i]);
            packet_free(q);
            q = next;
        }
        ck_assert(!q);
    }
    free_all(s);
}
END_TEST

START_TEST(bytes_of_a_key_are_bounded)
{
    enum drop why;
    static uint8_t bytes[65000];
    struct pending *s = pending_create(0, 1000, 1000);
    struct pending_chain *c = add(s, 1, 5, 1, &why);
    for (int i = 0; i < 4; i++) {
        ck_assert(pending_append(s, c, packet_from_bytes(NULL, bytes, sizeof bytes)));
    }
    ck_assert_uint_le(c->n_bytes, PENDING_KEY_BYTES);
    free_all(s);
}
END_TEST

START_TEST(announced_chains_expire_in_order)
{
    enum drop why;
    struct pending *s = pending_create(0, 1000, 1000);
    struct pending_chain *a = add(s, 1, 1, 1, &why), *b = add(s, 1, 2, 1, &why), *c = add(s, 1, 3, 1, &why);
    pending_set_announced(s, b, 1000);
    pending_set_announced(s, a, 1500);
    ck_assert(!pending_expired(s, 2999));
    ck_assert_ptr_eq(pending_expired(s, 3000), b);
    pending_forget_announcements(s);
    ck_assert(!pending_expired(s, 10000));
    ck_assert_ptr_eq(LIST_ENTRY(s->unannounced.next, struct pending_chain, node), b);
    ck_assert_ptr_eq(LIST_ENTRY(s->unannounced.prev, struct pending_chain, node), c);
    free_all(s);
}
END_TEST

START_TEST(random_use_agrees_with_a_model)
{
    enum { KEYS = 300 };
    enum drop why;
    struct pending *s = pending_create(0, 100000000, 100000000);
    uint32_t packets[KEYS] = { 0 };
    for (int op = 0; op < 50000; op++) {
        uint32_t n = random_range(KEYS);
        struct key key;
        make_key(&key, n % 7, n);
        struct pending_chain *c = pending_find_key(s, &key, pending_key_hash(&key));
        ck_assert(!c == !packets[n]);
        if (c && !random_range(3)) {
            uint32_t count = 0;
            for (struct packet *p = pending_take(s, c), *next; p; p = next) {
                next = p->next;
                packet_free(p);
                count++;
            }
            ck_assert_uint_eq(count, packets[n]);
            packets[n] = 0;
            continue;
        }
        if (!c) {
            c = pending_add(s, &key, pending_key_hash(&key), UPCALL_MISS, 0, op, &why);
            ck_assert(c);
        }
        struct packet *p = packet_from_bytes(NULL, "01234567890123456789", 20);
        if (pending_append(s, c, p)) {
            packets[n]++;
        } else {
            ck_assert_uint_eq(packets[n], PENDING_KEY_PACKETS);
            packet_free(p);
        }
    }
    free_all(s);
}
END_TEST

TCase *pending_tcase(void)
{
    TCase *t = tcase_create("pending");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, one_guard_leaves_room_for_others);
    tcase_add_test(t, misses_pass_a_token_bucket);
    tcase_add_test(t, changing_guards_does_not_refill_buckets);
    tcase_add_test(t, packets_come_back_in_order_and_ids_do_not_come_again);
    tcase_add_test(t, bytes_of_a_key_are_bounded);
    tcase_add_test(t, announced_chains_expire_in_order);
    tcase_add_test(t, random_use_agrees_with_a_model);
    return t;
}
