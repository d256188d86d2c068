/* SPDX-License-Identifier: Apache-2.0 */
/* Text of matches, datapath flows and subfields: what is accepted must print and parse to the same. */
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/flow/action.h"
#include "lib/flow/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void try_match(const char *s)
{
    struct match m, again;
    struct error *e = match_parse(s, NULL, &m);
    if (!e) {
        match_normalise(&m);
        struct text t = TEXT_INIT, u = TEXT_INIT;
        match_format(&m, NULL, &t);
        e = match_parse(text_str(&t), NULL, &again);
        require(!e);
        match_format(&again, NULL, &u);
        require(!strcmp(text_str(&t), text_str(&u)));
        text_fini(&t);
        text_fini(&u);
    }
    error_free(e);
}

static void try_key(const char *s)
{
    struct key key, again;
    struct mask mask, mask_again;
    struct error *e = key_parse(s, &key, &mask);
    if (!e) {
        struct text t = TEXT_INIT, u = TEXT_INIT;
        key_format(&key, &mask, NULL, NULL, &t);
        e = key_parse(text_str(&t), &again, &mask_again);
        require(!e);
        key_format(&again, &mask_again, NULL, NULL, &u);
        require(!strcmp(text_str(&t), text_str(&u)));
        text_fini(&t);
        text_fini(&u);
    }
    error_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!n || n > 4000) {
        return 0;
    }
    char *s = malloc(n);
    memcpy(s, data + 1, n - 1);
    s[n - 1] = '\0';
    switch (data[0] % 3) {
    case 0:
        try_match(s);
        break;
    case 1:
        try_key(s);
        break;
    case 2: {
        struct subfield sf;
        struct error *e = subfield_parse(s, &sf);
        if (!e) {
            struct text t = TEXT_INIT;
            subfield_format(&sf, &t);
            struct subfield again;
            e = subfield_parse(text_str(&t), &again);
            require(!e && again.field == sf.field && again.ofs == sf.ofs && again.n_bits == sf.n_bits);
            text_fini(&t);
        }
        error_free(e);
        break;
    }
    }
    free(s);
    return 0;
}
