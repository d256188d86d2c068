/* SPDX-License-Identifier: Apache-2.0 */
/* Sends UDP packets of 18 bytes (64-byte frames) as fast as one core can, or at a rate: udp-blast ADDRESS SECONDS [one|scan [PACKETS-A-SECOND]].
 * "scan" sends by a raw socket from ever other source addresses and ports, to other ports: a new flow each, each differing from
 * the rules in another bit. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, PAYLOAD = 18 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void blast(struct in_addr to, double seconds)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = to };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address)) {
        perror("udp-blast");
        exit(EXIT_FAILURE);
    }
    char payload[PAYLOAD] = { 0 };
    struct iovec iov = { payload, sizeof payload };
    struct mmsghdr messages[BATCH];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_iov = &iov;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (double end = now() + seconds; now() < end;) {
        sendmmsg(fd, messages, BATCH, 0);
    }
    close(fd);
}

static void scan(struct in_addr to, double seconds, double rate)
{
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0) {
        perror("udp-blast");
        exit(EXIT_FAILURE);
    }
    struct { struct iphdr ip; struct udphdr udp; char payload[PAYLOAD]; } p;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = to };
    memset(&p, 0, sizeof p);
    p.ip = (struct iphdr) { .version = 4, .ihl = 5, .tot_len = htons(sizeof p), .ttl = 64, .protocol = IPPROTO_UDP, .daddr = to.s_addr };
    p.udp.len = htons(sizeof p - sizeof p.ip);
    double begin = now();
    for (unsigned i = 0; now() - begin < seconds; i++) {
        p.ip.saddr = htonl(0x0a090909u ^ 1u << (i % 32));
        p.udp.source = htons(12345 ^ 1u << (i / 32 % 16));
        p.udp.dest = htons(80 ^ 1u << (i / 512 % 16));
        sendto(fd, &p, sizeof p, 0, (struct sockaddr *) &address, sizeof address);
        while (i / rate > now() - begin) {
            usleep(500);
        }
    }
    close(fd);
}

int main(int argc, char *argv[])
{
    struct in_addr to;
    if (argc < 3 || !inet_aton(argv[1], &to)) {
        fprintf(stderr, "usage: udp-blast ADDRESS SECONDS [one|scan [PACKETS-A-SECOND]]\n");
        return EXIT_FAILURE;
    }
    if (argc > 3 && !strcmp(argv[3], "scan")) {
        scan(to, atof(argv[2]), argc > 4 ? atof(argv[4]) : 1e9);
    } else {
        blast(to, atof(argv[2]));
    }
    return EXIT_SUCCESS;
}
