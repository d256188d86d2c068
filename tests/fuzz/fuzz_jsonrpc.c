/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes that arrive at a JSON-RPC session, in two pieces, through a socket. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/rpc/jsonrpc.h"
#include "lib/rpc/stream.h"
#include "lib/sys/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct jsonrpc *session;

static void message(struct jsonrpc *j, const struct jsonrpc_message *m, void *arg)
{
    /* What any user does: look at the parts and answer. */
    if (m->type == JSONRPC_REQUEST) {
        jsonrpc_send_reply(j, json_incref(m->params), json_incref(m->id));
    } else if (m->type == JSONRPC_NOTIFY && !strcmp(m->method, "leave")) {
        jsonrpc_destroy(j);
        session = NULL;
    }
}

static void closed(struct jsonrpc *j, struct error *e, void *arg)
{
    jsonrpc_destroy(j);
    session = NULL;
}

/* Writes all of it, as far as anybody reads. */
static void feed(int fd, const uint8_t *p, size_t n)
{
    while (n && session) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            p += sent;
            n -= (size_t) sent;
        }
        loop_run_once(loop, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct jsonrpc_callbacks callbacks = { message, closed, NULL };
    int fds[2];
    if (!size || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds)) {
        return 0;
    }
    if (!loop) {
        loop = loop_create("fuzz");
    }
    session = jsonrpc_create(loop, stream_from_fd(loop, fds[0], "fuzz"), &callbacks, NULL);
    size_t first = MIN((size_t) data[0], size - 1);   /* Length of the first piece. */
    feed(fds[1], data + 1, first);
    feed(fds[1], data + 1 + first, size - 1 - first);
    close(fds[1]);
    loop_run_once(loop, 0);
    jsonrpc_destroy(session);
    session = NULL;
    return 0;
}
