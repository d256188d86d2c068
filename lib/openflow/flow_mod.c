/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods. */
#include "lib/openflow/message.h"
#include "lib/openflow/wire.h"

enum { EMERG_10 = 4 };

static bool is_delete(const struct ofp_flow_mod *fm)
{
    return fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
}

bool ofp_match_fits_10(const struct match *m)
{
    struct buffer b = BUFFER_INIT;
    struct match back;
    match10_encode(&b, m);
    struct reader r = reader_of(b.data, b.len);
    struct error *error = match10_decode(&r, &back);
    bool fits = !error && match_equal(m, &back);
    error_free(error);
    buffer_fini(&b);
    return fits;
}

static struct error *flow_mod_command(struct ofp_flow_mod *fm, unsigned command, bool with_table)
{
    fm->table_in_command = with_table;
    if (with_table) {
        fm->table_id = command >> 8;
        command &= 0xff;
    }
    if (command > OFPFC_DELETE_STRICT) {
        return error_new(OFPERR_OFPFMFC_BAD_COMMAND, "flow mod: command %u is not known", command);
    }
    fm->command = command;
    if (!with_table) {
        fm->table_id = command == OFPFC_ADD ? 0 : OFPTT_ALL;
    } else if (fm->table_id == OFPTT_ALL && command == OFPFC_ADD) {
        fm->table_id = 0;
    }
    return NULL;
}

static struct error *flow_mod_flags(struct ofp_flow_mod *fm, unsigned flags, enum ofp_version version)
{
    if (version == OFP10 && flags & EMERG_10) {
        return error_new(OFPERR_OFPFMFC_TABLE_FULL, "flow mod: there is no room for emergency rules");
    }
    if (flags & ~(version == OFP10 ? OFP_FLOW_FLAGS_10 : OFP_FLOW_FLAGS_13)) {
        return error_new(OFPERR_OFPFMFC_BAD_FLAGS, "flow mod: flags 0x%x are not known", flags);
    }
    fm->flags = flags;
    if (version == OFP10 && fm->command == OFPFC_ADD) {
        fm->flags |= OFPFF_RESET_COUNTS;
    }
    return NULL;
}

/* All fields of 1.0's flow mod after its match, and of Nicira's, are the same up to the flags. */
static struct error *flow_mod_10(struct reader *r, struct ofp_flow_mod *fm, bool with_table)
{
    fm->new_cookie = ofp_pull_cookie(r);
    fm->modify_cookie = fm->new_cookie != UINT64_MAX;
    struct error *error = flow_mod_command(fm, reader_be16(r), with_table);
    fm->idle_timeout = reader_be16(r);
    fm->hard_timeout = reader_be16(r);
    fm->priority = reader_be16(r);
    fm->buffer_id = reader_be32(r);
    fm->out_port = ofp_port_from_10(reader_be16(r));
    fm->out_group = OFPG_ANY;
    unsigned flags = reader_be16(r);
    return error ? error : flow_mod_flags(fm, flags, OFP10);
}

static struct error *flow_mod_nx(struct reader *r, struct ofp_flow_mod *fm, bool with_table)
{
    struct error *error = flow_mod_10(r, fm, with_table);
    size_t match_len = reader_be16(r);
    reader_skip(r, 6);
    error = error ? error : nxm_pull_framed(r, match_len, false, &fm->match, &fm->cookie, &fm->cookie_mask);
    if (!error && fm->cookie_mask && fm->command == OFPFC_ADD) {
        error = error_new(OFPERR_NXBRC_NXM_INVALID, "flow mod: an added rule cannot be chosen by cookie");
    }
    return error;
}

static struct error *flow_mod_13(struct reader *r, struct ofp_flow_mod *fm, enum ofp_version version)
{
    be64 cookie = ofp_pull_cookie(r);
    be64 mask = ofp_pull_cookie(r);
    fm->table_id = reader_u8(r);
    unsigned command = reader_u8(r);
    if (command > OFPFC_DELETE_STRICT) {
        return error_new(OFPERR_OFPFMFC_BAD_COMMAND, "flow mod: command %u is not known", command);
    }
    fm->command = command;
    fm->idle_timeout = reader_be16(r);
    fm->hard_timeout = reader_be16(r);
    fm->priority = reader_be16(r);
    fm->buffer_id = reader_be32(r);
    struct error *error = ofp_pull_port(r, version, &fm->out_port);
    fm->out_group = reader_be32(r);
    unsigned flags = reader_be16(r);
    fm->importance = reader_be16(r);
    if (version < OFP14) {
        fm->importance = 0;
    }
    error = error ? error : flow_mod_flags(fm, flags, version);
    error = error ? error : oxm_match_decode(r, false, &fm->match);
    if (error) {
        return error;
    }
    if (fm->table_id == OFPTT_ALL && !is_delete(fm)) {
        return error_new(OFPERR_OFPFMFC_BAD_TABLE_ID, "flow mod: only deletions can mean all tables");
    }
    if (fm->command == OFPFC_ADD) {
        fm->new_cookie = cookie;
    } else {
        fm->cookie = cookie & mask;
        fm->cookie_mask = mask;
        fm->new_cookie = UINT64_MAX;   /* OpenFlow 1.2, 6.4: a modification leaves the cookie. */
    }
    return NULL;
}

static struct error *decode_flow_mod(const struct ofp_header *h, bool with_table, struct ofp_flow_mod *fm,
                                     struct buffer *actions)
{
    struct reader r = ofp_body(h);
    struct error *error;
    memset(fm, 0, sizeof *fm);
    buffer_clear(actions);
    fm->out_port = OFPP_ANY;
    fm->out_group = OFPG_ANY;
    if (h->msg == OFPMSG_NXT_FLOW_MOD) {
        error = flow_mod_nx(&r, fm, with_table);
    } else if (h->version == OFP10) {
        uint32_t wildcards = reader_left(&r) >= 4 ? get_be32(r.p) : 0;
        error = match10_decode(&r, &fm->match);
        error = error ? error : flow_mod_10(&r, fm, with_table);
        if (!(wildcards & 0x3fffff)) {
            fm->priority = UINT16_MAX;   /* OpenFlow 1.0, 3.4: exact entries are above all others. */
        }
    } else {
        error = flow_mod_13(&r, fm, h->version);
    }
    if (!error && r.bad) {
        error = ofp_bad_len("flow mod");
    }
    bool instructions = h->version > OFP10;
    error = error ? error : ofacts_decode(r.p, reader_left(&r), h->version, instructions, actions);
    if (error) {
        return error;
    }
    if (is_delete(fm)) {
        buffer_clear(actions);
    } else {
        fm->out_port = OFPP_ANY;
        fm->out_group = OFPG_ANY;
    }
    fm->actions = ofact_list_of(actions);
    ofacts_adapt(&fm->actions, &fm->match);
    return NULL;
}

struct error *ofp_decode_flow_mod(const struct ofp_header *h, struct ofp_flow_mod *fm, struct buffer *actions)
{
    return decode_flow_mod(h, false, fm, actions);
}

struct error *ofp_decode_flow_mod_with_table(const struct ofp_header *h, struct ofp_flow_mod *fm,
                                             struct buffer *actions)
{
    return decode_flow_mod(h, true, fm, actions);
}

static void put_flow_mod_10(struct buffer *b, const struct ofp_flow_mod *fm)
{
    ofp_put_cookie(b, fm->new_cookie);
    buffer_put_be16(b, fm->command | (fm->table_in_command ? fm->table_id << 8 : 0));
    buffer_put_be16(b, fm->idle_timeout);
    buffer_put_be16(b, fm->hard_timeout);
    buffer_put_be16(b, fm->priority);
    buffer_put_be32(b, fm->buffer_id);
    buffer_put_be16(b, ofp_port_to_10(fm->out_port));
    buffer_put_be16(b, fm->flags & OFP_FLOW_FLAGS_10);
}

void ofp_encode_flow_mod(struct buffer *b, const struct ofp_flow_mod *fm, enum ofp_version version, bool nxm,
                         uint32_t xid)
{
    nxm = nxm && version == OFP10;
    size_t begin = ofp_begin(b, nxm ? OFPMSG_NXT_FLOW_MOD : OFPMSG_FLOW_MOD, version, xid);
    if (nxm) {
        put_flow_mod_10(b, fm);
        size_t len_at = b->len;
        buffer_put_zeros(b, 8);
        bool filter = fm->command != OFPFC_ADD;
        nxm_put_framed(b, len_at, &fm->match, version, filter ? fm->cookie : 0, filter ? fm->cookie_mask : 0);
    } else if (version == OFP10) {
        match10_encode(b, &fm->match);
        put_flow_mod_10(b, fm);
    } else {
        bool filter = fm->command != OFPFC_ADD;
        ofp_put_cookie(b, filter ? fm->cookie & fm->cookie_mask : fm->new_cookie);
        ofp_put_cookie(b, filter ? fm->cookie_mask : 0);
        buffer_put_u8(b, fm->table_id);
        buffer_put_u8(b, fm->command);
        buffer_put_be16(b, fm->idle_timeout);
        buffer_put_be16(b, fm->hard_timeout);
        buffer_put_be16(b, fm->priority);
        buffer_put_be32(b, fm->buffer_id);
        buffer_put_be32(b, fm->out_port);
        buffer_put_be32(b, fm->out_group);
        buffer_put_be16(b, fm->flags & OFP_FLOW_FLAGS_13);
        buffer_put_be16(b, version >= OFP14 ? fm->importance : 0);
        oxm_match_encode(b, &fm->match, version);
    }
    ofacts_encode(&fm->actions, version, version > OFP10, b);
    ofp_finish(b, begin);
}
