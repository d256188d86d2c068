/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of ports with real devices, in network namespaces of their own. Skipped without root. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/datapath/port/devices.h"

enum { SKIPPED = 77 };   /* What automake takes for "skipped". */

int main(void)
{
    if (geteuid() || access("/dev/net/tun", R_OK | W_OK) || unshare(CLONE_NEWNET)) {
        printf("skipped: test-port-devices (system, tap, internal, vxlan ports): needs root, network namespaces and "
               "/dev/net/tun\n");
        return SKIPPED;
    }
    Suite *suite = suite_create("port-devices");
    suite_add_tcase(suite, system_tcase());
    suite_add_tcase(suite, tap_tcase());
    suite_add_tcase(suite, vxlan_tcase());
    suite_add_tcase(suite, matrix_tcase());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
