/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas that are compiled in, as JSON text. */
#ifndef DB_SCHEMA_TEXT_H
#define DB_SCHEMA_TEXT_H

/* spec/vswitch.schema.json: the configuration database "Open_vSwitch". */
extern const char vswitch_schema_text[];

#endif
