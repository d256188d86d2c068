/* SPDX-License-Identifier: Apache-2.0 */
/* Channels with descriptors, shared memory and its seals, unix sockets by path. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/sys/channel.h"
#include "lib/sys/shm.h"
#include "lib/sys/unix_socket.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/tsuji-unit-XXXXXX";

static void make_dir(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    char *command = xasprintf("rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

START_TEST(messages_keep_their_bounds)
{
    int fds[2], got_fds[CHANNEL_MAX_FDS];
    size_t n, n_fds;
    ck_assert_int_eq(channel_pair(fds), 0);
    uint8_t *out = xmalloc(CHANNEL_MAX_MESSAGE + 1), *in = xmalloc(CHANNEL_MAX_MESSAGE);
    static const size_t sizes[] = { 1, 100, 4097, CHANNEL_MAX_MESSAGE };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        memset(out, (int) i + 1, sizes[i]);
        ck_assert_int_eq(channel_send(fds[0], out, sizes[i], NULL, 0), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        ck_assert_int_eq(channel_recv(fds[1], in, &n, got_fds, &n_fds), 0);
        ck_assert_uint_eq(n, sizes[i]);
        ck_assert_uint_eq(n_fds, 0);
        ck_assert_uint_eq(in[n - 1], i + 1);
    }
    ck_assert_int_eq(channel_recv(fds[1], in, &n, got_fds, &n_fds), EAGAIN);
    ck_assert_int_eq(channel_send(fds[0], out, CHANNEL_MAX_MESSAGE + 1, NULL, 0), EMSGSIZE);
    ck_assert_int_eq(channel_send(fds[0], out, 0, NULL, 0), EMSGSIZE);

    /* A message that is longer than allowed is not cut silently. */
    ck_assert_int_eq(send(fds[0], out, CHANNEL_MAX_MESSAGE + 1, 0), CHANNEL_MAX_MESSAGE + 1);
    ck_assert_int_eq(channel_recv(fds[1], in, &n, got_fds, &n_fds), EMSGSIZE);

    /* Back-pressure, then the end. */
    int error, sent = 0;
    while (!(error = channel_send(fds[0], out, CHANNEL_MAX_MESSAGE, NULL, 0))) {
        sent++;
    }
    ck_assert_int_eq(error, EAGAIN);
    ck_assert_int_ge(sent, 2);
    close(fds[0]);
    while (sent--) {
        ck_assert_int_eq(channel_recv(fds[1], in, &n, got_fds, &n_fds), 0);
    }
    ck_assert_int_eq(channel_recv(fds[1], in, &n, got_fds, &n_fds), EPIPE);
    ck_assert_int_eq(channel_send(fds[1], out, 1, NULL, 0), EPIPE);
    close(fds[1]);
    free(out);
    free(in);
}
END_TEST

static int count_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 200; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

START_TEST(descriptors_travel)
{
    int fds[2], got[CHANNEL_MAX_FDS], pipe_fds[2];
    size_t n, n_fds;
    uint8_t *in = xmalloc(CHANNEL_MAX_MESSAGE);
    ck_assert_int_eq(channel_pair(fds), 0);
    ck_assert_int_eq(pipe(pipe_fds), 0);
    ck_assert_int_eq(channel_send(fds[0], "hi", 2, pipe_fds, 2), 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ck_assert_int_eq(channel_recv(fds[1], in, &n, got, &n_fds), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(n_fds, 2);
    ck_assert_int_eq(write(got[1], "x", 1), 1);
    ck_assert_int_eq(read(got[0], in, 1), 1);
    ck_assert_int_eq(fcntl(got[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(got[0]);
    close(got[1]);

    /* More than the limit: refused, and none of them stays open. */
    int before = count_fds();
    int many[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
    struct iovec iov = { "x", 1 };
    char control[CMSG_SPACE(sizeof many)] = { 0 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    *c = (struct cmsghdr) { CMSG_LEN(sizeof many), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(c), many, sizeof many);
    ck_assert_int_eq(sendmsg(fds[0], &msg, 0), 1);
    ck_assert_int_eq(channel_recv(fds[1], in, &n, got, &n_fds), EMSGSIZE);
    ck_assert_uint_eq(n_fds, 0);
    ck_assert_int_eq(count_fds(), before);
    ck_assert_int_eq(channel_send(fds[0], "x", 1, many, 5), EMSGSIZE);
    free(in);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(shared_memory_is_sealed)
{
    int fd;
    void *p, *q;
    ck_assert_ptr_null(shm_create("unit", 10000, &fd, &p));
    memset(p, 0x5a, 10000);
    ck_assert_int_ne(ftruncate(fd, 4096), 0);
    ck_assert_int_ne(ftruncate(fd, 1 << 20), 0);
    ck_assert_ptr_null(shm_map(fd, 10000, true, &q));
    ((uint8_t *) q)[3] = 1;
    ck_assert_uint_eq(((uint8_t *) p)[3], 1);
    shm_unmap(q, 10000);

    ck_assert_ptr_null(shm_seal(fd, true));
    struct error *e = shm_map(fd, 10000, true, &q);
    ck_assert_int_eq(error_code(e), EPERM);
    error_free(e);
    ck_assert_ptr_null(shm_map(fd, 10000, false, &q));
    ((uint8_t *) p)[4] = 2;                   /* The owner still writes. */
    ck_assert_uint_eq(((uint8_t *) q)[4], 2);
    shm_unmap(q, 10000);

    e = shm_map(fd, 20000, false, &q);
    ck_assert_int_eq(error_code(e), EINVAL);
    error_free(e);
    shm_unmap(p, 10000);
    close(fd);

    fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
    ck_assert_int_eq(ftruncate(fd, 4096), 0);
    e = shm_map(fd, 4096, false, &q);
    ck_assert_int_eq(error_code(e), EPERM);
    error_free(e);
    close(fd);
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    e = shm_map(fds[0], 4096, false, &q);
    ck_assert_ptr_nonnull(e);
    error_free(e);
}
END_TEST

static void try_path(const char *path)
{
    int listener, client, server;
    uid_t uid;
    gid_t gid;
    pid_t pid;
    ck_assert_ptr_null(channel_listen(path, &listener));
    ck_assert_ptr_null(channel_connect(path, &client));
    ck_assert_int_eq(channel_accept(listener, &server), 0);
    ck_assert_int_eq(channel_peer(server, &uid, &gid, &pid), 0);
    ck_assert_uint_eq(uid, getuid());
    ck_assert_int_eq(pid, getpid());
    int second;
    struct error *e = channel_listen(path, &second);
    ck_assert_int_eq(error_code(e), EADDRINUSE);
    error_free(e);
    close(listener);
    close(client);
    close(server);
    /* The file is still there, but nobody listens: it is replaced. */
    ck_assert_ptr_null(channel_listen(path, &listener));
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07, 0);
    close(listener);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(sockets_by_path)
{
    make_dir();
    char *path = xasprintf("%s/short", dir);
    try_path(path);
    free(path);

    char *deep = xasprintf("%s/%0100d", dir, 7);
    ck_assert_int_eq(mkdir(deep, 0700), 0);
    path = xasprintf("%s/socket-with-a-long-path", deep);
    ck_assert_uint_gt(strlen(path), 108);
    try_path(path);
    free(path);
    free(deep);

    int fd;
    path = xasprintf("%s/file", dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    struct error *e = channel_listen(path, &fd);
    ck_assert_int_eq(error_code(e), EEXIST);
    error_free(e);
    ck_assert_int_eq(access(path, F_OK), 0);   /* Not ours to remove. */
    free(path);
    path = xasprintf("%s/nothing", dir);
    e = channel_connect(path, &fd);
    ck_assert_int_eq(error_code(e), ENOENT);
    ck_assert_ptr_nonnull(strstr(error_text(e), path));
    error_free(e);
    free(path);
    remove_dir();
}
END_TEST

TCase *channel_tcase(void);
TCase *channel_tcase(void)
{
    TCase *tc = tcase_create("channel");
    tcase_add_test(tc, messages_keep_their_bounds);
    tcase_add_test(tc, descriptors_travel);
    tcase_add_test(tc, shared_memory_is_sealed);
    tcase_add_test(tc, sockets_by_path);
    return tc;
}
