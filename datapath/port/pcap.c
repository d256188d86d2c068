/* SPDX-License-Identifier: Apache-2.0 */
/* Capture files, by libpcap. */
#include "datapath/port/pcap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>

#include "lib/base/alloc.h"
#include "lib/base/error.h"

#ifdef HAVE_PCAP

#include <pcap/pcap.h>

enum { SNAP_LEN = 262144 };

struct capture {
    pthread_mutex_t lock;
    pcap_t *pcap;
    pcap_dumper_t *dumper;
};

struct error *capture_open(const char *path, struct capture **cp)
{
    *cp = NULL;
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAP_LEN);
    if (!pcap) {
        return error_new(ENOMEM, "capture file \"%s\": libpcap gives no handle", path);
    }
    pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
    if (!dumper) {
        struct error *e = error_new(errno ? errno : EIO, "capture file \"%s\" cannot be written: %s", path,
                                    pcap_geterr(pcap));
        pcap_close(pcap);
        return e;
    }
    struct capture *c = xzalloc(sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->pcap = pcap;
    c->dumper = dumper;
    pcap_dump_flush(dumper);
    *cp = c;
    return NULL;
}

void capture_close(struct capture *c)
{
    if (c) {
        pcap_dump_close(c->dumper);
        pcap_close(c->pcap);
        pthread_mutex_destroy(&c->lock);
        free(c);
    }
}

void capture_write(struct capture *c, const void *frame, size_t n)
{
    struct pcap_pkthdr header = { .caplen = n, .len = n };
    gettimeofday(&header.ts, NULL);
    pthread_mutex_lock(&c->lock);
    pcap_dump((u_char *) c->dumper, &header, frame);
    pcap_dump_flush(c->dumper);
    pthread_mutex_unlock(&c->lock);
}

#else

struct error *capture_open(const char *path, struct capture **cp)
{
    *cp = NULL;
    return error_new(EOPNOTSUPP, "capture file \"%s\": this build has no libpcap (configure without "
                     "--disable-pcap)", path);
}

void capture_close(struct capture *c)
{
    (void) c;
}

void capture_write(struct capture *c, const void *frame, size_t n)
{
    (void) c, (void) frame, (void) n;
}

#endif
