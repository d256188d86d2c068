/* SPDX-License-Identifier: Apache-2.0 */
/* Tells ports what happens to network devices, in our namespace and in those that ours has an id for (internal ports
 * that were moved away).
 *
 * Threads: control thread; one monitor for each loop. */
#ifndef DATAPATH_PORT_MONITOR_H
#define DATAPATH_PORT_MONITOR_H

#include "datapath/port/link.h"
#include "lib/base/list.h"

struct error;
struct link_monitor;
struct loop;

struct link_event {
    bool gone;                 /* RTM_DELLINK: deleted, or moved out of this namespace. */
    struct link_info link;
};

/* Embedded in its owner. 'cb' may stop its own watch. */
struct link_watch {
    struct list node;
    struct link_monitor *monitor;
    /* 'event' NULL: events were lost, look again yourself. */
    void (*cb)(const struct link_event *event, void *arg);
    void *arg;
};

struct error *link_watch_start(struct link_watch *, struct loop *, void (*cb)(const struct link_event *, void *arg),
                               void *arg);
void link_watch_stop(struct link_watch *);   /* Also of one that was never started and is all zero. */

#endif
