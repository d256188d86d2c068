/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files of dummy ports. Without libpcap, opening one is an error that says so.
 *
 * Threads: any may write; a lock orders them. */
#ifndef DATAPATH_PORT_PCAP_H
#define DATAPATH_PORT_PCAP_H

#include "lib/base/types.h"

struct capture;
struct error;

/* Begins a new file (an old one is overwritten), Ethernet frames. */
struct error *capture_open(const char *path, struct capture **);
void capture_close(struct capture *);   /* NULL is fine. */
/* Appends one frame and flushes. */
void capture_write(struct capture *, const void *frame, size_t n);

#endif
