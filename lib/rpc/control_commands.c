/* SPDX-License-Identifier: Apache-2.0 */
/* Control commands that every daemon has: its log and its clock. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/base/text.h"
#include "lib/rpc/control.h"
#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "lib/sys/loop.h"

static void reply_error_or(struct control_request *r, struct error *e, const char *text)
{
    if (e) {
        control_reply_error_take(r, e);
    } else {
        control_reply(r, text);
    }
}

static void vlog_set(struct control_request *r, int argc, char *argv[], void *arg)
{
    struct error *e = NULL;
    for (int i = 1; i < argc && !e; i++) {
        e = log_set_from_word(argv[i]);
    }
    reply_error_or(r, e, "");
}

static void vlog_list(struct control_request *r, int argc, char *argv[], void *arg)
{
    struct text t = TEXT_INIT;
    if (control_wants_json(r)) {
        log_list_json(&t);
        control_reply_json(r, json_loads(text_str(&t), 0, NULL));
    } else {
        log_list(&t);
        control_reply(r, text_str(&t));
    }
    text_fini(&t);
}

static void vlog_list_pattern(struct control_request *r, int argc, char *argv[], void *arg)
{
    struct text t = TEXT_INIT;
    log_list_patterns(&t);
    control_reply(r, text_str(&t));
    text_fini(&t);
}

static void vlog_reopen(struct control_request *r, int argc, char *argv[], void *arg)
{
    reply_error_or(r, log_reopen(), "");
}

static void vlog_close(struct control_request *r, int argc, char *argv[], void *arg)
{
    log_close_file();
    control_reply(r, "");
}

static void set_rate_limits(struct control_request *r, int argc, char *argv[], bool limited)
{
    struct error *e = argc == 1 ? log_set_rate_limits("ANY", limited) : NULL;
    for (int i = 1; i < argc && !e; i++) {
        e = log_set_rate_limits(argv[i], limited);
    }
    reply_error_or(r, e, "");
}

static void vlog_limit(struct control_request *r, int argc, char *argv[], void *arg)
{
    set_rate_limits(r, argc, argv, true);
}

static void vlog_unlimit(struct control_request *r, int argc, char *argv[], void *arg)
{
    set_rate_limits(r, argc, argv, false);
}

const struct control_command control_log_commands[] = {
    { "vlog/set", "{spec | PATTERN:destination:pattern}", "Sets log levels, or a pattern.", 1, -1,
      vlog_set },
    { "vlog/list", "", "Shows the level of each module for each destination.", 0, 0, vlog_list },
    { "vlog/list-pattern", "", "Shows how lines are formed.", 0, 0, vlog_list_pattern },
    { "vlog/reopen", "", "Opens the log file again, after it was moved away.", 0, 0, vlog_reopen },
    { "vlog/close", "", "Closes the log file.", 0, 0, vlog_close },
    { "vlog/enable-rate-limit", "[module]...", "Limits how often a line is repeated.", 0, -1,
      vlog_limit },
    { "vlog/disable-rate-limit", "[module]...", "Lets every line through.", 0, -1, vlog_unlimit },
    { NULL, NULL, NULL, 0, 0, NULL },
};

static void time_stop(struct control_request *r, int argc, char *argv[], void *arg)
{
    clock_stop();
    control_reply(r, "");
}

static void warped(void *request)
{
    control_reply(request, "warped");
}

static void time_warp(struct control_request *r, int argc, char *argv[], void *arg)
{
    const uint64_t max_ms = UINT64_C(1000) * 60 * 60 * 24 * 366;
    uint64_t total_ms, step_ms = 0;
    if (!parse_uint(argv[1], 0, max_ms, &total_ms)
        || (argc > 2 && !parse_uint(argv[2], 1, max_ms, &step_ms))) {
        control_reply_error(r, "time/warp takes milliseconds, at most a year: MS [STEP]");
        return;
    }
    loop_warp(control_request_loop(r), (int64_t) total_ms * NSEC_PER_MSEC,
              (int64_t) step_ms * NSEC_PER_MSEC, warped, r);
}

const struct control_command control_time_commands[] = {
    { "time/stop", "", "Stops the clock; only time/warp moves it from then on.", 0, 0, time_stop },
    { "time/warp", "MSECS [STEP]", "Moves the clock and waits until due timers have run.", 1, 2,
      time_warp },
    { NULL, NULL, NULL, 0, 0, NULL },
};
