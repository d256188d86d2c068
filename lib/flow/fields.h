/* SPDX-License-Identifier: Apache-2.0 */
/* Fields: everything that OpenFlow can match or set, generated from spec/fields.toml.
 *
 * What: 'struct fields' is the key plus what only the pipeline knows; 'struct field' describes one of its members
 * for codecs and text: names, width, prerequisites, OXM and NXM codes, how it is shown. Translation works on
 * 'struct fields', so adding a field is one row and one line in the extractor.
 *
 * Values travel between places as 'union field_value', big-endian, right-aligned in 'n_bytes' bytes. */
#ifndef LIB_FLOW_FIELDS_H
#define LIB_FLOW_FIELDS_H

#include "lib/base/types.h"
#include "lib/flow/key.h"
#include "spec/fields.h"   /* enum field_id, FIELD_N, generated. */

enum { N_REGS = 32 };

struct fields {
    struct key key;            /* key.meta.in_port is the datapath's; rules match 'in_port' below. */
    union {
        struct {
            uint32_t reg[N_REGS];          /* Host order; xregN = reg[2N] << 32 | reg[2N + 1]. */
            be64 metadata;
            ofp_port in_port;              /* OpenFlow port number, host order. */
            uint32_t conj_id;              /* Host order. */
            uint32_t actset_output;        /* Host order. */
            uint32_t packet_type;          /* Host order; 0: Ethernet. */
            uint8_t pad[40];
        };
        uint64_t pipeline_words[24];
    };
};
enum { FIELDS_WORDS = sizeof(struct fields) / 8 };

union field_value {
    uint8_t b[16];
    be16 be16;
    be32 be32;
    be64 be64;
    struct eth_addr mac;
    struct in6_addr ip6;
};

enum field_form { FORM_DECIMAL, FORM_HEX, FORM_MAC, FORM_IP4, FORM_IP6, FORM_PORT, FORM_FRAG, FORM_TCP_FLAGS,
                  FORM_CT_STATE, FORM_TUN_FLAGS, FORM_PACKET_TYPE };

enum { OF10_NO_BIT = 255 };

struct field {
    enum field_id id;
    const char *name;              /* Canonical, as in "set_field:1->ip_src". */
    const char *alias;             /* "nw_src" or NULL. */
    const char *print_name;        /* As matches show it: "nw_src". Several fields may share one ("tp_src"). */
    const char *code_name;         /* "NXM_OF_IP_SRC", the NXM symbol if there is one, else the OXM one, or NULL. */
    const char *oxm_name;          /* "OXM_OF_IPV4_SRC" or NULL. */
    const char *help;
    uint16_t n_bytes, n_bits;      /* Of a value: n_bytes in OXM; subfields are within the low n_bits. */
    enum field_form form;
    bool maskable, writable;
    enum prerequisite prerequisite;
    uint32_t oxm_header;           /* class << 16 | field << 9 | n_bytes, no mask; 0: none (no OXM code is 0). */
    uint8_t oxm_version;           /* First OpenFlow version that has it, as on the wire: 1.2 is 3, 1.5 is 6. */
    uint32_t nxm_header;           /* In the same form; 0: none. */
    uint32_t experimenter;         /* OXM of class 0xffff, before the standard code: experimenter, field number, and */
    uint8_t experimenter_field;    /* first version. 0: none. */
    uint8_t experimenter_version;
    uint8_t of10_bit;              /* Bit in an OpenFlow 1.0 match's wildcards (ip_src, ip_dst: the lowest of six). */
    uint16_t wire_number;          /* Of the key member that holds it; 0: a pipeline field, never sent there. */

    /* Where it is in struct fields; for fields.c alone. */
    enum field_store store;
    uint16_t ofs, size;
    uint8_t shift, stored_bits;
    union field_value valid;       /* Bits that may be set. */
};
extern const struct field field_rows[FIELD_N];   /* By id. */

const struct field *field_by_id(enum field_id);
const struct field *field_by_name(const char *name);              /* NULL if unknown. */
/* By OXM or NXM code, ignoring mask bit and length; NULL if unknown. Classes other than 0xffff. */
const struct field *field_by_oxm(uint32_t header);
const struct field *field_by_experimenter(uint32_t experimenter, uint8_t field);
const struct field *field_by_any_name(const char *name);          /* By the symbol of its code too: "NXM_OF_IP_SRC". */
const struct field *field_nearest(const char *name);              /* For messages. */

/* Access. 'get' and 'set' handle fields that are parts of words (vlan_vid, dscp, xreg). */
void field_get(const struct field *, const struct fields *, union field_value *);
/* Setting VLAN fields gives the outer tag an Ethertype of 0x8100 if it had none, and takes it away with the tag: a tag is
 * there if VLAN_CFI is set in its tci. */
void field_set(const struct field *, const union field_value *, struct fields *);
/* For matches: stores the value, and ORs bits for 'mask' (NULL: all) into 'mask_fields'; first clears the bits that
 * the field had in both. */
void field_set_match(const struct field *, const union field_value *value, const union field_value *mask,
                     struct fields *value_fields, struct fields *mask_fields);
bool field_is_zero(const struct field *, const union field_value *);
/* (old & ~mask) | (value & mask) */
void field_set_masked(const struct field *, const union field_value *value, const union field_value *mask,
                      struct fields *);
/* ORs 'mask' (NULL: all bits of the field) into 'wc', the un-wildcarding of a translation or the mask of a match. */
void field_mask_add(const struct field *, const union field_value *mask, struct fields *wc);
/* Is any bit of the field set, in the mask of a match or in un-wildcarding? Quick if not. */
bool field_is_masked(const struct field *, const struct fields *mask);
/* Do 'f's values satisfy the field's prerequisites? If 'wc', un-wildcards what was looked at. */
bool field_prerequisite_holds(const struct field *, const struct fields *f, struct fields *wc);
bool field_value_is_valid(const struct field *, const union field_value *);
void field_all_ones(const struct field *, union field_value *);

/* A part of a field, as in "NXM_NX_REG0[0..15]". */
struct subfield {
    const struct field *field;
    uint16_t ofs, n_bits;
};
void subfield_get(const struct subfield *, const struct fields *, union field_value *);   /* Right-aligned in 16 bytes. */
uint64_t subfield_get_u64(const struct subfield *, const struct fields *);                /* n_bits <= 64. */
void subfield_set(const struct subfield *, const union field_value *, struct fields *);   /* From 16 bytes. */
void subfield_mask_add(const struct subfield *, struct fields *wc);

/* "NXM_NX_REG0[0..15]", "reg0[3]", "ip_src[]", "ip_src": any name or code name of a field, with or without a range. */
struct error;
struct text;
struct error *subfield_parse(const char *s, struct subfield *);
/* With the code name, as in "NXM_NX_REG0[0..15]"; "[]" for a whole field. */
void subfield_format(const struct subfield *, struct text *);

/* Text of one value, canonical as ovs-ofctl prints it. 'mask' may be NULL. 'ports' may be NULL. */
struct port_names;
void field_format(const struct field *, const union field_value *, const union field_value *mask,
                  const struct port_names *ports, struct text *);
struct error *field_parse(const struct field *, const char *s, const struct port_names *ports,
                          union field_value *, union field_value *mask);

/* A port number or name. Reserved ports are known in any case of letters: IN_PORT, TABLE, NORMAL, FLOOD, ALL, CONTROLLER,
 * LOCAL, ANY, NONE. Numbers from 0xff00 on are reserved ones of OpenFlow 1.0; "names" in double quotes are names. */
struct error *port_number_parse(const char *s, const struct port_names *, ofp_port *);
void port_number_format(ofp_port, const struct port_names *, struct text *);

/* Look-up of port names, given by callers: low rooms know none. */
struct port_names {
    bool (*to_number)(const struct port_names *, const char *name, ofp_port *);
    const char *(*to_name)(const struct port_names *, ofp_port);   /* NULL if unknown. */
};

#endif
