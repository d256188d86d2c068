/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and counters on the datapath channel. */
#include <errno.h>
#include <stdlib.h>

#include "datapath/wire.h"
#include "lib/base/alloc.h"
#include "lib/base/error.h"

enum { STATE_ATTACHED = 1, STATE_ADMIN_UP = 2, STATE_LINK_UP = 4, STATE_FULL_DUPLEX = 8 };

/* Counters by their numbers on the channel, 1 up; numbers are never reused. */
static const uint16_t dp_counters[] = {
    offsetof(struct dp_stats, n_hit), offsetof(struct dp_stats, n_cache_hit), offsetof(struct dp_stats, n_missed),
    offsetof(struct dp_stats, n_lost), offsetof(struct dp_stats, n_mask_probes), offsetof(struct dp_stats, received),
    offsetof(struct dp_stats, made), offsetof(struct dp_stats, sent), offsetof(struct dp_stats, consumed),
};
/* The same for numbers of things, which are of 32 bits, from DP_GAUGE_FIRST up. */
enum { GAUGE_FIRST = 64 };
static const uint16_t dp_gauges[] = {
    offsetof(struct dp_stats, n_flows), offsetof(struct dp_stats, n_masks), offsetof(struct dp_stats, n_pending),
    offsetof(struct dp_stats, n_ports),
};
static const uint16_t port_counters[] = {
    offsetof(struct dp_port_stats, rx_packets), offsetof(struct dp_port_stats, rx_bytes),
    offsetof(struct dp_port_stats, rx_errors), offsetof(struct dp_port_stats, rx_dropped),
    offsetof(struct dp_port_stats, tx_packets), offsetof(struct dp_port_stats, tx_bytes),
    offsetof(struct dp_port_stats, tx_errors), offsetof(struct dp_port_stats, tx_dropped),
    offsetof(struct dp_port_stats, collisions), offsetof(struct dp_port_stats, rx_crc_err),
    offsetof(struct dp_port_stats, rx_frame_err), offsetof(struct dp_port_stats, rx_over_err),
    offsetof(struct dp_port_stats, rx_missed_errors), offsetof(struct dp_port_stats, multicast),
};
static const uint16_t upcall_counters[] = {
    offsetof(struct dp_upcall_stats, n_records), offsetof(struct dp_upcall_stats, n_lost_ring),
    offsetof(struct dp_upcall_stats, n_lost_quota), offsetof(struct dp_upcall_stats, n_expired),
};
static const uint16_t upcall_gauges[] = { offsetof(struct dp_upcall_stats, n_waiting) };

/* ---- Ports ---- */

void wire_put_port(struct buffer *b, const struct dp_port_config *c, const struct dp_port_state *s)
{
    size_t opened = wire_open(b, ATTR_PORT);
    wire_put_string(b, ATTR_NAME, c->name);
    wire_put_string(b, ATTR_TYPE, c->type);
    if (c->port_no != DP_PORT_NONE) {
        wire_put_u32(b, ATTR_PORT_NO, c->port_no);
    }
    struct smap_entry *entry;
    SMAP_FOR_EACH (entry, &c->options) {
        size_t option = wire_open(b, ATTR_OPTION);
        buffer_put(b, entry->key, strlen(entry->key) + 1);
        buffer_put(b, entry->value, strlen(entry->value) + 1);
        wire_close(b, option);
    }
    if (!eth_addr_is_zero(c->mac)) {
        wire_put(b, ATTR_MAC, &c->mac, sizeof c->mac);
    }
    if (c->mtu) {
        wire_put_u32(b, ATTR_MTU, c->mtu);
    }
    if (c->admin_up >= 0) {
        wire_put_u8(b, ATTR_ADMIN_UP, c->admin_up);
    }
    if (c->worker != DP_PORT_NONE) {
        wire_put_u32(b, ATTR_WORKER, c->worker);
    }
    if (s) {
        size_t state = wire_open(b, ATTR_STATE);
        wire_put_u32(b, ATTR_PORT_NO, s->port_no);
        if (s->name[0] && s->type[0]) {
            wire_put_string(b, ATTR_NAME, s->name);
            wire_put_string(b, ATTR_TYPE, s->type);
        }
        wire_put_u32(b, ATTR_FLAGS, (s->attached ? STATE_ATTACHED : 0) | (s->admin_up ? STATE_ADMIN_UP : 0)
                                    | (s->link_up ? STATE_LINK_UP : 0)
                                    | (s->full_duplex ? STATE_FULL_DUPLEX : 0));
        wire_put_string(b, ATTR_TEXT, s->error);
        wire_put_u32(b, ATTR_IFINDEX, s->ifindex);
        wire_put_u32(b, ATTR_MTU, s->mtu);
        wire_put_u64(b, ATTR_LINK_RESETS, s->link_resets);
        wire_put_u64(b, ATTR_LINK_SPEED, s->link_speed_bps);
        wire_put(b, ATTR_MAC, &s->mac, sizeof s->mac);
        wire_put_string(b, ATTR_DRIVER, s->driver);
        wire_close(b, state);
    }
    wire_close(b, opened);
}

static char *take_string(const struct wire_attrs *a, enum wire_attr number)
{
    return wire_has(a, number) ? xstrndup((const char *) a->p[number], a->n[number]) : NULL;
}

static struct error *get_options(const struct wire_attrs *a, struct smap *options)
{
    struct reader r = wire_all(a);
    const uint8_t *p;
    size_t n;
    while (wire_next(&r, ATTR_OPTION, &p, &n)) {
        const uint8_t *nul = memchr(p, 0, n);
        if (!nul || p[n - 1] || memchr(nul + 1, 0, n - (nul + 1 - p)) != p + n - 1) {
            return error_new(EINVAL, "port: an option is a key and a value, each ended by a NUL byte");
        }
        smap_set(options, (const char *) p, (const char *) nul + 1);
    }
    return NULL;
}

static struct error *get_state(const struct wire_attrs *port, struct dp_port_state *s)
{
    struct wire_attrs a;
    struct error *e = wire_parse_attrs(port->p[ATTR_STATE], port->n[ATTR_STATE], &a);
    if (e) {
        return e;
    }
    uint32_t flags = wire_u32(&a, ATTR_FLAGS);
    s->port_no = wire_u32(&a, ATTR_PORT_NO);
    wire_string(&a, ATTR_NAME, s->name, sizeof s->name);
    wire_string(&a, ATTR_TYPE, s->type, sizeof s->type);
    wire_string(&a, ATTR_TEXT, s->error, sizeof s->error);
    wire_string(&a, ATTR_DRIVER, s->driver, sizeof s->driver);
    s->attached = flags & STATE_ATTACHED;
    s->admin_up = flags & STATE_ADMIN_UP;
    s->link_up = flags & STATE_LINK_UP;
    s->full_duplex = flags & STATE_FULL_DUPLEX;
    s->ifindex = wire_u32(&a, ATTR_IFINDEX);
    s->mtu = wire_u32(&a, ATTR_MTU);
    s->link_resets = wire_u64(&a, ATTR_LINK_RESETS);
    s->link_speed_bps = wire_u64(&a, ATTR_LINK_SPEED);
    if (wire_has(&a, ATTR_MAC)) {
        memcpy(&s->mac, a.p[ATTR_MAC], sizeof s->mac);
    }
    return NULL;
}

struct error *wire_get_port(const uint8_t *p, size_t n, struct dp_port_config *c, struct dp_port_state *s)
{
    struct wire_attrs a;
    dp_port_config_init(c);
    if (s) {
        memset(s, 0, sizeof *s);
    }
    struct error *e = wire_parse_attrs(p, n, &a);
    if (e) {
        return error_wrap(e, "port");
    }
    c->name = take_string(&a, ATTR_NAME);
    c->type = take_string(&a, ATTR_TYPE);
    if (!c->name || !c->type || strlen(c->name) != a.n[ATTR_NAME] || strlen(c->type) != a.n[ATTR_TYPE]) {
        return error_new(EINVAL, "port: needs a name and a type");
    }
    if (wire_has(&a, ATTR_PORT_NO)) {
        c->port_no = wire_u32(&a, ATTR_PORT_NO);
    }
    if (wire_has(&a, ATTR_MAC)) {
        memcpy(&c->mac, a.p[ATTR_MAC], sizeof c->mac);
    }
    c->mtu = wire_u32(&a, ATTR_MTU);
    c->admin_up = wire_has(&a, ATTR_ADMIN_UP) ? !!wire_u8(&a, ATTR_ADMIN_UP) : -1;
    if (wire_has(&a, ATTR_WORKER)) {
        c->worker = wire_u32(&a, ATTR_WORKER);
    }
    e = get_options(&a, &c->options);
    return !e && s && wire_has(&a, ATTR_STATE) ? get_state(&a, s) : e;
}

void dp_port_config_init(struct dp_port_config *c)
{
    memset(c, 0, sizeof *c);
    c->port_no = c->worker = DP_PORT_NONE;
    c->admin_up = -1;
}

void dp_port_config_fini(struct dp_port_config *c)
{
    free(c->name);
    free(c->type);
    smap_fini(&c->options);
    dp_port_config_init(c);
}

void dp_port_config_clone(struct dp_port_config *to, const struct dp_port_config *from)
{
    *to = *from;
    to->name = xstrdup_or_null(from->name);
    to->type = xstrdup_or_null(from->type);
    smap_clone(&to->options, &from->options);
}

bool dp_port_config_equal(const struct dp_port_config *a, const struct dp_port_config *b)
{
    return !strcmp(a->name ? a->name : "", b->name ? b->name : "")
           && !strcmp(a->type ? a->type : "", b->type ? b->type : "") && a->port_no == b->port_no
           && eth_addr_equal(a->mac, b->mac) && a->mtu == b->mtu && a->admin_up == b->admin_up
           && a->worker == b->worker && smap_equal(&a->options, &b->options);
}

/* ---- Counters ---- */

static void put_counter(struct buffer *b, unsigned number, uint64_t value)
{
    if (value) {
        buffer_put_be16(b, number);
        buffer_put_be64(b, value);
    }
}

static void put_counters(struct buffer *b, const void *base, const uint16_t *ofs, size_t n,
                         const uint16_t *gauges, size_t n_gauges)
{
    size_t opened = wire_open(b, ATTR_COUNTERS);
    for (size_t i = 0; i < n; i++) {
        put_counter(b, i + 1, *(const uint64_t *) ((const char *) base + ofs[i]));
    }
    for (size_t i = 0; i < n_gauges; i++) {
        put_counter(b, GAUGE_FIRST + i, *(const uint32_t *) ((const char *) base + gauges[i]));
    }
    wire_close(b, opened);
}

static struct error *get_counters(const struct wire_attrs *a, void *base, const uint16_t *ofs, size_t n,
                                  const uint16_t *gauges, size_t n_gauges)
{
    struct reader r = wire_reader(a, ATTR_COUNTERS);
    while (reader_left(&r)) {
        unsigned number = reader_be16(&r);
        uint64_t value = reader_be64(&r);
        if (r.bad) {
            return error_new(EINVAL, "counters: cut off");
        }
        if (number && number <= n) {
            *(uint64_t *) ((char *) base + ofs[number - 1]) = value;
        } else if (number >= GAUGE_FIRST && number < GAUGE_FIRST + n_gauges) {
            *(uint32_t *) ((char *) base + gauges[number - GAUGE_FIRST]) = value;
        } else {
            return error_new(EOPNOTSUPP, "counter %u is not known here", number);
        }
    }
    return NULL;
}

static void put_drops(struct buffer *b, const uint64_t drops[DROP_N])
{
    size_t opened = wire_open(b, ATTR_DROP_COUNTERS);
    for (unsigned i = 0; i < DROP_N; i++) {
        put_counter(b, i, drops[i]);
    }
    wire_close(b, opened);
}

static struct error *get_drops(const struct wire_attrs *a, uint64_t drops[DROP_N])
{
    struct reader r = wire_reader(a, ATTR_DROP_COUNTERS);
    while (reader_left(&r)) {
        unsigned reason = reader_be16(&r);
        uint64_t value = reader_be64(&r);
        if (r.bad) {
            return error_new(EINVAL, "drop counters: cut off");
        }
        if (reason >= DROP_N) {
            return error_new(EOPNOTSUPP, "drop reason %u is not known here", reason);
        }
        drops[reason] = value;
    }
    return NULL;
}

void wire_put_stats(struct buffer *b, const struct dp_stats *s)
{
    put_counters(b, s, dp_counters, ARRAY_SIZE(dp_counters), dp_gauges, ARRAY_SIZE(dp_gauges));
    put_drops(b, s->drops);
}

struct error *wire_get_stats(const struct wire_attrs *a, struct dp_stats *s)
{
    memset(s, 0, sizeof *s);
    struct error *e = get_counters(a, s, dp_counters, ARRAY_SIZE(dp_counters), dp_gauges, ARRAY_SIZE(dp_gauges));
    return e ? e : get_drops(a, s->drops);
}

void wire_put_port_stats(struct buffer *b, const struct dp_port_stats *s)
{
    put_counters(b, s, port_counters, ARRAY_SIZE(port_counters), NULL, 0);
    put_drops(b, s->drops);
}

struct error *wire_get_port_stats(const struct wire_attrs *a, struct dp_port_stats *s)
{
    memset(s, 0, sizeof *s);
    struct error *e = get_counters(a, s, port_counters, ARRAY_SIZE(port_counters), NULL, 0);
    return e ? e : get_drops(a, s->drops);
}

void wire_put_upcall_stats(struct buffer *b, const struct dp_upcall_stats *s)
{
    put_counters(b, s, upcall_counters, ARRAY_SIZE(upcall_counters), upcall_gauges, ARRAY_SIZE(upcall_gauges));
}

struct error *wire_get_upcall_stats(const struct wire_attrs *a, struct dp_upcall_stats *s)
{
    memset(s, 0, sizeof *s);
    return get_counters(a, s, upcall_counters, ARRAY_SIZE(upcall_counters), upcall_gauges,
                        ARRAY_SIZE(upcall_gauges));
}
