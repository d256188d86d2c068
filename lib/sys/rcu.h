/* SPDX-License-Identifier: Apache-2.0 */
/* Read-copy-update: liburcu, "memb" flavour, and its lock-free resizable hash table.
 *
 * Threads: each thread that reads shared data registers itself (thread_start() of
 * lib/sys/thread.h does it). A read-side section covers a batch of packets or one translation,
 * never a wait. Writers publish with rcu_assign_pointer() and free with rcu_call() or after
 * synchronize_rcu(). */
#ifndef LIB_SYS_RCU_H
#define LIB_SYS_RCU_H

#define RCU_MEMBARRIER
#define URCU_API_MAP
#include <urcu/urcu-memb.h>
#include <urcu/rculfhash.h>
#include <urcu/wfcqueue.h>

/* Calls 'fn(arg)' after a grace period, on liburcu's helper thread: for free() and the like. */
void rcu_postpone(void (*fn)(void *arg), void *arg);

#endif
