/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs: making, reading, ordering. */
#include "lib/base/uuid.h"

#include "lib/base/random.h"

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct uuid uuid_random(void)
{
    struct uuid u;
    random_secure(&u, sizeof u);
    u.parts[1] = (u.parts[1] & 0xffff0fff) | 0x4000;             /* Version 4. */
    u.parts[2] = (u.parts[2] & 0x3fffffff) | UINT32_C(0x80000000);   /* Variant 10. */
    return u;
}

bool uuid_parse(const char *s, struct uuid *out)
{
    struct uuid u = { { 0, 0, 0, 0 } };
    unsigned digit = 0;
    for (int i = 0; i < UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[i] != '-') {
                return false;
            }
        } else {
            int value = hex_value(s[i]);
            if (value < 0) {
                return false;
            }
            u.parts[digit / 8] = u.parts[digit / 8] << 4 | (unsigned) value;
            digit++;
        }
    }
    if (s[UUID_LEN]) {
        return false;
    }
    *out = u;
    return true;
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    for (int i = 0; i < 4; i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    return 0;
}
