/* SPDX-License-Identifier: Apache-2.0 */
/* The hold after a restart: forward by what was found until the tables are refilled.
 *
 * A new control plane that finds flows in the datapath does not know yet what its tables will say. It changes and
 * expires nothing, and new flows wait, until other_config:flow-restore-wait is not set and each bridge is refilled: it
 * switches without controllers, or has rules and none was added for a moment, or the hold has lasted its bound. */
#include "lib/sys/clock.h"
#include "lib/base/error.h"
#include "lib/sys/log.h"
#include "vswitchd/vswitch.h"

LOG_MODULE(hold);

enum { CHECK_MS = 200, QUIET_MS = 1000, BOUND_MS = 30000 };

static bool all_refilled(struct vswitch *vs)
{
    struct bridge_handle *h;
    LIST_FOR_EACH (h, node, &vs->bridges) {
        if (!bridge_is_refilled(h->bridge, QUIET_MS)) {
            return false;
        }
    }
    return true;
}

void vswitch_hold_check(struct vswitch *vs)
{
    if (!vs->hold || !vs->current) {
        return;
    }
    bool too_long = clock_ms() - vs->hold_since_ms > BOUND_MS;
    if (vs->current->flow_restore_wait || (!all_refilled(vs) && !too_long)) {
        loop_timer_after_ms(&vs->reconfigure_timer, CHECK_MS);
        return;
    }
    vs->hold = false;
    LOG_INFO("end of the hold after %lld ms: %s", (long long) (clock_ms() - vs->hold_since_ms),
             too_long ? "its bound is reached" : "the tables are refilled");
    ofproto_release_hold(vs->ofproto);
    struct dp_config config = vs->current->dp;
    config.hold = false;
    struct error *e = dp_configure(vs->dp, &config);
    if (e) {
        LOG_WARN("datapath: %s", error_text(e));
        error_free(e);
        vs->current->dp.n_workers = 0;   /* So that the next plan configures it. */
    }
}
