/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of values in the output formats: table, list, csv, json, html. */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "utilities/vsctl.h"

struct cell {
    struct datum *datum;
    const struct column_type *type;
};

struct vsctl_table {
    char **headings;
    size_t n_columns;
    struct cell *cells;     /* Row by row. */
    size_t n_cells, allocated_cells, n_rows;
};

struct vsctl_table *vsctl_table_create(void)
{
    return xzalloc(sizeof(struct vsctl_table));
}

void vsctl_table_destroy(struct vsctl_table *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->n_columns; i++) {
        free(t->headings[i]);
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        datum_put(t->cells[i].datum, t->cells[i].type);
    }
    free(t->headings);
    free(t->cells);
    free(t);
}

void vsctl_table_add_column(struct vsctl_table *t, const char *heading)
{
    t->headings = xrealloc(t->headings, (t->n_columns + 1) * sizeof *t->headings);
    t->headings[t->n_columns++] = xstrdup(heading);
}

void vsctl_table_add_row(struct vsctl_table *t)
{
    t->n_rows++;
}

void vsctl_table_add_cell(struct vsctl_table *t, struct datum *d, const struct column_type *type)
{
    if (t->n_cells == t->allocated_cells) {
        t->cells = xgrow(t->cells, &t->allocated_cells, sizeof *t->cells);
    }
    t->cells[t->n_cells++] = (struct cell) { d, type };
}

static const struct cell *cell_at(const struct vsctl_table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}

static void put_cell(const struct vsctl *v, const struct cell *c, struct text *out)
{
    switch (v->style) {
    case VSCTL_STYLE_STRING:
        vsctl_put_datum(out, c->datum, c->type);
        break;
    case VSCTL_STYLE_BARE:
        vsctl_put_bare(out, c->datum, c->type);
        break;
    case VSCTL_STYLE_JSON:
        datum_put_json(c->datum, c->type, out);
        break;
    }
}

/* Columns of characters, as people see them: continuation bytes of UTF-8 take no room. */
static size_t width(const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        n += ((unsigned char) *s & 0xc0) != 0x80;
    }
    return n;
}

/* Format "table" --------------------------------------------------------------------------------- */

static void put_padded(struct text *out, const char *s, size_t to, bool last)
{
    text_put(out, s);
    if (!last) {
        text_printf(out, "%*s", (int) (to - width(s) + 1), "");
    }
}

static void put_table(const struct vsctl *v, const struct vsctl_table *t, struct text *out)
{
    size_t n = t->n_rows * t->n_columns;
    char **texts = xcalloc(n + 1, sizeof *texts);
    size_t *widths = xcalloc(t->n_columns + 1, sizeof *widths);
    for (size_t i = 0; i < n; i++) {
        struct text cell = TEXT_INIT;
        put_cell(v, &t->cells[i], &cell);
        texts[i] = xstrdup(text_str(&cell));
        text_fini(&cell);
        widths[i % t->n_columns] = MAX(widths[i % t->n_columns], width(texts[i]));
    }
    if (!v->no_headings) {
        for (size_t i = 0; i < t->n_columns; i++) {
            widths[i] = MAX(widths[i], width(t->headings[i]));
            put_padded(out, t->headings[i], widths[i], i + 1 == t->n_columns);
        }
        text_put_char(out, '\n');
        for (size_t i = 0; i < t->n_columns; i++) {
            for (size_t j = 0; j < widths[i]; j++) {
                text_put_char(out, '-');
            }
            text_put(out, i + 1 == t->n_columns ? "\n" : " ");
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool last = (i + 1) % t->n_columns == 0;
        put_padded(out, texts[i], widths[i % t->n_columns], last);
        text_put(out, last ? "\n" : "");
        free(texts[i]);
    }
    free(texts);
    free(widths);
}

/* The other formats ------------------------------------------------------------------------------ */

static void put_list(const struct vsctl *v, const struct vsctl_table *t, struct text *out)
{
    for (size_t i = 0; i < t->n_rows; i++) {
        if (i) {
            text_put_char(out, '\n');
        }
        for (size_t j = 0; j < t->n_columns; j++) {
            if (!v->no_headings) {
                text_printf(out, "%-20s: ", t->headings[j]);
            }
            put_cell(v, cell_at(t, i, j), out);
            text_put_char(out, '\n');
        }
    }
}

static void put_csv_field(struct text *out, const char *s)
{
    if (!s[strcspn(s, "\n\",\r")]) {
        text_put(out, s);
        return;
    }
    text_put_char(out, '"');
    for (; *s; s++) {
        text_put(out, *s == '"' ? "\"" : "");
        text_put_char(out, *s);
    }
    text_put_char(out, '"');
}

static void put_html_field(struct text *out, const char *element, const char *s)
{
    text_printf(out, "    <%s>", element);
    for (; *s; s++) {
        switch (*s) {
        case '&':
            text_put(out, "&amp;");
            break;
        case '<':
            text_put(out, "&lt;");
            break;
        case '>':
            text_put(out, "&gt;");
            break;
        case '"':
            text_put(out, "&quot;");
            break;
        default:
            text_put_char(out, *s);
        }
    }
    text_printf(out, "</%s>\n", element);
}

/* Rows of fields, the headings being row -1. */
static void put_csv_row(const struct vsctl *v, const struct vsctl_table *t, size_t row, struct text *out)
{
    for (size_t j = 0; j < t->n_columns; j++) {
        struct text cell = TEXT_INIT;
        if (row == SIZE_MAX) {
            text_put(&cell, t->headings[j]);
        } else {
            put_cell(v, cell_at(t, row, j), &cell);
        }
        text_put(out, j ? "," : "");
        put_csv_field(out, text_str(&cell));
        text_fini(&cell);
    }
    text_put_char(out, '\n');
}

static void put_html_row(const struct vsctl *v, const struct vsctl_table *t, size_t row, struct text *out)
{
    text_put(out, "  <tr>\n");
    for (size_t j = 0; j < t->n_columns; j++) {
        struct text cell = TEXT_INIT;
        if (row == SIZE_MAX) {
            text_put(&cell, t->headings[j]);
        } else {
            put_cell(v, cell_at(t, row, j), &cell);
        }
        put_html_field(out, row == SIZE_MAX ? "th" : "td", text_str(&cell));
        text_fini(&cell);
    }
    text_put(out, "  </tr>\n");
}

static void put_rows(const struct vsctl *v, const struct vsctl_table *t, struct text *out,
                     void (*put_row)(const struct vsctl *, const struct vsctl_table *, size_t,
                                     struct text *))
{
    if (!v->no_headings) {
        put_row(v, t, SIZE_MAX, out);
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        put_row(v, t, i, out);
    }
}

static void put_json(const struct vsctl *v, const struct vsctl_table *t, struct text *out)
{
    json_t *headings = json_array(), *data = json_array();
    for (size_t j = 0; j < t->n_columns; j++) {
        json_array_append_new(headings, json_string(t->headings[j]));
    }
    for (size_t i = 0; i < t->n_rows; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < t->n_columns; j++) {
            const struct cell *c = cell_at(t, i, j);
            json_array_append_new(row, datum_to_json(c->datum, c->type));
        }
        json_array_append_new(data, row);
    }
    json_t *json = json_pack("{s:o,s:o}", "data", data, "headings", headings);
    char *s = json_dumps(json, v->pretty ? JSON_INDENT(2) | JSON_SORT_KEYS
                                         : JSON_COMPACT | JSON_SORT_KEYS);
    text_put(out, s);
    text_put_char(out, '\n');
    free(s);
    json_decref(json);
}

void vsctl_table_put(const struct vsctl *v, const struct vsctl_table *t, struct text *out)
{
    switch (v->format) {
    case VSCTL_FORMAT_TABLE:
        put_table(v, t, out);
        break;
    case VSCTL_FORMAT_NONE:
    case VSCTL_FORMAT_LIST:
        put_list(v, t, out);
        break;
    case VSCTL_FORMAT_HTML:
        text_put(out, "<table border=1>\n");
        put_rows(v, t, out, put_html_row);
        text_put(out, "</table>\n");
        break;
    case VSCTL_FORMAT_CSV:
        put_rows(v, t, out, put_csv_row);
        break;
    case VSCTL_FORMAT_JSON:
        put_json(v, t, out);
        break;
    }
}
