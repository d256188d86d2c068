/* SPDX-License-Identifier: Apache-2.0 */
/* Deferred calls after an RCU grace period. */
#include "lib/sys/rcu.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

struct postponed {
    struct rcu_head head;
    void (*fn)(void *arg);
    void *arg;
};

static void run(struct rcu_head *head)
{
    struct postponed *p = caa_container_of(head, struct postponed, head);
    p->fn(p->arg);
    free(p);
}

void rcu_postpone(void (*fn)(void *arg), void *arg)
{
    struct postponed *p = xmalloc(sizeof *p);
    p->fn = fn;
    p->arg = arg;
    call_rcu(&p->head, run);
}
