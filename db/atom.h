/* SPDX-License-Identifier: Apache-2.0 */
/* Atoms: the scalar values of the database (RFC 7047 section 5.1, <atom>).
 *
 * An atom is 16 bytes and does not know its type; who holds it does. Strings of at most 15 bytes are kept in
 * place, longer ones are counted references, so that copying an atom never copies text.
 *
 * Threads: the counts are plain; atoms belong to the thread of their database. */
#ifndef DB_ATOM_H
#define DB_ATOM_H

#include <jansson.h>

#include "lib/base/hmap.h"
#include "lib/base/types.h"
#include "lib/base/uuid.h"

struct db_error;
struct text;

enum atom_type { ATOM_VOID, ATOM_INTEGER, ATOM_REAL, ATOM_BOOLEAN, ATOM_STRING, ATOM_UUID };

struct atom_string {
    uint32_t refs;
    uint32_t len;
    char s[];
};

union atom {
    int64_t integer;
    double real;
    bool boolean;
    struct uuid uuid;
    struct atom_string *heap;   /* If in_place[15] is not 0. */
    char in_place[16];
};

const char *atom_type_name(enum atom_type);
bool atom_type_from_name(const char *, enum atom_type *);

void atom_init_default(union atom *, enum atom_type);
void atom_init_string(union atom *, const char *s, size_t len);
void atom_copy(union atom *, const union atom *from, enum atom_type);
void atom_fini(union atom *, enum atom_type);

static inline const char *atom_string(const union atom *a)
{
    return a->in_place[15] ? a->heap->s : a->in_place;
}

int atom_compare(const union atom *, const union atom *, enum atom_type);
static inline bool atom_equal(const union atom *a, const union atom *b, enum atom_type type)
{
    return !atom_compare(a, b, type);
}
uint32_t atom_hash(const union atom *, enum atom_type, uint32_t basis);
bool atom_is_default(const union atom *, enum atom_type);

/* The UUIDs that a transaction's names stand for (RFC 7047 section 5.1, <named-uuid>). A name may be
 * used before the insert that makes it. */
struct atom_symbol {
    struct hmap_node node;
    char *name;
    struct uuid uuid;
    bool created;
};
struct atom_symbols {
    struct hmap names;
};
void atom_symbols_init(struct atom_symbols *);
void atom_symbols_fini(struct atom_symbols *);
struct atom_symbol *atom_symbols_get(struct atom_symbols *, const char *name);   /* Makes it if new. */

/* 'symbols' NULL: named UUIDs are refused. '*a' is initialised on success only. */
struct db_error *atom_from_json(union atom *, enum atom_type, const json_t *, struct atom_symbols *);
/* As JSON text. */
void atom_put_json(const union atom *, enum atom_type, struct text *);
json_t *atom_to_json(const union atom *, enum atom_type);
/* 's' of 'n' bytes as a JSON string with its quotes. */
void json_put_string(struct text *, const char *s, size_t n);
/* <id>: a letter or underscore, then letters, digits, underscores. */
bool json_is_id(const char *);

#endif
