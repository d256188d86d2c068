/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a JSON object apart. */
#include "db/members.h"

#include <assert.h>

#include "db/atom.h"
#include "db/error.h"

void members_init(struct members *m, const json_t *j, const char *what)
{
    *m = (struct members) { .object = j, .what = what };
    if (!json_is_object(j)) {
        m->error = db_error_syntax(j, "%s is not a JSON object", what);
        m->object = NULL;
    }
}

static int kind_of(const json_t *j)
{
    switch (json_typeof(j)) {
    case JSON_NULL: return MEMBER_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return MEMBER_BOOLEAN;
    case JSON_INTEGER: return MEMBER_INTEGER;
    case JSON_REAL: return MEMBER_REAL;
    case JSON_STRING: return MEMBER_STRING;
    case JSON_ARRAY: return MEMBER_ARRAY;
    case JSON_OBJECT: return MEMBER_OBJECT;
    }
    return 0;
}

const json_t *members_get(struct members *m, const char *name, int kinds)
{
    if (m->error) {
        return NULL;
    }
    assert(m->n_taken < ARRAY_SIZE(m->taken));
    m->taken[m->n_taken++] = name;
    const json_t *j = json_object_get(m->object, name);
    if (!j) {
        if (!(kinds & MEMBER_OPTIONAL)) {
            m->error = db_error_syntax(m->object, "%s lacks its member \"%s\"", m->what, name);
        }
        return NULL;
    }
    if (kind_of(j) & kinds) {
        return j;
    }
    if ((kinds & MEMBER_ID) && json_is_string(j) && json_is_id(json_string_value(j))) {
        return j;
    }
    m->error = db_error_syntax(m->object, "%s: member \"%s\" is of the wrong kind", m->what, name);
    return NULL;
}

void members_fail(struct members *m, struct db_error *e)
{
    if (m->error) {
        db_error_free(e);
    } else {
        m->error = e;
    }
}

struct db_error *members_finish(struct members *m)
{
    if (!m->error) {
        const char *key;
        json_t *value;
        json_object_foreach ((json_t *) m->object, key, value) {
            bool known = false;
            for (size_t i = 0; i < m->n_taken && !known; i++) {
                known = !strcmp(key, m->taken[i]);
            }
            if (!known) {
                m->error = db_error_syntax(m->object, "%s: member \"%s\" is not known here", m->what,
                                           key);
                break;
            }
        }
    }
    return m->error;
}
