/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one message of each kind and version to the standard output, for tests/interop/test_openflow_codec.py. */
#include <stdio.h>

#include "tests/unit/lib/openflow/openflow_tests.h"

/* Outside of libcheck's runner. */
#undef ck_assert_msg
#define ck_assert_msg(CONDITION, ...) do { if (!(CONDITION)) abort(); } while (0)

#include "tests/unit/lib/openflow/samples.c"

int main(void)
{
    struct buffer b = BUFFER_INIT;
    put_samples(&b);
    bool done = fwrite(b.data, 1, b.len, stdout) == b.len && !fflush(stdout);
    buffer_fini(&b);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
