/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test program shares: main() from a list of test cases.
 *
 * Use: each test_X.c has 'TCase *x_tcase(void)'; test_main.c of the room says
 *      UNIT_MAIN("flow", x_tcase, y_tcase) */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "lib/base/types.h"

#define UNIT_MAIN(NAME, ...)                                                                     \
    int main(void)                                                                               \
    {                                                                                            \
        TCase *(*cases[])(void) = { __VA_ARGS__ };                                               \
        Suite *suite = suite_create(NAME);                                                       \
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {                                         \
            suite_add_tcase(suite, cases[i]());                                                  \
        }                                                                                        \
        SRunner *runner = srunner_create(suite);                                                 \
        srunner_run_all(runner, CK_NORMAL);                                                      \
        int failed = srunner_ntests_failed(runner);                                              \
        srunner_free(runner);                                                                    \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                             \
    }

#endif
