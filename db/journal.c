/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: reading, appending, replacing, locking. */
#include "db/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"

enum { SHA1_BYTES = 20, MAX_HEADER = 128, READ_CHUNK = 1 << 18 };

struct journal {
    const struct file_ops *ops;
    char *path;            /* Symbolic links followed. */
    int fd;
    int lock_fd;           /* -1: not open for writing. */
    off_t end;             /* End of the good records. */
    off_t last;            /* Where the record began that was read last. */
    off_t size;            /* Of the file when it was opened. */
    char *read_buffer;     /* Bytes from file offset 'end' on begin at 'read_at'. */
    size_t read_at, n_read, read_allocated;
    struct text queue;
    bool dirty_tail;       /* There may be bytes behind 'end'. */
    bool untrusted;        /* A sync failed. */
};

static void sha1_hex(const void *data, size_t len, char hex[2 * SHA1_BYTES + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    EVP_Digest(data, len, digest, NULL, EVP_sha1(), NULL);
    for (int i = 0; i < SHA1_BYTES; i++) {
        sprintf(hex + 2 * i, "%02x", digest[i]);
    }
}

/* A record in its place in the file. */
static void put_record(struct text *t, const char *json, size_t len)
{
    char *line = xmalloc(len + 1);
    memcpy(line, json, len);
    line[len] = '\n';
    char hex[2 * SHA1_BYTES + 1];
    sha1_hex(line, len + 1, hex);
    text_printf(t, "OVSDB JSON %zu %s\n", len + 1, hex);
    text_put_n(t, line, len + 1);
    free(line);
}

static int write_all(const struct file_ops *ops, int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t written = ops->write(fd, p, n);
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno;
        }
        if (!written) {
            return ENOSPC;
        }
        p += written;
        n -= written;
    }
    return 0;
}

/* Makes a new or renamed file's name durable. */
static int sync_directory(const struct file_ops *ops, const char *path)
{
    char *copy = xstrdup(path);
    int fd = ops->open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    int err = fd < 0 ? errno : 0;
    if (fd >= 0) {
        if (ops->fsync(fd)) {
            err = errno == EINVAL ? 0 : errno;   /* Some file systems sync no directories. */
        }
        ops->close(fd);
    }
    free(copy);
    return err;
}

struct error *journal_create(const char *path, const char *schema, const struct file_ops *ops)
{
    int fd = ops->open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        return error_errno(errno, "%s: cannot be created", path);
    }
    struct text t = TEXT_INIT;
    put_record(&t, schema, strlen(schema));
    int err = write_all(ops, fd, t.s, t.len);
    text_fini(&t);
    if (!err && ops->fsync(fd)) {
        err = errno;
    }
    ops->close(fd);
    err = err ? err : sync_directory(ops, path);
    if (err) {
        ops->unlink(path);
        return error_errno(err, "%s: cannot be written", path);
    }
    return NULL;
}

/* Locking ----------------------------------------------------------------------------------------- */

static char *lock_name(const char *path)
{
    char *a = xstrdup(path), *b = xstrdup(path);
    char *name = xasprintf("%s/.%s.~lock~", dirname(a), basename(b));
    free(a);
    free(b);
    return name;
}

static struct error *lock(struct journal *j)
{
    char *name = lock_name(j->path);
    struct error *e = NULL;
    j->lock_fd = j->ops->open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lock_fd < 0) {
        e = error_errno(errno, "%s: cannot open the lock file", name);
    } else {
        struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        if (fcntl(j->lock_fd, F_OFD_SETLK, &l)) {
            int err = errno;
            struct flock other = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
            if ((err == EAGAIN || err == EACCES) && !fcntl(j->lock_fd, F_OFD_GETLK, &other) &&
                other.l_type != F_UNLCK && other.l_pid > 0) {
                e = error_new(EAGAIN, "%s: in use by process %ld", j->path, (long) other.l_pid);
            } else if (err == EAGAIN || err == EACCES) {
                e = error_new(EAGAIN, "%s: in use by another database server or tool", j->path);
            } else {
                e = error_errno(err, "%s: cannot be locked", name);
            }
            j->ops->close(j->lock_fd);
            j->lock_fd = -1;
        }
    }
    free(name);
    return e;
}

/* Opening and closing ------------------------------------------------------------------------------ */

struct error *journal_open(const char *path, bool write, const struct file_ops *ops,
                           struct journal **out)
{
    char *real = realpath(path, NULL);
    if (!real) {
        return error_errno(errno, "%s: cannot be opened", path);
    }
    struct journal *j = xzalloc(sizeof *j);
    j->ops = ops;
    j->path = xstrdup(real);
    free(real);
    j->fd = j->lock_fd = -1;
    struct error *e = write ? lock(j) : NULL;
    if (!e) {
        j->fd = ops->open(j->path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
        struct stat st;
        if (j->fd < 0 || fstat(j->fd, &st)) {
            e = error_errno(errno, "%s: cannot be opened", path);
        } else if (!S_ISREG(st.st_mode)) {
            e = error_new(EINVAL, "%s: is not a regular file", path);
        } else {
            j->size = st.st_size;
        }
    }
    if (e) {
        journal_close(j);
        return e;
    }
    *out = j;
    return NULL;
}

void journal_close(struct journal *j)
{
    if (j) {
        if (j->fd >= 0) {
            j->ops->close(j->fd);
        }
        if (j->lock_fd >= 0) {
            j->ops->close(j->lock_fd);
        }
        text_fini(&j->queue);
        free(j->read_buffer);
        free(j->path);
        free(j);
    }
}

const char *journal_path(const struct journal *j)
{
    return j->path;
}

off_t journal_size(const struct journal *j)
{
    return j->end;
}

off_t journal_end(const struct journal *j, off_t *n_behind)
{
    *n_behind = j->size > j->end ? j->size - j->end : 0;
    return j->end;
}

/* Reading ------------------------------------------------------------------------------------------ */

/* Gets at least 'n' bytes into the buffer, less only at the end of the file. */
static struct error *fill(struct journal *j, size_t n)
{
    if (j->n_read < n && j->read_at) {
        memmove(j->read_buffer, j->read_buffer + j->read_at, j->n_read);
        j->read_at = 0;
    }
    while (j->n_read < n) {
        size_t want = MAX(n - j->n_read, (size_t) READ_CHUNK);
        if (j->n_read + want > j->read_allocated) {
            j->read_allocated = j->n_read + want;
            j->read_buffer = xrealloc(j->read_buffer, j->read_allocated);
        }
        ssize_t got = j->ops->pread(j->fd, j->read_buffer + j->n_read, want, j->end + j->n_read);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return error_errno(errno, "%s: cannot be read", j->path);
        }
        if (!got) {
            break;
        }
        j->n_read += got;
    }
    return NULL;
}

static struct error *damaged(const struct journal *j, const char *what)
{
    return error_new(EBADMSG, "%s: offset %"PRId64": %s", j->path, (int64_t) j->end, what);
}

/* "OVSDB JSON <length> <sha1>\n"; '*header_len' includes the newline. */
static struct error *parse_header(struct journal *j, size_t *header_len, size_t *len, char hex[41])
{
    size_t n = MIN(j->n_read, (size_t) MAX_HEADER);
    const char *start = j->read_buffer + j->read_at;
    const char *newline = n ? memchr(start, '\n', n) : NULL;
    if (!j->end && (n < 6 || memcmp(start, "OVSDB ", 6))) {
        return damaged(j, "this is not a database file");
    }
    if (!newline) {
        return damaged(j, "a record's first line is cut off or damaged");
    }
    char line[MAX_HEADER];
    *header_len = newline - start + 1;
    memcpy(line, start, *header_len - 1);
    line[*header_len - 1] = '\0';
    if (!strncmp(line, "OVSDB CLUSTER ", 14)) {
        return error_new(EPROTONOSUPPORT, "%s: is a clustered database; \"ovsdb-tool "
                         "cluster-to-standalone\" makes a standalone one of it", j->path);
    }
    unsigned long long length;
    int used = 0;
    if (sscanf(line, "OVSDB JSON %15llu %40[0-9a-fA-F]%n", &length, hex, &used) != 2 || line[used] ||
        strlen(hex) != 40 || !length) {
        return damaged(j, "not the first line of a record");
    }
    if (length > (unsigned long long) (j->size - j->end - *header_len)) {
        return damaged(j, "a record is cut off");
    }
    *len = length;
    return NULL;
}

struct error *journal_read(struct journal *j, json_t **record)
{
    *record = NULL;
    struct error *e = fill(j, MAX_HEADER);
    if (e || (!j->n_read && j->end)) {
        return e;
    }
    size_t header_len = 0, len = 0;
    char hex[41];
    e = parse_header(j, &header_len, &len, hex);
    e = e ? e : fill(j, header_len + len);
    if (e) {
        return e;
    }
    if (j->n_read < header_len + len) {
        return damaged(j, "a record is cut off");
    }
    const char *data = j->read_buffer + j->read_at + header_len;
    char actual[41];
    sha1_hex(data, len, actual);
    if (strcasecmp(actual, hex)) {
        return damaged(j, "a record's checksum does not match");
    }
    json_error_t problem;
    *record = json_loadb(data, len, JSON_DISABLE_EOF_CHECK, &problem);
    if (!*record) {
        return damaged(j, "a record is not JSON");
    }
    if (!json_is_object(*record)) {
        json_decref(*record);
        *record = NULL;
        return damaged(j, "a record is not a JSON object");
    }
    j->last = j->end;
    j->end += header_len + len;
    j->n_read -= header_len + len;
    j->read_at += header_len + len;
    return NULL;
}

void journal_reject(struct journal *j)
{
    j->end = j->last;
    j->read_at = j->n_read = 0;
}

/* What lies behind the good records ------------------------------------------------------------------ */

static int copy_tail(struct journal *j, int fd)
{
    char *buffer = xmalloc(READ_CHUNK);
    int err = 0;
    for (off_t at = j->end; !err && at < j->size;) {
        ssize_t got = j->ops->pread(j->fd, buffer, READ_CHUNK, at);
        if (got < 0 && errno != EINTR) {
            err = errno;
        } else if (!got) {
            break;
        } else if (got > 0) {
            err = write_all(j->ops, fd, buffer, got);
            at += got;
        }
    }
    free(buffer);
    return err ? err : j->ops->fsync(fd) ? errno : 0;
}

struct error *journal_cut_tail(struct journal *j, char **kept_as)
{
    time_t now = time(NULL);
    struct tm tm;
    char date[32], *name = NULL;
    int fd = -1;
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", gmtime_r(&now, &tm));
    for (int i = 0; i < 100 && fd < 0; i++) {
        free(name);
        name = i ? xasprintf("%s.damaged-%s.%d", j->path, date, i)
                 : xasprintf("%s.damaged-%s", j->path, date);
        fd = j->ops->open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (fd < 0 && errno != EEXIST) {
            break;
        }
    }
    int err = fd < 0 ? errno : copy_tail(j, fd);
    if (fd >= 0) {
        j->ops->close(fd);
        if (err) {
            j->ops->unlink(name);
        }
    }
    if (err) {
        struct error *e = error_errno(err, "%s: the damaged end cannot be kept as %s", j->path, name);
        free(name);
        return e;
    }
    if (j->ops->ftruncate(j->fd, j->end) || j->ops->fsync(j->fd)) {
        err = errno;
        free(name);
        return error_errno(err, "%s: the damaged end cannot be cut off", j->path);
    }
    j->size = j->end;
    *kept_as = name;
    return NULL;
}

/* Writing ----------------------------------------------------------------------------------------- */

void journal_put(struct journal *j, const char *json, size_t len)
{
    put_record(&j->queue, json, len);
}

static int clean_tail(struct journal *j)
{
    if (j->dirty_tail) {
        if (j->ops->ftruncate(j->fd, j->end)) {
            return errno;
        }
        j->dirty_tail = false;
    }
    return lseek(j->fd, j->end, SEEK_SET) < 0 ? errno : 0;
}

struct error *journal_flush(struct journal *j, bool sync)
{
    const char *doing = "cannot be written";
    int err = j->untrusted ? EIO : clean_tail(j);
    if (!err && j->queue.len) {
        j->dirty_tail = true;
        err = write_all(j->ops, j->fd, j->queue.s, j->queue.len);
    }
    if (!err && sync && j->ops->fsync(j->fd)) {
        err = errno;
        doing = "cannot be synced";
        j->untrusted = true;
    }
    if (!err) {
        j->end += j->queue.len;
        j->dirty_tail = false;
    } else {
        clean_tail(j);   /* If this fails too, it is tried again before the next write. */
    }
    text_clear(&j->queue);
    return err ? error_errno(err, "%s: %s", j->path, doing) : NULL;
}

bool journal_needs_replacement(const struct journal *j)
{
    return j->untrusted;
}

struct error *journal_replace(struct journal *j, const char *schema, const char *data, size_t len)
{
    char *name = xasprintf("%s.tmp", j->path);
    struct text t = TEXT_INIT;
    put_record(&t, schema, strlen(schema));
    if (data) {
        put_record(&t, data, len);
    }
    struct stat st;
    mode_t mode = fstat(j->fd, &st) ? 0640 : st.st_mode & 07777;
    j->ops->unlink(name);
    int fd = j->ops->open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int err = fd < 0 ? errno : write_all(j->ops, fd, t.s, t.len);
    off_t size = t.len;
    text_fini(&t);
    if (!err && j->ops->fsync(fd)) {
        err = errno;
    }
    if (!err && j->ops->rename(name, j->path)) {
        err = errno;
    }
    if (err) {
        struct error *e = error_errno(err, "%s: cannot be replaced by %s", j->path, name);
        if (fd >= 0) {
            j->ops->close(fd);
            j->ops->unlink(name);
        }
        free(name);
        return e;
    }
    /* From here on the new file is the database, even if its name is not known to be durable yet. */
    j->ops->close(j->fd);
    j->fd = fd;
    j->end = j->size = size;
    j->dirty_tail = j->untrusted = false;
    err = sync_directory(j->ops, j->path);
    free(name);
    if (err) {
        j->untrusted = true;
        return error_errno(err, "%s: its directory cannot be synced", j->path);
    }
    return NULL;
}
