/* SPDX-License-Identifier: Apache-2.0 */
/* Packets for controllers on their way from the handler to the main thread, bounded. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "ofproto/bridge.h"

enum { MAX_WAITING = 1000 };

struct packet_in_job {
    struct list node;
    uint16_t bridge_id, controller_id;
    bool is_miss_rule;
    struct ofp_packet_in pin;         /* Data and userdata are owned. */
};

static void job_free(struct packet_in_job *job)
{
    free((void *) job->pin.data);
    free((void *) job->pin.userdata);
    free(job);
}

static void drain_posted(void *ofproto)
{
    packet_ins_drain(ofproto);
}

void packet_in_from_handler(const struct effect_packet_in *effect, const void *frame, size_t n, void *ofproto_)
{
    struct ofproto *ofproto = ofproto_;
    pthread_mutex_lock(&ofproto->packet_in_lock);
    if (ofproto->n_packet_ins >= MAX_WAITING) {
        ofproto->n_packet_ins_dropped++;
        pthread_mutex_unlock(&ofproto->packet_in_lock);
        return;
    }
    struct packet_in_job *job = xzalloc(sizeof *job);
    job->bridge_id = effect->bridge->id;
    job->controller_id = effect->controller_id;
    job->is_miss_rule = effect->is_miss_rule;
    job->pin = (struct ofp_packet_in) {
        .buffer_id = OFP_NO_BUFFER, .total_len = MIN(n, UINT16_MAX), .reason = effect->reason,
        .table_id = effect->table_id, .cookie = effect->cookie, .match = effect->metadata,
        .data = xmemdup(frame, MAX(n, 1)), .data_len = MIN(n, UINT16_MAX),
        .userdata = effect->userdata_len ? xmemdup(effect->userdata, effect->userdata_len) : NULL,
        .userdata_len = effect->userdata_len,
    };
    list_push_back(&ofproto->packet_ins, &job->node);
    ofproto->n_packet_ins++;
    bool post = !ofproto->packet_ins_posted;
    ofproto->packet_ins_posted = true;
    pthread_mutex_unlock(&ofproto->packet_in_lock);
    if (post) {
        loop_post(ofproto->options.loop, drain_posted, ofproto);
    }
}

void packet_ins_drain(struct ofproto *ofproto)
{
    struct list jobs;
    list_init(&jobs);
    pthread_mutex_lock(&ofproto->packet_in_lock);
    list_splice_back(&jobs, &ofproto->packet_ins);
    ofproto->n_packet_ins = 0;
    ofproto->packet_ins_posted = false;
    pthread_mutex_unlock(&ofproto->packet_in_lock);
    while (!list_is_empty(&jobs)) {
        struct packet_in_job *job = LIST_ENTRY(list_pop_front(&jobs), struct packet_in_job, node);
        struct bridge *bridge;
        LIST_FOR_EACH (bridge, node, &ofproto->bridges) {
            if (bridge->id == job->bridge_id) {
                connections_packet_in(bridge->connections, &job->pin, job->controller_id, job->is_miss_rule);
                break;
            }
        }
        job_free(job);
    }
}
