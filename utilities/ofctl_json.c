/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-ofctl's answers as JSON (-f json): an object or an array on one line, members named as in the text. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "utilities/ofctl.h"

static void print_take(json_t *j)
{
    char *s = json_dumps(j, JSON_COMPACT);
    puts(s);
    free(s);
    json_decref(j);
}

static void set_text(json_t *object, const char *key, struct text *t)
{
    json_object_set_new(object, key, json_string(text_str(t)));
    text_fini(t);
}

static void set_port(json_t *object, const char *key, ofp_port port, const struct port_names *names)
{
    struct text t = TEXT_INIT;
    const char *name = names ? names->to_name(names, port) : NULL;
    if (name) {
        json_object_set_new(object, key, json_string(name));
    } else if (port < OFPP_MAX) {
        json_object_set_new(object, key, json_integer(port));
    } else {
        ofp_port_format(port, NULL, &t);
        set_text(object, key, &t);
    }
}

static double seconds(uint32_t s, uint32_t ns)
{
    return s + ns / 1e9;
}

void json_print_flows(const struct ofp_flow_stats *flows, size_t n, const struct port_names *names)
{
    json_t *array = json_array();
    for (const struct ofp_flow_stats *s = flows; s < flows + n; s++) {
        struct text match = TEXT_INIT, actions = TEXT_INIT, flags = TEXT_INIT, cookie = TEXT_INIT;
        json_t *o = json_object();
        match_format(&s->match, names, &match);
        ofacts_format(&s->actions, names, &actions);
        ofp_flow_flags_format(s->flags, " ", &flags);
        text_chomp(&flags, ' ');
        text_printf(&cookie, "0x%llx", (unsigned long long) be64toh(s->cookie));
        json_object_set_new(o, "table", json_integer(s->table_id));
        json_object_set_new(o, "priority", json_integer(s->priority));
        set_text(o, "cookie", &cookie);
        if (!ofctl.no_stats) {
            json_object_set_new(o, "duration", json_real(seconds(s->duration_s, s->duration_ns)));
            json_object_set_new(o, "n_packets", json_integer(s->packets));
            json_object_set_new(o, "n_bytes", json_integer(s->bytes));
            if (s->idle_age_s >= 0) {
                json_object_set_new(o, "idle_age", json_integer(s->idle_age_s));
            }
        }
        json_object_set_new(o, "idle_timeout", json_integer(s->idle_timeout));
        json_object_set_new(o, "hard_timeout", json_integer(s->hard_timeout));
        json_object_set_new(o, "importance", json_integer(s->importance));
        set_text(o, "flags", &flags);
        set_text(o, "match", &match);
        set_text(o, "actions", &actions);
        json_array_append_new(array, o);
    }
    print_take(array);
}

static json_t *port_object(const struct ofp_phy_port *p)
{
    json_t *o = json_object();
    char *mac = xasprintf(ETH_FMT, ETH_ARGS(p->hw_addr));
    set_port(o, "port", p->port_no, NULL);
    json_object_set_new(o, "name", json_string(p->name));
    json_object_set_new(o, "addr", json_string(mac));
    json_object_set_new(o, "config", json_integer(p->config));
    json_object_set_new(o, "state", json_integer(p->state));
    json_object_set_new(o, "current", json_integer(p->curr));
    json_object_set_new(o, "speed_mbps", json_integer(p->curr_speed / 1000));
    free(mac);
    return o;
}

static json_t *port_array(const struct ofp_phy_port *ports, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(array, port_object(&ports[i]));
    }
    return array;
}

void json_print_ports(const struct ofp_phy_port *ports, size_t n)
{
    print_take(port_array(ports, n));
}

static void set_counter(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, value == UINT64_MAX ? json_null() : json_integer(value));
}

void json_print_port_stats(const struct ofp_port_stats *ports, size_t n, const struct port_names *names)
{
    json_t *array = json_array();
    for (const struct ofp_port_stats *s = ports; s < ports + n; s++) {
        json_t *o = json_object();
        set_port(o, "port", s->port_no, names);
        set_counter(o, "rx_packets", s->rx_packets);
        set_counter(o, "rx_bytes", s->rx_bytes);
        set_counter(o, "rx_dropped", s->rx_dropped);
        set_counter(o, "rx_errors", s->rx_errors);
        set_counter(o, "rx_frame_err", s->rx_frame_err);
        set_counter(o, "rx_over_err", s->rx_over_err);
        set_counter(o, "rx_crc_err", s->rx_crc_err);
        set_counter(o, "tx_packets", s->tx_packets);
        set_counter(o, "tx_bytes", s->tx_bytes);
        set_counter(o, "tx_dropped", s->tx_dropped);
        set_counter(o, "tx_errors", s->tx_errors);
        set_counter(o, "collisions", s->collisions);
        json_object_set_new(o, "duration", json_real(seconds(s->duration_s, s->duration_ns)));
        json_array_append_new(array, o);
    }
    print_take(array);
}

void json_print_table_stats(const struct ofp_table_stats *tables, size_t n)
{
    json_t *array = json_array();
    for (const struct ofp_table_stats *s = tables; s < tables + n; s++) {
        json_t *o = json_object();
        json_object_set_new(o, "table", json_integer(s->table_id));
        if (s->name[0]) {
            json_object_set_new(o, "name", json_string(s->name));
        }
        json_object_set_new(o, "active", json_integer(s->n_active));
        json_object_set_new(o, "lookup", json_integer(s->n_lookups));
        json_object_set_new(o, "matched", json_integer(s->n_matched));
        json_array_append_new(array, o);
    }
    print_take(array);
}

void json_print_desc(const struct ofp_desc *d)
{
    print_take(json_pack("{s:s, s:s, s:s, s:s, s:s}", "manufacturer", d->mfr, "hardware", d->hw, "software", d->sw,
                         "serial", d->serial, "dp_description", d->dp));
}

void json_print_aggregate(const struct ofp_aggregate_stats *s)
{
    print_take(json_pack("{s:I, s:I, s:I}", "packet_count", (json_int_t) s->packets, "byte_count",
                         (json_int_t) s->bytes, "flow_count", (json_int_t) s->n_flows));
}

void json_print_show(const struct ofp_features *f, const struct ofp_phy_port *ports, size_t n,
                     const struct ofp_switch_config *c)
{
    char *dpid = xasprintf("%016llx", (unsigned long long) f->datapath_id);
    json_t *o = json_object();
    json_object_set_new(o, "dpid", json_string(dpid));
    json_object_set_new(o, "n_tables", json_integer(f->n_tables));
    json_object_set_new(o, "n_buffers", json_integer(f->n_buffers));
    json_object_set_new(o, "capabilities", json_integer(f->capabilities));
    json_object_set_new(o, "ports", port_array(ports, n));
    json_object_set_new(o, "frags", json_integer(c->flags & 3));
    json_object_set_new(o, "miss_send_len", json_integer(c->miss_send_len));
    free(dpid);
    print_take(o);
}
