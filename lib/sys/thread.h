/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, named and registered with RCU, signals blocked. */
#ifndef LIB_SYS_THREAD_H
#define LIB_SYS_THREAD_H

#include <pthread.h>

#include "lib/base/types.h"

struct error;

/* Starts a thread of the given name (at most 15 characters are kept). */
struct error *thread_start(pthread_t *, const char *name, void (*fn)(void *arg), void *arg);
void thread_join(pthread_t);
/* Binds the calling thread to the CPUs of 'mask' (bit N of word N / 64); an errno if not
 * possible. */
int thread_bind(const uint64_t *mask, size_t n_words);
void thread_set_name(const char *name);
const char *thread_name(void);   /* Of the calling thread; "" in the main thread. */

#endif
