/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of ports with real devices, in network namespaces of their own. Skipped without root. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/datapath/port/devices.h"

static const struct {
    const char *name;
    TCase *(*make)(void);
} cases[] = {
    { "system ports", system_tcase },
    { "tap and internal ports", tap_tcase },
    { "vxlan ports", vxlan_tcase },
    { "every kind of port against every other", matrix_tcase },
};

int main(void)
{
    bool able = !geteuid() && !access("/dev/net/tun", R_OK | W_OK) && !unshare(CLONE_NEWNET);
    Suite *suite = suite_create("port-devices");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (able) {
            suite_add_tcase(suite, cases[i].make());
        } else {
            printf("SKIP: %s: needs root, network namespaces and /dev/net/tun\n", cases[i].name);
        }
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
