/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of db: the engine, the journal, the store. */
#include "tests/unit/unit.h"

TCase *datum_tcase(void);
TCase *execute_tcase(void);
TCase *journal_tcase(void);
TCase *schema_tcase(void);
TCase *store_tcase(void);
TCase *txn_tcase(void);

UNIT_MAIN("db", schema_tcase, datum_tcase, execute_tcase, txn_tcase, journal_tcase, store_tcase)
