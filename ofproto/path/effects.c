/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where effects of translations are applied (MECHANISMS 6). */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "ofproto/path/state.h"

/* A learn action on its way to the main thread, the only writer of tables. */
struct learn_job {
    struct list node;
    struct learn_request *request;
    bool waited_for;
    bool done;
};

void path_apply_once(const struct xlate_out *out)
{
    for (size_t i = 0; i < out->n_effects; i++) {
        const struct effect *e = &out->effects[i];
        if (e->kind == EFFECT_MAC) {
            mac_learn(e->mac.bridge->macs, e->mac.vlan, e->mac.mac, e->mac.port, e->mac.garp);
        }
    }
}

void path_collect_learns(const struct xlate_out *out, struct list *jobs)
{
    for (size_t i = 0; i < out->n_effects; i++) {
        if (out->effects[i].kind == EFFECT_LEARN) {
            struct learn_job *job = xzalloc(sizeof *job);
            job->request = learn_request_from_effect(&out->effects[i]);
            list_push_back(jobs, &job->node);
        }
    }
}

static void drain_in_main(void *path)
{
    path_drain_learns(path);
}

void path_drain_learns(struct path *path)
{
    pthread_mutex_lock(&path->learn_lock);
    path->learn_posted = false;
    while (!list_is_empty(&path->learn_jobs)) {
        struct learn_job *job = LIST_ENTRY(list_pop_front(&path->learn_jobs), struct learn_job, node);
        pthread_mutex_unlock(&path->learn_lock);
        path->options.learn(job->request, path->options.arg);
        learn_request_free(job->request);
        job->request = NULL;
        pthread_mutex_lock(&path->learn_lock);
        if (job->waited_for) {
            job->done = true;
            pthread_cond_broadcast(&path->learn_done);
        } else {
            free(job);
        }
    }
    pthread_mutex_unlock(&path->learn_lock);
}

void path_run_learns(struct path *path, struct list *jobs, bool wait)
{
    while (!list_is_empty(jobs)) {
        struct learn_job *job = LIST_ENTRY(list_pop_front(jobs), struct learn_job, node);
        job->waited_for = wait;
        pthread_mutex_lock(&path->learn_lock);
        list_push_back(&path->learn_jobs, &job->node);
        if (!path->learn_posted) {
            path->learn_posted = true;
            loop_post(path->options.main_loop, drain_in_main, path);
        }
        while (wait && !job->done && !path->stopping) {
            pthread_cond_wait(&path->learn_done, &path->learn_lock);
        }
        if (wait && job->done) {
            free(job);
        } else if (wait) {
            job->waited_for = false;   /* The last drain frees it. */
        }
        pthread_mutex_unlock(&path->learn_lock);
    }
}

void path_learn_later(const struct learn_request *request, void *path)
{
    struct learn_job *job = xzalloc(sizeof *job);
    job->request = learn_request_clone(request);
    struct list jobs;
    list_init(&jobs);
    list_push_back(&jobs, &job->node);
    path_run_learns(path, &jobs, false);
}
