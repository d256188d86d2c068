/* SPDX-License-Identifier: Apache-2.0 */
/* The producing side of the upcall ring. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "datapath/engine.h"
#include "datapath/wire.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/shm.h"

struct error *ring_init(struct ring *r)
{
    *r = (struct ring) { .out_fd = -1, .event_fd = -1 };
    void *out;
    struct error *e = shm_create("tsuji-out", sizeof *r->out, &r->out_fd, &out);
    if (e) {
        return error_wrap(e, "datapath: shared memory");
    }
    r->out = out;
    r->out->magic = RING_MAGIC;
    r->out->n_records = RING_RECORDS;
    r->out->n_slots = DP_MAX_FLOWS;
    r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return r->event_fd < 0 ? error_errno(errno, "datapath: eventfd") : NULL;
}

static void unmap_in(void *in)
{
    shm_unmap(in, sizeof(struct ring_in));
}

void ring_fini(struct ring *r)
{
    ring_detach(r);
    if (r->out) {
        shm_unmap(r->out, sizeof *r->out);
        close(r->out_fd);
    }
    if (r->event_fd >= 0) {
        close(r->event_fd);
    }
}

struct error *ring_attach(struct ring *r, int *in_fd)
{
    void *in_;
    struct error *e = shm_create("tsuji-in", sizeof(struct ring_in), in_fd, &in_);
    if (e) {
        return error_wrap(e, "datapath: shared memory");
    }
    struct ring_in *in = in_, *old = r->in;
    in->tail = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    in->sleeping = 1;
    rcu_assign_pointer(r->in, in);
    if (old) {
        rcu_postpone(unmap_in, old);
    }
    return NULL;
}

void ring_detach(struct ring *r)
{
    struct ring_in *old = r->in;
    rcu_assign_pointer(r->in, NULL);
    if (old) {
        rcu_postpone(unmap_in, old);
    }
}

int ring_put(struct ring *r, uint64_t id, enum upcall_reason reason, uint64_t cookie, const struct key *key,
             const struct packet *p, int64_t now_ms)
{
    struct ring_in *in = shared_load(r->in);
    if (!in) {
        return ENOTCONN;
    }
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_RELAXED);
    do {
        /* The peer writes 'tail': whatever it says, no more than the ring's size is ever outstanding. */
        uint64_t tail = __atomic_load_n(&in->tail, __ATOMIC_ACQUIRE);
        if (head - tail >= RING_RECORDS) {
            return ENOBUFS;
        }
    } while (!__atomic_compare_exchange_n(&r->head, &head, head + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));

    struct ring_record *record = &r->out->records[head % RING_RECORDS];
    size_t n_key = wire_key_encode(key, record->bytes, sizeof record->bytes);
    uint32_t len = packet_len(p);
    if (n_key == SIZE_MAX) {
        n_key = 0;      /* Not reached: all members together are shorter than the record. */
    }
    size_t n_header = MIN(MIN((size_t) DP_UPCALL_HEADER_BYTES, sizeof record->bytes - n_key), len);
    packet_read(p, 0, record->bytes + n_key, n_header);
    record->id = id;
    record->cookie = cookie;
    record->received_ms = now_ms;
    record->packet_len = len;
    record->gso_size = p->gso_size;
    record->n_key = n_key;
    record->n_header = n_header;
    record->reason = reason;
    __atomic_store_n(&record->number, head + 1, __ATOMIC_RELEASE);
    return 0;
}

void ring_wake(struct ring *r)
{
    struct ring_in *in = shared_load(r->in);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (in && __atomic_load_n(&in->sleeping, __ATOMIC_RELAXED)) {
        uint64_t one = 1;
        (void) !write(r->event_fd, &one, sizeof one);
    }
}
