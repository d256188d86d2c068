/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's receive buffers. */
#include "datapath/port/rx_slots.h"

#include <stdlib.h>

#include "datapath/port/port.h"
#include "lib/base/alloc.h"

static __thread struct rx_slots *slots;

void port_release_buffers(void)
{
    if (!slots) {
        return;
    }
    for (uint32_t i = 0; i < BATCH_MAX; i++) {
        packet_free(slots->packets[i]);
        packet_tail_put(slots->tails[i]);
    }
    free(slots);
    slots = NULL;
}

/* Makes slot 'i' ready; false if the pool has no head. Without a tail only short frames fit. */
static bool fill(struct rx_slots *s, uint32_t i)
{
    if (!s->packets[i]) {
        s->packets[i] = packet_new(s->pool);
        if (!s->packets[i]) {
            return false;
        }
        s->iov[i][0].iov_base = s->packets[i]->data - VNET_HEADER_LEN;
        s->iov[i][0].iov_len = VNET_HEADER_LEN + PACKET_SPLIT;
    }
    if (!s->tails[i]) {
        s->tails[i] = packet_tail_new(s->pool);
        s->iov[i][1].iov_base = s->tails[i] ? s->tails[i]->bytes : NULL;
        s->iov[i][1].iov_len = s->tails[i] ? PACKET_TAIL_MAX : 0;
    }
    struct msghdr *m = &s->messages[i].msg_hdr;
    m->msg_iovlen = s->tails[i] ? 2 : 1;
    m->msg_controllen = RX_CONTROL_BYTES;
    return true;
}

struct rx_slots *rx_slots_get(struct packet_pool *pool)
{
    if (UNLIKELY(!slots || slots->pool != pool)) {
        port_release_buffers();
        slots = xzalloc_aligned(sizeof *slots);
        slots->pool = pool;
        slots->dirty = BATCH_MAX;
        for (uint32_t i = 0; i < BATCH_MAX; i++) {
            slots->messages[i].msg_hdr.msg_iov = slots->iov[i];
            slots->messages[i].msg_hdr.msg_control = &slots->control[i];
        }
    }
    struct rx_slots *s = slots;
    bool whole = true;
    s->n = BATCH_MAX;
    for (uint32_t i = 0; i < s->dirty; i++) {
        if (UNLIKELY(!fill(s, i))) {
            s->n = i;
            s->dirty = BATCH_MAX;
            return s->n ? s : NULL;
        }
        whole &= s->tails[i] != NULL;
    }
    s->dirty = LIKELY(whole) ? 0 : BATCH_MAX;
    return s;
}

struct packet *rx_slot_take(struct rx_slots *s, uint32_t i, size_t n)
{
    struct packet *p = s->packets[i];
    s->packets[i] = NULL;
    p->head_len = MIN(n, PACKET_SPLIT);
    if (n > PACKET_SPLIT) {
        packet_set_tail(p, s->tails[i], n - PACKET_SPLIT);
        s->tails[i] = NULL;
    }
    return p;
}
