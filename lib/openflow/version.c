/* SPDX-License-Identifier: Apache-2.0 */
/* Names of OpenFlow versions and of reserved ports. */
#include "lib/openflow/version.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"
#include "lib/flow/fields.h"

static const struct { enum ofp_version version; const char *name, *dotted; } versions[] = {
    { OFP10, "OpenFlow10", "1.0" }, { OFP11, "OpenFlow11", "1.1" }, { OFP12, "OpenFlow12", "1.2" },
    { OFP13, "OpenFlow13", "1.3" }, { OFP14, "OpenFlow14", "1.4" }, { OFP15, "OpenFlow15", "1.5" },
};

const char *ofp_version_name(enum ofp_version v)
{
    return v >= OFP10 && v <= OFP15 ? versions[v - OFP10].name : "OpenFlow?";
}

const char *ofp_version_dotted(enum ofp_version v)
{
    return v >= OFP10 && v <= OFP15 ? versions[v - OFP10].dotted : "?";
}

static uint32_t version_bit(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        if (!strcasecmp(word, versions[i].name) || !strcmp(word, versions[i].dotted)
            || (!strncasecmp(word, "OpenFlow", 8) && !strcmp(word + 8, versions[i].dotted))) {
            return OFP_BIT(versions[i].version);
        }
    }
    return 0;
}

struct error *ofp_versions_parse(const char *s, uint32_t *bits)
{
    char *copy = xstrdup(s), *save = NULL;
    uint32_t result = 0;
    struct error *error = NULL;

    for (char *word = strtok_r(copy, ", \t", &save); word && !error; word = strtok_r(NULL, ", \t", &save)) {
        uint32_t bit = version_bit(word);
        if (!bit) {
            error = error_new(EINVAL, "\"%s\" is not an OpenFlow version; they are OpenFlow10, OpenFlow11, "
                              "OpenFlow12, OpenFlow13, OpenFlow14, OpenFlow15", word);
        }
        result |= bit;
    }
    free(copy);
    if (!error && !result) {
        error = error_new(EINVAL, "no OpenFlow version is named; they are OpenFlow10, OpenFlow11, OpenFlow12, "
                          "OpenFlow13, OpenFlow14, OpenFlow15");
    }
    if (!error) {
        *bits = result;
    }
    return error;
}

struct error *ofp_port_parse(const char *s, const struct port_names *names, ofp_port *port)
{
    return port_number_parse(s, names, port);
}

void ofp_port_format(ofp_port port, const struct port_names *names, struct text *t)
{
    port_number_format(port, names, t);
}
