/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up what a daemon does not need: capabilities (libcap-ng) and the root user. */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/base/parse.h"
#include "lib/sys/process.h"

/* "USER[:GROUP]" or ":GROUP" to numbers; without a group it is the user's own, without a user
 * our own. */
static struct error *find_user(const char *word, uid_t *uid, gid_t *gid)
{
    char *name = xstrdup(word), *group = strchr(name, ':');
    struct error *e = NULL;
    if (group) {
        *group++ = '\0';
    }
    *uid = getuid();
    *gid = getgid();
    uint32_t number;
    if (*name) {
        struct passwd *pw = getpwnam(name);
        if (pw) {
            *uid = pw->pw_uid;
            *gid = pw->pw_gid;
        } else if (parse_u32(name, &number)) {
            *uid = *gid = number;
        } else {
            e = error_new(EINVAL, "--user: this machine has no user \"%s\"", name);
        }
    }
    if (!e && group && *group) {
        struct group *gr = getgrnam(group);
        if (gr) {
            *gid = gr->gr_gid;
        } else if (parse_u32(group, &number)) {
            *gid = number;
        } else {
            e = error_new(EINVAL, "--user: this machine has no group \"%s\"", group);
        }
    }
    free(name);
    return e;
}

struct error *process_drop_privileges(const char *user, const char *const *keep)
{
    uid_t uid = getuid();
    gid_t gid = getgid();
    struct error *e = user ? find_user(user, &uid, &gid) : NULL;
    if (e) {
        return e;
    }

    bool root = !geteuid();
    unsigned wanted[64];
    size_t n_wanted = 0;
    for (; keep && *keep && n_wanted < ARRAY_SIZE(wanted); keep++) {
        int capability = capng_name_to_capability(*keep);
        if (capability < 0) {
            return error_new(EINVAL, "capability \"%s\" is not known", *keep);
        }
        if (capng_have_capability(CAPNG_PERMITTED, (unsigned) capability)) {
            wanted[n_wanted++] = (unsigned) capability;
        }
    }
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < n_wanted; i++) {
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, wanted[i]);
    }

    bool change = uid != getuid() || gid != getgid();
    if (change && !root) {
        return error_new(EPERM, "--user=%s: only root may become another user", user);
    }
    int result = change ? capng_change_id((int) uid, (int) gid,
                                          CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)
                        : capng_apply(root ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
    if (result) {
        return error_new(EPERM, "privileges cannot be dropped (libcap-ng says %d)", result);
    }
    return NULL;
}
