/* SPDX-License-Identifier: Apache-2.0 */
/* The public side of the upcall path: its threads, the hold, packet-outs, audits. */
#include "ofproto/path/path.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "ofproto/path/state.h"

LOG_MODULE(path);

enum { DEFAULT_MAX_IDLE_MS = 10000 };

void path_translate(struct path *path, const struct key *key, struct xlate_out *out)
{
    xlate_out_clear(out);
    /* The version first: a view that is newer than it does no harm, an older one would. */
    struct xlate_in in = { .version = changes_version(path->options.changes), .key = key };
    in.view = rcu_dereference(*path->options.view);
    xlate(&in, out);
}

struct stale_check {
    const struct xlate_out *out;
    bool stale;
};

static void check_stale(const struct change *change, void *check_)
{
    struct stale_check *check = check_;
    check->stale = check->stale || dep_set_is_touched(&check->out->deps, change->dep);
}

bool path_is_stale(struct path *path, const struct xlate_out *out)
{
    struct stale_check check = { out, false };
    rcu_read_lock();
    bool known = changes_since(path->options.changes, out->version, check_stale, &check);
    rcu_read_unlock();
    return !known || check.stale;
}

/* In whichever thread made the changes. */
static void changes_made(const struct change *list, size_t n, void *path_)
{
    struct path *path = path_;
    size_t touched = 0;
    pthread_mutex_lock(&path->index.lock);
    for (size_t i = 0; i < n; i++) {
        touched += cached_flows_touch(&path->index, &list[i]);
    }
    pthread_mutex_unlock(&path->index.lock);
    if (touched) {
        path_dirty_wake(path);
    }
}

/* In the client's reader thread. The flow stays in the index, so that it is not asked for again and again, until it idles out. */
static void flow_refused(uint64_t id, int errno_value, void *path_ UNUSED)
{
    LOG_WARN("datapath: flow %llu was refused: %s", (unsigned long long) id, strerror(errno_value));
}

static void run_handler(void *path)
{
    loop_run(((struct path *) path)->handler_loop);
}

static void run_sweeper(void *path)
{
    loop_run(((struct path *) path)->sweeper_loop);
}

struct error *path_create(const struct path_options *options, struct path **out)
{
    struct path *path = xzalloc(sizeof *path);
    path->options = *options;
    path->hold = options->hold;
    path->flow_limit = DP_MAX_FLOWS;
    path->max_idle_ms = DEFAULT_MAX_IDLE_MS;
    cached_flows_init(&path->index, options->dp);
    pthread_mutex_init(&path->learn_lock, NULL);
    pthread_cond_init(&path->learn_done, NULL);
    list_init(&path->learn_jobs);
    list_init(&path->waiters);
    path->handler_loop = loop_create("handler");
    path->sweeper_loop = loop_create("sweeper");
    changes_set_listener(options->changes, changes_made, path);
    dp_set_flow_failed(options->dp, flow_refused, path);
    loop_post(path->handler_loop, path_handler_start, path);
    loop_post(path->sweeper_loop, path_sweeper_start, path);

    struct error *e = thread_start(&path->handler_thread, "handler", run_handler, path);
    if (!e) {
        e = thread_start(&path->sweeper_thread, "sweeper", run_sweeper, path);
    }
    if (e) {
        return error_wrap(e, "upcall path");
    }
    *out = path;
    return NULL;
}

void path_destroy(struct path *path)
{
    pthread_mutex_lock(&path->learn_lock);
    __atomic_store_n(&path->stopping, true, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&path->learn_done);
    pthread_mutex_unlock(&path->learn_lock);
    loop_post(path->handler_loop, path_handler_stop, path);
    loop_post(path->sweeper_loop, path_sweeper_stop, path);
    thread_join(path->handler_thread);
    thread_join(path->sweeper_thread);
    changes_set_listener(path->options.changes, NULL, NULL);
    dp_set_flow_failed(path->options.dp, NULL, NULL);
    path_drain_learns(path);
    loop_destroy(path->handler_loop);
    loop_destroy(path->sweeper_loop);
    cached_flows_fini(&path->index);
    pthread_mutex_destroy(&path->learn_lock);
    pthread_cond_destroy(&path->learn_done);
    free(path);
}

void path_configure(struct path *path, uint32_t flow_limit, uint32_t max_idle_ms)
{
    path->flow_limit = MIN(MAX(flow_limit, 1000), DP_MAX_FLOWS);
    path->max_idle_ms = MAX(max_idle_ms, 500);
    pthread_mutex_lock(&path->index.lock);
    path->index.limit = path->flow_limit;
    pthread_mutex_unlock(&path->index.lock);
}

static void adopt_flow(const struct dp_flow *flow, void *path)
{
    cached_flows_adopt(&((struct path *) path)->index, flow);
}

void path_resync(struct path *path)
{
    pthread_mutex_lock(&path->index.lock);
    cached_flows_forget_all(&path->index);
    struct error *e = dp_flow_dump(path->options.dp, adopt_flow, path);
    cached_flows_adopted(&path->index);
    cached_flows_touch_all(&path->index);
    size_t n = path->index.n_flows;
    pthread_mutex_unlock(&path->index.lock);
    if (e) {
        LOG_WARN("datapath: its flows could not be read: %s", error_text(e));
        error_free(e);
    } else if (n) {
        LOG_INFO("datapath: took over %zu flows", n);
    }
    loop_post(path->handler_loop, path_handler_start, path);
    path_dirty_wake(path);
}

void path_set_hold(struct path *path, bool hold)
{
    __atomic_store_n(&path->hold, hold, __ATOMIC_RELEASE);
    loop_post(path->handler_loop, path_handler_start, path);
    if (!hold) {
        path_dirty_wake(path);
    }
}

void path_credit(struct path *path)
{
    path_credit_flows(path, false);
}

void path_purge(struct path *path)
{
    pthread_mutex_lock(&path->index.lock);
    while (!list_is_empty(&path->index.flows)) {
        cached_flows_delete(&path->index, LIST_ENTRY(path->index.flows.next, struct cached_flow, in_all));
    }
    pthread_mutex_unlock(&path->index.lock);
}

void path_forget_bridge(struct path *path, uint16_t bridge_id)
{
    /* Translations under way end before, those that begin now do not see the bridge. */
    synchronize_rcu();
    pthread_mutex_lock(&path->index.lock);
    cached_flows_delete_by_object(&path->index, dep_object(dep_make(DEP_BRIDGE, bridge_id, 0, 0)));
    pthread_mutex_unlock(&path->index.lock);
    path_drain_learns(path);
}

static const struct view_bridge *bridge_by_id(const struct view *view, uint16_t id)
{
    for (size_t i = 0; i < view->n_bridges; i++) {
        if (view->bridges[i]->id == id) {
            return view->bridges[i];
        }
    }
    return NULL;
}

/* Within RCU. False: the bridge is not there any more. */
static bool translate_packet_out(struct path *path, const struct packet_out *po, struct xlate_out *out)
{
    struct xlate_in in = {
        .version = changes_version(path->options.changes), .key = po->key, .of_in_port = po->in_port,
        .fields = po->fields, .actions = po->actions,
    };
    in.view = rcu_dereference(*path->options.view);
    in.bridge = bridge_by_id(in.view, po->bridge_id);
    if (!in.bridge) {
        return false;
    }
    const struct view_port *port = view_port_by_number(in.bridge, po->in_port);
    po->key->meta.in_port = port && port->kind == VIEW_DEVICE ? port->dp_port : DP_PORT_NONE;
    xlate(&in, out);
    return true;
}

void path_execute(struct path *path, const struct packet_out *po)
{
    struct xlate_out out;
    struct credits credits = { NULL, 0 };
    struct list learns;
    list_init(&learns);
    xlate_out_init(&out);
    rcu_read_lock();
    bool found = translate_packet_out(path, po, &out);
    if (found) {
        path_apply_once(&out);
        path_collect_learns(&out, &learns);
        credits_from_effects(&credits, &out);
        for (size_t i = 0; i < out.n_effects; i++) {
            if (out.effects[i].kind == EFFECT_PACKET_IN) {
                path->options.packet_in(&out.effects[i].packet_in, po->frame, po->n, path->options.arg);
            }
        }
    }
    rcu_read_unlock();
    path_run_learns(path, &learns, false);
    if (found) {
        /* In order with the flows: under the lock of the index. */
        pthread_mutex_lock(&path->index.lock);
        credits_apply(&credits, 1, po->n, clock_ms(), path_learn_later, path);
        dp_execute(path->options.dp, 0, po->key, po->frame, po->n, &out.actions);
        pthread_mutex_unlock(&path->index.lock);
    }
    credits_fini(&credits);
    xlate_out_fini(&out);
}

size_t path_audit(struct path *path, struct text *text)
{
    size_t n_wrong = 0;
    struct xlate_out out;
    xlate_out_init(&out);
    pthread_mutex_lock(&path->index.lock);
    struct cached_flow *f;
    LIST_FOR_EACH (f, in_all, &path->index.flows) {
        struct key key;
        cached_flows_key(f, &key);
        rcu_read_lock();
        path_translate(path, &key, &out);
        rcu_read_unlock();
        /* After a change that does not concern the flow's packets a new translation may look at more, to find that out. */
        bool mask_holds = f->version != out.version || mask_contains(&f->member->mask, &out.mask);
        if (!list_is_empty(&f->in_dirty) || (xlate_out_same_actions(&out, &f->actions) && mask_holds)) {
            continue;
        }
        n_wrong++;
        key_format(&key, &f->member->mask, NULL, NULL, text);
        text_put(text, "\n  has:    ");
        action_list_format_for(&f->actions, &key, NULL, NULL, text);
        text_put(text, "\n  should: ");
        action_list_format_for(&out.actions, &key, NULL, NULL, text);
        text_put_char(text, '\n');
    }
    text_printf(text, "%zu flows audited, %zu wrong\n", path->index.n_flows, n_wrong);
    pthread_mutex_unlock(&path->index.lock);
    xlate_out_fini(&out);
    return n_wrong;
}

void path_get_stats(struct path *path, struct path_stats *stats)
{
    pthread_mutex_lock(&path->index.lock);
    *stats = (struct path_stats) {
        .n_flows = path->index.n_flows,
        .n_dirty = path->index.n_dirty,
        .n_masks = path->index.families.n_members,
        .n_dep_lists = hmap_count(&path->index.dep_lists),
        .n_installed = path->index.n_put,
        .n_deleted = path->index.n_deleted,
        .n_changed = path->index.n_changed,
        .n_examined = path->index.n_examined,
        .n_full = path->index.n_full,
        .flow_limit = path->flow_limit,
        .max_idle_ms = path->max_idle_ms,
    };
    pthread_mutex_unlock(&path->index.lock);
    stats->n_upcalls = __atomic_load_n(&path->n_upcalls, __ATOMIC_RELAXED);
    stats->n_retranslated = __atomic_load_n(&path->n_retranslated, __ATOMIC_RELAXED);
    stats->n_executed = __atomic_load_n(&path->n_executed, __ATOMIC_RELAXED);
}
