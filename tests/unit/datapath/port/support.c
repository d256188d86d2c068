/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the port tests. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "tests/unit/datapath/port/port_tests.h"

struct dp_port_config *make_config(const char *type, const char *name, const char *options)
{
    struct dp_port_config *c = xmalloc(sizeof *c);
    dp_port_config_init(c);
    c->type = xstrdup(type);
    c->name = xstrdup(name);
    char *copy = xstrdup(options ? options : "");
    for (char *o = strtok(copy, ","); o; o = strtok(NULL, ",")) {
        char *value = strchr(o, '=');
        *value++ = '\0';
        smap_set(&c->options, o, value);
    }
    free(copy);
    return c;
}

static struct error *try_port(const struct port_env *env, struct dp_port_config *config, uint32_t number,
                              struct port **port)
{
    static const struct port_env plain = { .enable_system = true };
    struct error *e = port_create(env ? env : &plain, config, number, port);
    dp_port_config_fini(config);
    free(config);
    return e;
}

struct port *make_port(const struct port_env *env, struct dp_port_config *config, uint32_t number)
{
    struct port *port;
    struct error *e = try_port(env, config, number, &port);
    ck_assert_msg(!e, "%s", e ? error_text(e) : "");
    return port;
}

char *make_port_fails(const struct port_env *env, struct dp_port_config *config)
{
    struct port *port;
    struct error *e = try_port(env, config, 1, &port);
    ck_assert_ptr_nonnull(e);
    ck_assert_ptr_null(port);
    char *text = xstrdup(error_text(e));
    error_free(e);
    return text;
}

struct port_counters counters_of(const struct port *port)
{
    struct port_counters c;
    port_get_counters(port, &c);
    return c;
}

void send_packet(struct port *port, struct packet_pool *pool, struct packet *p)
{
    struct packet_batch batch = { .n = 1, .p = { p } };
    port_tx(port, pool, &batch, 0);
    ck_assert_uint_eq(batch.n, 0);
}
