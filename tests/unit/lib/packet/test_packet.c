/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, and changes of a packet's bytes against a plain array of bytes. */
#include <stdlib.h>

#include "tests/unit/lib/packet/packet_tests.h"

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = draw(256);
    }
}

START_TEST(pool_has_a_bound)
{
    struct packet_pool *pool = packet_pool_create(100, 2);
    struct packet *p[100];
    for (int i = 0; i < 100; i++) {
        p[i] = packet_new(pool);
        ck_assert_ptr_nonnull(p[i]);
    }
    ck_assert_ptr_null(packet_new(pool));
    ck_assert_uint_eq(packet_pool_in_use(pool), 100);
    packet_free(p[57]);
    p[57] = packet_new(pool);
    ck_assert_ptr_nonnull(p[57]);
    for (int i = 0; i < 100; i++) {
        packet_free(p[i]);
    }
    ck_assert_uint_eq(packet_pool_in_use(pool), 0);

    struct packet_batch batch;
    ck_assert_uint_eq(packet_batch_new(pool, &batch, 32), 32);
    packet_batch_free(&batch);
    ck_assert_uint_eq(batch.n, 0);
    packet_pool_destroy(pool);
}
END_TEST

START_TEST(tails_have_a_bound)
{
    struct packet_pool *pool = packet_pool_create(10, 2);
    static uint8_t bytes[60000];
    struct packet *a = packet_from_bytes(pool, bytes, sizeof bytes), *b = packet_from_bytes(pool, bytes, sizeof bytes);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_ptr_null(packet_from_bytes(pool, bytes, sizeof bytes));
    ck_assert_uint_eq(packet_pool_in_use(pool), 2);
    /* A clone in the same pool shares the tail, and keeps it when the other goes. */
    struct packet *c = packet_clone(pool, a);
    ck_assert_ptr_eq(c->tail, a->tail);
    packet_free(a);
    uint8_t last;
    ck_assert(packet_read(c, sizeof bytes - 1, &last, 1));
    packet_free(c);
    /* One for the heap does not. */
    struct packet *d = packet_clone(NULL, b);
    ck_assert_ptr_ne(d->tail, b->tail);
    packet_free(b);
    packet_free(d);
    ck_assert_ptr_null(packet_from_bytes(pool, bytes, PACKET_MAX + 1));
    packet_pool_destroy(pool);
}
END_TEST

START_TEST(new_packets_are_clean)
{
    struct packet_pool *pool = packet_pool_create(1, 0);
    struct packet *p = packet_new(pool);
    p->in_port = p->mark = p->priority = p->recirc_id = p->dp_hash = 5;
    p->has_tunnel = p->gso_ecn = true;
    p->gso_size = p->gso_segs = p->l3_ofs = p->csum_start = 7;
    p->offload = 3;
    p->max_len = 100;
    packet_free(p);
    p = packet_new(pool);
    ck_assert(!p->in_port && !p->mark && !p->priority && !p->recirc_id && !p->dp_hash && !p->has_tunnel && !p->gso_ecn);
    ck_assert(!p->gso_size && p->gso_segs == 1 && !p->l3_ofs && !p->csum_start && !p->offload && p->max_len == UINT32_MAX);
    ck_assert(!p->head_len && !p->tail_len && packet_headroom(p) == PACKET_HEADROOM);
    ck_assert_uint_eq(packet_tailroom(p), PACKET_BUFFER - PACKET_HEADROOM);
    packet_free(p);
    packet_pool_destroy(pool);
}
END_TEST

/* The model: a flat array, and a marked byte whose place the packet must know. */
struct model {
    uint8_t bytes[PACKET_MAX + 512];
    size_t n;
    size_t mark;
};

static void check_model(const struct packet *p, const struct model *m)
{
    ck_assert_uint_eq(packet_len(p), m->n);
    static uint8_t is[sizeof m->bytes];
    ck_assert(packet_read(p, 0, is, m->n));
    ck_assert_mem_eq(is, m->bytes, m->n);
    ck_assert_uint_eq(p->l4_ofs, m->mark);
    ck_assert_uint_eq(p->csum_start, m->mark);
}

START_TEST(changes_agree_with_an_array)
{
    static struct model m;
    seed = _i + 1;
    for (int round = 0; round < 40; round++) {
        m.n = 64 + draw(_i % 2 ? 1400 : 60000);
        m.mark = 40;
        fill(m.bytes, m.n);
        struct packet *p = packet_from_bytes(NULL, m.bytes, m.n);
        p->l4_ofs = p->csum_start = m.mark;
        for (int step = 0; step < 30; step++) {
            size_t at = draw(41), n = draw(12);
            switch (draw(3)) {
            case 0: {
                if (packet_headroom(p) < n || packet_len(p) + n > PACKET_MAX) {
                    ck_assert(!packet_insert(p, at, n));
                    break;
                }
                ck_assert(packet_insert(p, at, n));
                memmove(m.bytes + at + n, m.bytes + at, m.n - at);
                fill(m.bytes + at, n);
                memcpy(p->data + at, m.bytes + at, n);
                m.n += n;
                m.mark += at <= m.mark ? n : 0;
                break;
            }
            case 1:
                if (at + n > m.mark) {
                    break;   /* Would take the marked byte away. */
                }
                ck_assert(packet_remove(p, at, n));
                memmove(m.bytes + at, m.bytes + at + n, m.n - at - n);
                m.n -= n;
                m.mark -= n;
                break;
            case 2: {
                size_t ofs = draw(m.n), len = draw(m.n - ofs + 3);
                static uint8_t part[sizeof m.bytes];
                bool there = packet_read(p, ofs, part, len);
                ck_assert_int_eq(there, ofs + len <= m.n);
                if (there) {
                    ck_assert_mem_eq(part, m.bytes + ofs, len);
                }
                break;
            }
            }
            check_model(p, &m);
            if (m.mark == 0) {
                break;
            }
        }
        struct packet *c = packet_clone(NULL, p);
        check_model(c, &m);
        size_t n;
        uint8_t *linear = packet_linear(c, &n);
        ck_assert_uint_eq(n, m.n);
        ck_assert_mem_eq(linear, m.bytes, n);
        free(linear);
        packet_free(c);
        packet_free(p);
    }
}
END_TEST

START_TEST(insert_beyond_is_refused)
{
    struct packet *p = packet_from_bytes(NULL, "0123456789", 10);
    ck_assert(!packet_insert(p, 11, 1));
    ck_assert(!packet_insert(p, 0, PACKET_HEADROOM + 1));
    ck_assert_ptr_null(packet_push(p, PACKET_HEADROOM + 1));
    ck_assert(!packet_remove(p, 5, 6));
    ck_assert(packet_remove(p, 5, 5));
    ck_assert_uint_eq(packet_len(p), 5);
    packet_pull(p, 100);
    ck_assert_uint_eq(packet_len(p), 0);
    packet_free(p);
}
END_TEST

START_TEST(truncate_ends_offloads)
{
    struct packet *p = make_packet(NULL, &(struct recipe) { .proto = 6, .payload = 5000, .partial = true });
    p->gso = GSO_TCP4;
    p->gso_size = 1000;
    p->gso_segs = 5;
    packet_truncate(p, packet_len(p));
    ck_assert_uint_eq(p->gso_segs, 5);
    packet_truncate(p, 3000);
    ck_assert_uint_eq(packet_len(p), 3000);
    ck_assert_uint_eq(p->gso_segs, 1);
    ck_assert(!p->gso_size && !p->gso && !p->offload);
    ck_assert_ptr_nonnull(p->tail);
    packet_truncate(p, 30);
    ck_assert_uint_eq(packet_len(p), 30);
    ck_assert_ptr_null(p->tail);
    ck_assert(p->l3_ofs == 14 && !p->l4_ofs && !p->payload_ofs);
    packet_free(p);
}
END_TEST

TCase *packet_tcase(void)
{
    TCase *tc = tcase_create("packet");
    tcase_add_test(tc, pool_has_a_bound);
    tcase_add_test(tc, tails_have_a_bound);
    tcase_add_test(tc, new_packets_are_clean);
    tcase_add_loop_test(tc, changes_agree_with_an_array, 0, 8);
    tcase_add_test(tc, insert_beyond_is_refused);
    tcase_add_test(tc, truncate_ends_offloads);
    return tc;
}
