/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow layer as a whole: what is published, timers, the hold after a restart. */
#include "ofproto/ofproto.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "ofproto/bridge.h"

LOG_MODULE(ofproto);

enum { SECOND_MS = 1000, EXPIRY_MS = 1000 };

/* ---- Publishing ---- */

struct publication {
    struct ofproto *ofproto;
    struct view *new;
};

static void publish(void *publication_, uint64_t version UNUSED)
{
    struct publication *p = publication_;
    struct view *old = p->ofproto->view;
    rcu_assign_pointer(p->ofproto->view, p->new);
    if (old) {
        rcu_postpone((void (*)(void *)) view_free, old);
    }
}

/* Which datapath ports belong to another bridge or number than before? */
static size_t changed_dp_ports(const struct view *old, const struct view *new, struct change *changes, size_t max)
{
    size_t n = 0, i = 0, j = 0;
    size_t n_old = old ? old->n_by_dp_port : 0;
    while ((i < n_old || j < new->n_by_dp_port) && n < max) {
        const struct view_port *a = i < n_old ? old->by_dp_port[i] : NULL;
        const struct view_port *b = j < new->n_by_dp_port ? new->by_dp_port[j] : NULL;
        uint32_t dp_port = !b || (a && a->dp_port <= b->dp_port) ? a->dp_port : b->dp_port;
        bool in_old = a && a->dp_port == dp_port, in_new = b && b->dp_port == dp_port;
        if (in_old != in_new || a->bridge->id != b->bridge->id || a->number != b->number) {
            changes[n++] = (struct change) { .dep = dep_make(DEP_DP_PORT, 0, 0, dp_port) };
        }
        i += in_old;
        j += in_new;
    }
    return n;
}

/* What was learnt behind ports that are gone is forgotten once no translation can see them any more, or it would be
 * learnt again. */
static void forget_gone_ports(struct ofproto *ofproto)
{
    bool waited = false;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        if (bridge->n_gone && !waited) {
            synchronize_rcu();
            waited = true;
        }
        for (size_t i = 0; i < bridge->n_gone; i++) {
            mac_flush_port(bridge->macs, bridge->gone[i]);
        }
        bridge->n_gone = 0;
    }
}

void ofproto_commit(struct ofproto *ofproto)
{
    size_t n = 0, max = 1;
    bool dirty = ofproto->dirty_tunnels;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        dirty |= bridge->dirty;
        max++;
    }
    if (!dirty) {
        return;
    }
    struct publication p = { ofproto, view_build(ofproto) };
    max += p.new->n_by_dp_port + (ofproto->view ? ofproto->view->n_by_dp_port : 0);
    struct change *changes = xcalloc(max, sizeof *changes);
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        if (bridge->dirty) {
            bridge->dirty = false;
            changes[n++] = (struct change) { .dep = dep_make(DEP_BRIDGE, bridge->id, 0, 0) };
        }
    }
    if (ofproto->dirty_tunnels) {
        ofproto->dirty_tunnels = false;
        changes[n++] = (struct change) { .dep = dep_make(DEP_TUNNEL, 0, 0, 0) };
    }
    n += changed_dp_ports(ofproto->view, p.new, changes + n, max - n);
    changes_add(ofproto->changes, changes, n, publish, &p);
    free(changes);
    forget_gone_ports(ofproto);
}

void ofproto_settle(struct ofproto *ofproto, void (*done)(void *arg), void *arg)
{
    path_barrier(ofproto->path, done, arg);
}

void ofproto_wait(struct ofproto *ofproto, void (*done)(void *arg), void *arg)
{
    path_wait(ofproto->path, done, arg);
}

/* ---- Timers ---- */

static void every_second(void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct bridge *bridge;
    if (!ofproto->hold) {
        LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
            mac_expire(bridge->macs);
            bridge_update_fail_mode(bridge);
        }
    }
    loop_timer_after_ms(&ofproto->second, SECOND_MS);
}

static void expire_rules(void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    bool credited = ofproto->hold;   /* In the hold nothing expires. */
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        if (!ofproto->hold && tables_n_rules(bridge->tables)) {
            if (!credited) {
                path_credit(ofproto->path);
                credited = true;
            }
            tables_expire(bridge->tables, clock_ms());
        }
    }
    loop_timer_after_ms(&ofproto->expiry, EXPIRY_MS);
}

/* ---- Learning ---- */

static void apply_learn(const struct learn_request *request, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    struct bridge *bridge;
    LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
        if (bridge->id == request->bridge_id) {
            struct error *e = tables_learn(bridge->tables, &request->fm);
            if (e) {
                LOG_WARN("bridge \"%s\": a learnt rule was refused: %s", bridge->name, error_text(e));
                error_free(e);
            }
        }
    }
}

/* ---- Life ---- */

struct error *ofproto_create(const struct ofproto_options *options, struct ofproto **out)
{
    struct ofproto *ofproto = xzalloc(sizeof *ofproto);
    ofproto->options = *options;
    ofproto->changes = changes_create();
    ofproto->hold = options->hold;
    ofproto->next_bridge_id = 1;
    list_init(&ofproto->bridges);
    list_init(&ofproto->packet_ins);
    pthread_mutex_init(&ofproto->packet_in_lock, NULL);
    ofproto->view = view_new();
    struct path_options path = {
        .dp = options->dp, .changes = ofproto->changes, .view = &ofproto->view, .main_loop = options->loop,
        .hold = options->hold, .packet_in = packet_in_from_handler, .learn = apply_learn, .arg = ofproto,
    };
    struct error *e = path_create(&path, &ofproto->path);
    if (e) {
        return e;
    }
    loop_timer_init(&ofproto->second, options->loop, every_second, ofproto);
    loop_timer_after_ms(&ofproto->second, SECOND_MS);
    loop_timer_init(&ofproto->expiry, options->loop, expire_rules, ofproto);
    loop_timer_after_ms(&ofproto->expiry, EXPIRY_MS);
    *out = ofproto;
    return NULL;
}

void ofproto_destroy(struct ofproto *ofproto)
{
    loop_timer_cancel(&ofproto->second);
    loop_timer_cancel(&ofproto->expiry);
    path_destroy(ofproto->path);
    struct bridge *bridge, *after;
    LIST_FOR_EACH_SAFE (bridge, after, node, &ofproto->bridges) {
        list_remove(&bridge->node);
        bridge_free(bridge);
    }
    packet_ins_drain(ofproto);
    synchronize_rcu();
    view_free(ofproto->view);
    changes_destroy(ofproto->changes);
    pthread_mutex_destroy(&ofproto->packet_in_lock);
    free(ofproto);
}

void ofproto_datapath_connected(struct ofproto *ofproto)
{
    path_resync(ofproto->path);
}

void ofproto_release_hold(struct ofproto *ofproto)
{
    if (ofproto->hold) {
        ofproto->hold = false;
        path_set_hold(ofproto->path, false);
    }
}

bool ofproto_is_holding(const struct ofproto *ofproto)
{
    return ofproto->hold;
}

void ofproto_set(struct ofproto *ofproto, const struct ofproto_settings *settings)
{
    path_configure(ofproto->path, settings->flow_limit, settings->max_idle_ms);
}
