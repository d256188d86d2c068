/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the control path.
 *
 * What: an error has a code (a positive errno, or an enum of ours from ERROR_CODE_OWN up, such
 * as an OpenFlow error), a text that names the object, what is wrong and what would be right,
 * and perhaps a cause. NULL is success. A function that can fail returns 'struct error *' and
 * the caller must look at it and free it.
 *
 * Use:   struct error *e = port_open(cfg, &port);
 *        if (e) {
 *            return error_wrap(e, "bridge \"%s\"", name);
 *        }
 *
 * Memory: whoever holds the pointer owns it; error_wrap() takes its cause. */
#ifndef LIB_BASE_ERROR_H
#define LIB_BASE_ERROR_H

#include "lib/base/types.h"

struct error;

#define ERROR_CODE_OWN 0x10000

struct error *error_new(int code, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* The cause's code with more text in front: "text: cause". Takes 'cause', which is not NULL. */
struct error *error_wrap(struct error *cause, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* For a failed system call: the text followed by strerror(errno_value). */
struct error *error_errno(int errno_value, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

int error_code(const struct error *);          /* 0 for NULL. */
const char *error_text(const struct error *);  /* Whole chain; lives as long as the error. */
void error_free(struct error *);               /* NULL is fine. */

/* Moves 'e' into '*first' if that is NULL, otherwise frees 'e'. */
void error_keep_first(struct error **first, struct error *e);

#endif
