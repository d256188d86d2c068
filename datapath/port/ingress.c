/* SPDX-License-Identifier: Apache-2.0 */
/* The drop program at tc ingress, by bpf(2) and netlink. */
#include "datapath/port/ingress.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datapath/port/kernel.h"
#include "datapath/port/netlink.h"
#include "lib/base/parse.h"

enum { FILTER_PRIORITY = 0x7473, FILTER_HANDLE = 1, MAX_STALE = 256 };
#define FILTER_NAME "tsuji-drop-"

static int bpf(int command, union bpf_attr *attr)
{
    return syscall(SYS_bpf, command, attr, sizeof *attr);
}

/* return TC_ACT_SHOT; */
static int load_program(int *fd)
{
    static const struct bpf_insn program[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT },
        { .code = BPF_JMP | BPF_EXIT },
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attr.insns = (uintptr_t) program;
    attr.insn_cnt = ARRAY_SIZE(program);
    attr.license = (uintptr_t) "Apache-2.0";
    memcpy(attr.prog_name, "tsuji_drop", sizeof "tsuji_drop");
    *fd = bpf(BPF_PROG_LOAD, &attr);
    return *fd < 0 ? errno : 0;
}

static int attach_tcx(struct ingress_drop *d, int program, uint32_t ifindex)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.link_create.prog_fd = program;
    attr.link_create.target_ifindex = ifindex;
    attr.link_create.attach_type = KERNEL_BPF_TCX_INGRESS;
    int fd = bpf(BPF_LINK_CREATE, &attr);
    if (fd < 0) {
        return errno;
    }
    d->link_fd = fd;
    return 0;
}

static struct tcmsg filter_message(uint32_t ifindex)
{
    return (struct tcmsg) {
        .tcm_ifindex = ifindex,
        .tcm_handle = FILTER_HANDLE,
        .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
        .tcm_info = TC_H_MAKE(FILTER_PRIORITY << 16, htobe16(ETH_P_ALL)),
    };
}

static int change_clsact(uint32_t ifindex, bool add)
{
    struct tcmsg t = { .tcm_ifindex = ifindex, .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0), .tcm_parent = TC_H_CLSACT };
    struct nl_message m;
    nl_begin(&m, add ? RTM_NEWQDISC : RTM_DELQDISC, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &t, sizeof t);
    nl_put_string(&m, TCA_KIND, "clsact");
    return nl_talk(&m, NULL, NULL);
}

static int remove_filter(uint32_t ifindex)
{
    struct tcmsg t = filter_message(ifindex);
    struct nl_message m;
    nl_begin(&m, RTM_DELTFILTER, 0, &t, sizeof t);
    nl_put_string(&m, TCA_KIND, "bpf");
    return nl_talk(&m, NULL, NULL);
}

static int attach_clsact(struct ingress_drop *d, int program, uint32_t ifindex)
{
    int err = change_clsact(ifindex, true);
    if (err && err != EEXIST) {
        return err;
    }
    d->made_clsact = !err;
    remove_filter(ifindex);   /* Of a process before us that was killed. */

    char name[32];
    snprintf(name, sizeof name, FILTER_NAME "%ld", (long) getpid());
    struct tcmsg t = filter_message(ifindex);
    struct nl_message m;
    nl_begin(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &t, sizeof t);
    nl_put_string(&m, TCA_KIND, "bpf");
    size_t options = nl_nest(&m, TCA_OPTIONS);
    nl_put_u32(&m, TCA_BPF_FD, program);
    nl_put_string(&m, TCA_BPF_NAME, name);
    nl_put_u32(&m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    nl_nest_end(&m, options);
    err = nl_talk(&m, NULL, NULL);
    if (!err) {
        d->clsact_ifindex = ifindex;
    } else if (d->made_clsact) {
        change_clsact(ifindex, false);
    }
    return err;
}

int ingress_drop_attach(struct ingress_drop *d, uint32_t ifindex, bool tcx)
{
    int program;
    *d = (struct ingress_drop) INGRESS_DROP_INIT;
    int err = load_program(&program);
    if (err) {
        return err;
    }
    err = tcx ? attach_tcx(d, program, ifindex) : EINVAL;
    if (err == EINVAL || err == EOPNOTSUPP) {   /* What kernels say that do not know tcx. */
        err = attach_clsact(d, program, ifindex);
    }
    close(program);
    return err;
}

void ingress_drop_detach(struct ingress_drop *d)
{
    if (d->link_fd >= 0) {
        close(d->link_fd);
    }
    if (d->clsact_ifindex) {
        remove_filter(d->clsact_ifindex);
        if (d->made_clsact) {
            change_clsact(d->clsact_ifindex, false);
        }
    }
    *d = (struct ingress_drop) INGRESS_DROP_INIT;
}

/* ---- Leftovers ---- */

struct devices {
    uint32_t n;
    uint32_t ifindex[MAX_STALE];
};

static void note_device(const struct nlmsghdr *h, void *devices_)
{
    struct devices *d = devices_;
    const struct tcmsg *t = NLMSG_DATA(h);
    const struct nlattr *a[TCA_MAX + 1];
    if (h->nlmsg_type != RTM_NEWQDISC || h->nlmsg_len < NLMSG_LENGTH(sizeof *t) || d->n >= MAX_STALE) {
        return;
    }
    char kind[16];
    nl_parse(h, sizeof *t, a, ARRAY_SIZE(a));
    nl_string(a[TCA_KIND], kind, sizeof kind);
    if (!strcmp(kind, "clsact")) {
        d->ifindex[d->n++] = t->tcm_ifindex;
    }
}

static void check_filter(const struct nlmsghdr *h, void *stale)
{
    const struct nlattr *a[TCA_MAX + 1], *o[TCA_BPF_MAX + 1];
    if (h->nlmsg_type != RTM_NEWTFILTER || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct tcmsg))) {
        return;
    }
    char name[64];
    uint64_t pid;
    nl_parse(h, sizeof(struct tcmsg), a, ARRAY_SIZE(a));
    nl_parse_nested(a[TCA_OPTIONS], o, ARRAY_SIZE(o));
    nl_string(o[TCA_BPF_NAME], name, sizeof name);
    if (!strncmp(name, FILTER_NAME, strlen(FILTER_NAME)) &&
        parse_uint(name + strlen(FILTER_NAME), 1, INT32_MAX, &pid) && kill(pid, 0) && errno == ESRCH) {
        *(bool *) stale = true;
    }
}

unsigned ingress_drop_remove_stale(void)
{
    struct devices devices = { 0 };
    struct tcmsg t = { 0 };
    struct nl_message m;
    unsigned n_removed = 0;
    nl_begin(&m, RTM_GETQDISC, NLM_F_DUMP, &t, sizeof t);
    nl_talk(&m, note_device, &devices);
    for (uint32_t i = 0; i < devices.n; i++) {
        bool stale = false;
        struct tcmsg f = filter_message(devices.ifindex[i]);
        nl_begin(&m, RTM_GETTFILTER, 0, &f, sizeof f);
        nl_put_string(&m, TCA_KIND, "bpf");
        nl_talk(&m, check_filter, &stale);
        n_removed += stale && !remove_filter(devices.ifindex[i]);
    }
    return n_removed;
}
