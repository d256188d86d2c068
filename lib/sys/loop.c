/* SPDX-License-Identifier: Apache-2.0 */
/* Event loop of a thread: libevent for descriptors, an eventfd for posted functions, one
 * timerfd. */
#include "lib/sys/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/sys/clock.h"
#include "lib/sys/loop_private.h"

struct post {
    void (*fn)(void *arg);
    void *arg;
    struct post *next;
};

struct loop_watch {
    struct event *event;
    int fd;
    int events;
    void (*cb)(int fd, int events, void *arg);
    void *arg;
};

struct loop_hook {
    struct list node;
    void (*cb)(void *arg);   /* NULL once destroyed. */
    void *arg;
};

/* Loops that are inside loop_run(); 'registry_lock' is taken before any loop's 'lock'. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list registry = LIST_INIT(registry);

static void go_round(struct loop *, int timeout_ms);
static void woken(int fd, int events, void *loop);
static void run_posts(struct loop *);
static void run_hooks(struct loop *);
static void wake(struct loop *);
static short libevent_events(int events);
static void watch_fired(evutil_socket_t fd, short what, void *watch);

struct loop *loop_create(const char *name)
{
    struct loop *l = xzalloc(sizeof *l);
    struct event_config *config = event_config_new();
    /* One thread owns the base, so its locks are not needed: others only write to 'wake_fd'. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    l->name = xstrdup(name);
    l->base = event_base_new_with_config(config);
    event_config_free(config);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!l->base || l->wake_fd < 0) {
        abort();   /* No descriptors left at start. */
    }
    pthread_mutex_init(&l->lock, NULL);
    l->last_post = &l->first_post;
    list_init(&l->hooks);
    list_init(&l->node);
    l->wake_watch = loop_watch_create(l, l->wake_fd, LOOP_READ, woken, l);
    loop_timers_init(l);
    return l;
}

void loop_destroy(struct loop *l)
{
    if (!l) {
        return;
    }
    loop_timers_fini(l);
    loop_watch_destroy(l->wake_watch);
    for (struct post *p = l->first_post, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    struct loop_hook *h, *after;
    LIST_FOR_EACH_SAFE (h, after, node, &l->hooks) {
        free(h);
    }
    close(l->wake_fd);
    event_base_free(l->base);
    pthread_mutex_destroy(&l->lock);
    free(l->name);
    free(l);
}

void loop_run(struct loop *l)
{
    pthread_mutex_lock(&registry_lock);
    list_push_back(&registry, &l->node);
    pthread_mutex_unlock(&registry_lock);

    run_hooks(l);   /* For what was changed before. */
    while (!__atomic_exchange_n(&l->stop, false, __ATOMIC_ACQ_REL)) {
        go_round(l, -1);
    }

    pthread_mutex_lock(&registry_lock);
    list_remove(&l->node);
    pthread_mutex_unlock(&registry_lock);
    run_posts(l);   /* Nobody who visits the registered loops waits for one that has left. */
}

void loop_stop(struct loop *l)
{
    __atomic_store_n(&l->stop, true, __ATOMIC_RELEASE);
    wake(l);
}

void loop_run_once(struct loop *l, int timeout_ms)
{
    run_hooks(l);   /* For what was changed since the last round. */
    go_round(l, timeout_ms);
}

struct event_base *loop_event_base(struct loop *l)
{
    return l->base;
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
    struct post *p = xmalloc(sizeof *p);
    *p = (struct post) { fn, arg, NULL };
    pthread_mutex_lock(&l->lock);
    bool first = !l->first_post;
    *l->last_post = p;
    l->last_post = &p->next;
    pthread_mutex_unlock(&l->lock);
    if (first) {
        wake(l);
    }
}

struct loop_watch *loop_watch_create(struct loop *l, int fd, int events,
                                     void (*cb)(int fd, int events, void *arg), void *arg)
{
    struct loop_watch *w = xmalloc(sizeof *w);
    *w = (struct loop_watch) { .fd = fd, .cb = cb, .arg = arg };
    w->event = event_new(l->base, fd, EV_PERSIST, watch_fired, w);
    if (!w->event) {
        abort();
    }
    loop_watch_set(w, events);
    return w;
}

void loop_watch_set(struct loop_watch *w, int events)
{
    if (events == w->events) {
        return;
    }
    struct event_base *base = event_get_base(w->event);
    if (w->events) {
        event_del(w->event);
    }
    w->events = events;
    if (events) {
        event_assign(w->event, base, w->fd, libevent_events(events) | EV_PERSIST, watch_fired, w);
        event_add(w->event, NULL);
    }
}

void loop_watch_destroy(struct loop_watch *w)
{
    if (w) {
        event_free(w->event);
        free(w);
    }
}

struct loop_hook *loop_hook_create(struct loop *l, void (*cb)(void *arg), void *arg)
{
    struct loop_hook *h = xmalloc(sizeof *h);
    h->cb = cb;
    h->arg = arg;
    list_push_back(&l->hooks, &h->node);
    return h;
}

void loop_hook_destroy(struct loop_hook *h)
{
    if (h) {
        h->cb = NULL;   /* run_hooks() frees it: perhaps it is running now. */
    }
}

void loop_hook_again(struct loop *l)
{
    l->again = true;
}

void loop_wake_all(void)
{
    pthread_mutex_lock(&registry_lock);
    struct loop *l;
    LIST_FOR_EACH (l, node, &registry) {
        wake(l);
    }
    pthread_mutex_unlock(&registry_lock);
}

size_t loop_visit_running(struct loop *home, int64_t *next_ns, void (*fn)(void *arg), void *arg,
                          size_t *pending)
{
    pthread_mutex_lock(&registry_lock);
    bool add_home = list_is_empty(&home->node);   /* It is driven by loop_run_once(). */
    if (add_home) {
        list_push_back(&registry, &home->node);
    }
    size_t n = 0;
    int64_t next = INT64_MAX;
    struct loop *l;
    LIST_FOR_EACH (l, node, &registry) {
        n++;
        int64_t when = __atomic_load_n(&l->next_ns, __ATOMIC_ACQUIRE);
        next = MIN(next, when);
    }
    if (fn) {
        __atomic_store_n(pending, n, __ATOMIC_RELEASE);   /* Before a visit can count it down. */
        LIST_FOR_EACH (l, node, &registry) {
            struct loop_visit *v = xmalloc(sizeof *v);
            *v = (struct loop_visit) { l, arg };
            loop_post(l, fn, v);
        }
    }
    if (add_home) {
        list_remove(&home->node);
    }
    pthread_mutex_unlock(&registry_lock);
    if (next_ns) {
        *next_ns = next;
    }
    return n;
}

static void go_round(struct loop *l, int timeout_ms)
{
    bool wait = timeout_ms && !l->again;
    l->again = false;
    if (wait) {
        wait = loop_timers_arm(l, timeout_ms);
    }
    event_base_loop(l->base, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK));
    run_posts(l);
    loop_timers_run(l);
    run_hooks(l);
}

static void woken(int fd, int events, void *loop)
{
    uint64_t count;
    ssize_t ignored UNUSED = read(fd, &count, sizeof count);
}

static void run_posts(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct post *p = l->first_post;
    l->first_post = NULL;
    l->last_post = &l->first_post;
    pthread_mutex_unlock(&l->lock);
    while (p) {
        struct post *next = p->next;
        p->fn(p->arg);
        free(p);
        p = next;
    }
}

static void run_hooks(struct loop *l)
{
    for (struct list *e = l->hooks.next; e != &l->hooks; ) {
        struct loop_hook *h = LIST_ENTRY(e, struct loop_hook, node);
        if (h->cb) {
            h->cb(h->arg);
        }
        e = e->next;   /* Read after the call, which may have added a hook. */
        if (!h->cb) {
            list_remove(&h->node);
            free(h);
        }
    }
}

static void wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t ignored UNUSED = write(l->wake_fd, &one, sizeof one);
}

static short libevent_events(int events)
{
    return (short) ((events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0));
}

static void watch_fired(evutil_socket_t fd, short what, void *watch)
{
    struct loop_watch *w = watch;
    w->cb((int) fd, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0), w->arg);
}
