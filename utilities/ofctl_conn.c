/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl's connection to a switch: finding it, saying hello, asking and waiting. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/sys/process.h"
#include "lib/sys/unix_socket.h"
#include "utilities/ofctl.h"

enum { DEFAULT_PORT = 6653 };

/* ---- Sockets ---- */

static void wait_for(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };
    while (poll(&p, 1, -1) < 0 && errno == EINTR) {
    }
}

static int connect_tcp(const char *name, const char *host_port)
{
    char *copy = xstrdup(host_port), *host = copy, *port = NULL;
    if (*host == '[') {
        host++;
        char *close = strchr(host, ']');
        if (close) {
            *close = '\0';
            port = close[1] == ':' ? close + 2 : NULL;
        }
    } else if ((port = strrchr(host, ':'))) {
        *port++ = '\0';
    }
    char service[16];
    snprintf(service, sizeof service, "%d", DEFAULT_PORT);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
    int status = getaddrinfo(host, port && *port ? port : service, &hints, &list);
    if (status) {
        ofctl_fail("%s: %s", name, gai_strerror(status));
    }
    int fd = -1, saved = 0;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
            saved = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    free(copy);
    if (fd < 0) {
        ofctl_fail("%s: connecting: %s", name, strerror(saved));
    }
    return fd;
}

static bool is_socket(const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISSOCK(s.st_mode);
}

static int connect_unix(const char *name, const char *path)
{
    int fd;
    char *full = process_rundir_file(path);
    struct error *error = unix_connect(full, SOCK_STREAM, &fd);
    if (error) {
        ofctl_check(error_wrap(error, "%s", name));
    }
    free(full);
    return fd;
}

static int connect_any(const char *name, const char *suffix)
{
    if (!strncmp(name, "unix:", 5)) {
        return connect_unix(name, name + 5);
    }
    if (!strncmp(name, "tcp:", 4)) {
        return connect_tcp(name, name + 4);
    }
    if (!strncmp(name, "ssl:", 4)) {
        ofctl_fail("%s: TLS is not supported; there are unix: and tcp:", name);
    }
    if (strchr(name, '/') && is_socket(name)) {
        return connect_unix(name, name);
    }
    char *file = xasprintf("%s%s", name, suffix), *path = process_rundir_file(file);
    if (!is_socket(path)) {
        ofctl_fail("%s is not a bridge or a socket: there is no %s", name, path);
    }
    int fd = connect_unix(name, path);
    free(file);
    free(path);
    return fd;
}

/* ---- Messages ---- */

void ofconn_send(struct ofconn *c, const struct buffer *b)
{
    for (size_t done = 0; done < b->len;) {
        ssize_t n = send(c->fd, b->data + done, b->len - done, MSG_NOSIGNAL);
        if (n > 0) {
            done += n;
        } else if (errno == EAGAIN) {
            wait_for(c->fd, POLLOUT);
        } else if (errno != EINTR) {
            ofctl_fail("%s: sending: %s", c->name, strerror(errno));
        }
    }
}

static bool read_some(struct ofconn *c)
{
    for (;;) {
        uint8_t *p = buffer_put_uninit(&c->in, 65536);
        ssize_t n = recv(c->fd, p, 65536, 0);
        int saved = errno;
        c->in.len -= n > 0 ? 65536 - n : 65536;
        if (n > 0) {
            return true;
        }
        if (!n || saved == ECONNRESET || saved == EPIPE) {
            return false;
        }
        if (saved == EAGAIN) {
            wait_for(c->fd, POLLIN);
        } else if (saved != EINTR) {
            ofctl_fail("%s: receiving: %s", c->name, strerror(saved));
        }
    }
}

/* The bytes of the next message lie at the beginning of c->in; *used says how many of the message before to drop. */
static bool next_bytes(struct ofconn *c, size_t *length)
{
    while (c->in.len < 8 || ofp_message_length(c->in.data) > c->in.len) {
        if (c->in.len >= 8 && ofp_message_length(c->in.data) < 8) {
            ofctl_fail("%s: the peer does not speak OpenFlow", c->name);
        }
        if (!read_some(c)) {
            return false;
        }
    }
    *length = ofp_message_length(c->in.data);
    if (*length < 8) {
        ofctl_fail("%s: the peer does not speak OpenFlow", c->name);
    }
    return true;
}

static void reply_echo(struct ofconn *c, const struct ofp_header *h)
{
    struct buffer b = BUFFER_INIT;
    ofp_put_simple(&b, OFPMSG_ECHO_REPLY, h->version, h->xid, h->body, h->body_len);
    ofconn_send(c, &b);
    buffer_fini(&b);
}

static void drop_pending(struct ofconn *c)
{
    buffer_pull(&c->in, c->pending);
    c->pending = 0;
}

bool ofconn_recv(struct ofconn *c, struct ofp_header *h)
{
    for (;;) {
        size_t length;
        drop_pending(c);
        if (!next_bytes(c, &length)) {
            return false;
        }
        c->pending = length;
        error_free(ofp_decode_header(c->in.data, length, h));   /* What it cannot know is told by h->msg. */
        if (h->msg != OFPMSG_ECHO_REQUEST) {
            return true;
        }
        reply_echo(c, h);
    }
}

uint32_t ofconn_xid(struct ofconn *c)
{
    return ++c->xid;
}

static void say_hello(struct ofconn *c)
{
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    ofp_encode_hello(&b, ofctl.versions, ofconn_xid(c));
    ofconn_send(c, &b);
    size_t length;
    if (!next_bytes(c, &length)) {
        ofctl_fail("%s: the switch closed the connection before its hello", c->name);
    }
    uint32_t bits;
    struct error *error = ofp_decode_hello(c->in.data, length, &bits);
    if (error) {
        ofctl_check(error_wrap(error, "%s", c->name));
    }
    uint32_t common = bits & ofctl.versions;
    if (!common) {
        struct text theirs = TEXT_INIT;
        for (int v = OFP10; v <= OFP15; v++) {
            if (bits & OFP_BIT(v)) {
                text_printf(&theirs, " %s", ofp_version_name(v));
            }
        }
        error_free(ofp_decode_header(c->in.data, length, &h));
        buffer_clear(&b);
        ofp_encode_hello_failed(&b, h.version, h.xid, "no version in common");
        ofconn_send(c, &b);
        ofctl_fail("%s: there is no OpenFlow version in common: the switch speaks%s; choose with -O", c->name,
                   text_str(&theirs));
    }
    c->version = 31 - __builtin_clz(common);
    c->pending = length;
    drop_pending(c);
    buffer_fini(&b);
}

struct ofconn *ofconn_open(const char *name, const char *suffix)
{
    struct ofconn *c = xzalloc(sizeof *c);
    c->name = xstrdup(name);
    c->fd = connect_any(name, suffix);
    say_hello(c);
    return c;
}

void ofconn_close(struct ofconn *c)
{
    close(c->fd);
    buffer_fini(&c->in);
    free(c->name);
    free(c);
}

static struct error *refusal(const struct ofp_header *h)
{
    enum ofp_error code;
    struct error *error = ofp_decode_error(h, &code, NULL);
    return error ? error : error_new(code, "%s: %s", ofp_error_name(code), ofp_error_rows[code - ERROR_CODE_OWN].help);
}

void ofconn_transact(struct ofconn *c, const struct buffer *request,
                     void (*each)(const struct ofp_header *, void *arg), void *arg)
{
    struct ofp_header q, h;
    ofctl_check(ofp_decode_header(request->data, request->len, &q));
    ofconn_send(c, request);
    for (;;) {
        if (!ofconn_recv(c, &h)) {
            ofctl_fail("%s: the switch closed the connection", c->name);
        }
        if (h.xid != q.xid) {
            continue;
        }
        if (h.msg == OFPMSG_ERROR) {
            ofctl_check(error_wrap(refusal(&h), "%s: the switch refused %s", c->name, ofp_msg_name(q.msg)));
        }
        if ((int) h.msg != ofp_reply_of(q.msg)) {
            ofctl_fail("%s: the switch answered %s with something else", c->name, ofp_msg_name(q.msg));
        }
        each(&h, arg);
        if (!h.more) {
            return;
        }
    }
}

struct error *ofconn_apply(struct ofconn *c, const struct buffer *messages)
{
    struct buffer b = BUFFER_INIT;
    struct ofp_header h;
    struct error *first = NULL;
    uint32_t xid = ofconn_xid(c);
    ofconn_send(c, messages);
    ofp_put_simple(&b, OFPMSG_BARRIER_REQUEST, c->version, xid, NULL, 0);
    ofconn_send(c, &b);
    buffer_fini(&b);
    for (;;) {
        if (!ofconn_recv(c, &h)) {
            ofctl_fail("%s: the switch closed the connection", c->name);
        }
        if (h.msg == OFPMSG_ERROR) {
            error_keep_first(&first, error_wrap(refusal(&h), "%s: the switch refused message %u", c->name, h.xid));
        } else if (h.msg == OFPMSG_BARRIER_REPLY && h.xid == xid) {
            return first;
        }
    }
}
