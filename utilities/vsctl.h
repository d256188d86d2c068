/* SPDX-License-Identifier: Apache-2.0 */
/* tsuji-vsctl: what its parts share.
 *
 *     vsctl.c           options, connection, one try of all commands, waiting     struct vsctl
 *     vsctl_commands.c  the table of commands                                     struct vsctl_syntax
 *     vsctl_line.c      the command line into commands                            struct vsctl_command
 *     vsctl_names.c     tables, columns and records by what people type
 *     vsctl_value.c     values as text
 *     vsctl_fields.c    columns of records
 *     vsctl_table.c     tables of values in their output formats                  struct vsctl_table
 *     vsctl_model.c     bridges, ports and interfaces, fake ones included         struct vsctl_model
 *     vsctl_records.c, vsctl_conditions.c, vsctl_bridges.c, vsctl_ports.c, vsctl_settings.c,
 *     vsctl_zones.c, vsctl_show.c   the commands
 *
 * All commands of a line run in one transaction and see what the ones before them changed. If the transaction
 * meets a change by somebody else, or a wait-until is not fulfilled, all is thrown away and run again. */
#ifndef UTILITIES_VSCTL_H
#define UTILITIES_VSCTL_H

#include "db/client.h"
#include "db/schema.h"
#include "lib/base/smap.h"
#include "lib/base/text.h"
#include "spec/db.h"

struct error;
struct vsctl_model;
struct vsctl_table;

enum vsctl_style { VSCTL_STYLE_STRING, VSCTL_STYLE_BARE, VSCTL_STYLE_JSON };
enum vsctl_format {
    VSCTL_FORMAT_NONE, VSCTL_FORMAT_TABLE, VSCTL_FORMAT_LIST, VSCTL_FORMAT_HTML, VSCTL_FORMAT_CSV,
    VSCTL_FORMAT_JSON
};

/* A name "@x" for a record that "create" makes or "get" finds. */
struct vsctl_symbol {
    char *name;
    struct uuid uuid;
    bool is_created, is_referenced, is_strong;
};

struct vsctl {
    /* Options. */
    const char *db;
    bool no_wait, retry, dry_run, oneline, no_headings, pretty;
    int timeout_s;                 /* 0: for ever. */
    enum vsctl_format format;      /* NONE: what the command likes best. */
    enum vsctl_style style;

    struct loop *loop;
    struct db_client *client;
    struct schema *schema;         /* As compiled in, with all constraints. */

    /* Of one try. */
    struct dbc_txn *txn;
    const struct db_open_vswitch *ovs;
    struct vsctl_model *model;     /* NULL: to be made. */
    struct vsctl_symbol *symbols;
    size_t n_symbols, allocated_symbols;
    bool must_wait;                /* A command wants the database to be different. */
    char **new_interfaces;         /* Which must get a port number. */
    size_t n_new_interfaces, allocated_new_interfaces;
};

struct vsctl_command;

struct vsctl_syntax {
    const char *section;           /* A heading of --help; NULL: that of the row before. */
    const char *name;
    int min_args, max_args;        /* -1: any number. */
    const char *arguments;         /* For people. */
    const char *options;           /* "--if-exists,--id=": the latter takes a value. */
    const char *help;
    bool writes;
    /* Says what to watch. */
    struct error *(*prepare)(struct vsctl *, struct vsctl_command *);
    struct error *(*run)(struct vsctl *, struct vsctl_command *);
    void (*finish)(struct vsctl *, struct vsctl_command *);   /* After the commit; may be NULL. */
};
extern const struct vsctl_syntax vsctl_commands[];            /* Ended by a NULL name. */
void vsctl_put_commands_help(struct text *);

/* An error that is only an exit code. */
#define VSCTL_EXIT(CODE) error_new(ERROR_CODE_OWN + (CODE), "%s", "")

/* --- vsctl_line.c --- */
struct vsctl_command {
    const struct vsctl_syntax *syntax;
    int argc;
    char **argv;                   /* argv[0] is the name. */
    struct smap options;           /* With "--" in front. */
    struct text output;
    struct vsctl_table *table;     /* Printed after 'output'. */
    const struct dbc_row *created; /* By "create", for its finish. */
};
struct error *vsctl_parse_line(int argc, char **argv, const struct smap *first_options,
                               struct vsctl_command **commands, size_t *n);
static inline bool vsctl_has_option(const struct vsctl_command *c, const char *name)
{
    return smap_get(&c->options, name) != NULL;
}

/* --- vsctl_names.c --- */
extern const struct dbc_column vsctl_uuid_column;   /* "_uuid", of every table. */
struct error *vsctl_find_table(const char *name, const struct dbc_table **) MUST_CHECK;
struct error *vsctl_find_column(const struct dbc_table *, const char *name, const struct dbc_column **)
    MUST_CHECK;
/* Watches what vsctl_find_row() needs for 'table'. */
void vsctl_watch_names(struct vsctl *, const struct dbc_table *);
/* '*row' is NULL if there is none and not 'must_exist'. */
struct error *vsctl_find_row(struct vsctl *, const struct dbc_table *, const char *id, bool must_exist,
                             const struct dbc_row **) MUST_CHECK;
/* The symbol "@name"; made if new. Valid until the next one is made. */
struct vsctl_symbol *vsctl_symbol(struct vsctl *, const char *name);
/* Complains about symbols that are used and never created. */
struct error *vsctl_check_symbols(struct vsctl *) MUST_CHECK;

/* --- vsctl_value.c --- */
/* The type with its constraints. */
const struct column_type *vsctl_type(struct vsctl *, const struct dbc_column *);
struct error *vsctl_datum_from_text(struct vsctl *, const struct column_type *, const char *,
                                    struct datum **) MUST_CHECK;
struct error *vsctl_atom_from_text(struct vsctl *, const struct base_type *, const char *, union atom *)
    MUST_CHECK;
void vsctl_put_atom(struct text *, const union atom *, enum atom_type);
void vsctl_put_datum(struct text *, const struct datum *, const struct column_type *);
void vsctl_put_bare(struct text *, const struct datum *, const struct column_type *);
/* Reads a word up to an unquoted delimiter. The caller frees '*word'. */
struct error *vsctl_token(const char **p, char **word) MUST_CHECK;
/* The value as it will be. The caller puts it. */
struct datum *vsctl_get(struct vsctl *, const struct dbc_row *, const struct dbc_column *);
const char *vsctl_string(struct vsctl *, const struct dbc_row *, const struct dbc_column *);
bool vsctl_boolean(struct vsctl *, const struct dbc_row *, const struct dbc_column *);
/* Of an optional number; 'def' if absent. */
int64_t vsctl_integer(struct vsctl *, const struct dbc_row *, const struct dbc_column *, int64_t def);
/* The i-th row that a set refers to, or that a map's values do; NULL if it is not there. */
const struct dbc_row *vsctl_ref(struct vsctl *, const struct dbc_row *, const struct dbc_column *,
                                size_t i);
size_t vsctl_count(struct vsctl *, const struct dbc_row *, const struct dbc_column *);
/* "COLUMN[:KEY]=VALUE". */
struct error *vsctl_set(struct vsctl *, const struct dbc_row *, const char *setting) MUST_CHECK;

/* --- vsctl_table.c --- */
struct vsctl_table *vsctl_table_create(void);
void vsctl_table_destroy(struct vsctl_table *);
void vsctl_table_add_column(struct vsctl_table *, const char *heading);
void vsctl_table_add_row(struct vsctl_table *);
/* Takes 'd'. */
void vsctl_table_add_cell(struct vsctl_table *, struct datum *d, const struct column_type *);
void vsctl_table_put(const struct vsctl *, const struct vsctl_table *, struct text *);

/* --- vsctl_model.c --- */
struct vsctl_bridge {
    struct hmap_node by_name;
    char *name;
    const struct db_bridge *row;   /* A fake bridge has its parent's. */
    struct vsctl_bridge *parent;   /* NULL: a real one. */
    int vlan;                      /* Of a fake one, else 0. */
};
struct vsctl_port {
    struct hmap_node by_name;
    char *name;
    const struct db_port *row;
    struct vsctl_bridge *bridge;   /* The fake one, if it is on its VLAN. */
};
struct vsctl_iface {
    struct hmap_node by_name;
    char *name;
    const struct db_interface *row;
    struct vsctl_port *port;
};
struct vsctl_model {
    struct hmap bridges, ports, ifaces;
};
struct error *vsctl_watch_model(struct vsctl *, struct vsctl_command *);
void vsctl_model_forget(struct vsctl *);
/* Made when it is first asked for. */
struct vsctl_model *vsctl_model_get(struct vsctl *);
/* These give an error only if 'must_exist'. The port and interface of a bridge itself are not found. */
struct error *vsctl_find_bridge(struct vsctl *, const char *, bool must_exist, struct vsctl_bridge **)
    MUST_CHECK;
struct error *vsctl_find_real_bridge(struct vsctl *, const char *, struct vsctl_bridge **) MUST_CHECK;
struct error *vsctl_find_port(struct vsctl *, const char *, bool must_exist, struct vsctl_port **)
    MUST_CHECK;
struct error *vsctl_find_iface(struct vsctl *, const char *, bool must_exist, struct vsctl_iface **)
    MUST_CHECK;
/* An error if anything has the name: "WHAT because a port named X already exists". */
struct error *vsctl_check_conflicts(struct vsctl *, const char *name, const char *what, const char *kind)
    MUST_CHECK;
/* Writes and keeps the model. */
struct vsctl_port *vsctl_model_add_port(struct vsctl *, struct vsctl_bridge *, const char *name,
                                        const struct db_interface *const *, size_t n);
void vsctl_model_del_port(struct vsctl *, struct vsctl_port *);
struct vsctl_iface *vsctl_model_add_iface(struct vsctl *, struct vsctl_port *, const char *name,
                                          const struct db_interface *);
void vsctl_model_del_iface(struct vsctl *, struct vsctl_iface *);
struct vsctl_bridge *vsctl_model_add_bridge(struct vsctl *, const char *name, const struct db_bridge *,
                                            struct vsctl_bridge *parent, int vlan);
void vsctl_model_del_bridge(struct vsctl *, struct vsctl_bridge *);
void vsctl_expect_interface(struct vsctl *, const char *name);

/* Prints words in order, one a line. Sorts and keeps them. */
void vsctl_put_sorted(struct text *, char **words, size_t n);

/* --- Commands --- */
#define VSCTL_RUN(NAME) struct error *vsctl_run_##NAME(struct vsctl *, struct vsctl_command *)
VSCTL_RUN(init);
VSCTL_RUN(show);
VSCTL_RUN(emer_reset);
VSCTL_RUN(add_br);
VSCTL_RUN(del_br);
VSCTL_RUN(list_br);
VSCTL_RUN(br_exists);
VSCTL_RUN(br_to_vlan);
VSCTL_RUN(br_to_parent);
VSCTL_RUN(br_set_external_id);
VSCTL_RUN(br_get_external_id);
VSCTL_RUN(list_ports);
VSCTL_RUN(add_port);
VSCTL_RUN(add_bond);
VSCTL_RUN(add_bond_iface);
VSCTL_RUN(del_bond_iface);
VSCTL_RUN(del_port);
VSCTL_RUN(port_to_br);
VSCTL_RUN(list_ifaces);
VSCTL_RUN(iface_to_br);
VSCTL_RUN(get_controller);
VSCTL_RUN(set_controller);
VSCTL_RUN(del_controller);
VSCTL_RUN(get_fail_mode);
VSCTL_RUN(set_fail_mode);
VSCTL_RUN(del_fail_mode);
VSCTL_RUN(get_manager);
VSCTL_RUN(set_manager);
VSCTL_RUN(del_manager);
VSCTL_RUN(get_ssl);
VSCTL_RUN(set_ssl);
VSCTL_RUN(del_ssl);
VSCTL_RUN(add_aa_mapping);
VSCTL_RUN(del_aa_mapping);
VSCTL_RUN(get_aa_mapping);
VSCTL_RUN(add_zone_tp);
VSCTL_RUN(del_zone_tp);
VSCTL_RUN(list_zone_tp);
VSCTL_RUN(set_zone_limit);
VSCTL_RUN(del_zone_limit);
VSCTL_RUN(list_zone_limits);
VSCTL_RUN(list_dp_cap);
VSCTL_RUN(list);
VSCTL_RUN(find);
VSCTL_RUN(get);
VSCTL_RUN(set);
VSCTL_RUN(add);
VSCTL_RUN(remove);
VSCTL_RUN(clear);
VSCTL_RUN(create);
VSCTL_RUN(destroy);
VSCTL_RUN(wait_until);
VSCTL_RUN(comment);
struct error *vsctl_watch_all(struct vsctl *, struct vsctl_command *);
struct error *vsctl_watch_nothing(struct vsctl *, struct vsctl_command *);
struct error *vsctl_watch_show(struct vsctl *, struct vsctl_command *);
struct error *vsctl_watch_zones(struct vsctl *, struct vsctl_command *);
struct error *vsctl_watch_settings(struct vsctl *, struct vsctl_command *);
/* The table that argv[1] names, with the names of its records. */
struct error *vsctl_watch_records(struct vsctl *, struct vsctl_command *);
void vsctl_finish_create(struct vsctl *, struct vsctl_command *);
/* vsctl_conditions.c: "COLUMN[:KEY]OPVALUE". */
struct error *vsctl_condition(struct vsctl *, const struct dbc_row *, const char *condition,
                              const struct dbc_table *, bool *is_true) MUST_CHECK;

#endif
