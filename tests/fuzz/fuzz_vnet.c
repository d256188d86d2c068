/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what a packet socket or a tap gives: a virtio-net header and a frame, through the checks on receipt and what
 * is done for a device that takes no offloads. The first byte: a VLAN tag had come beside the frame; the next two: MTU. */
#include "datapath/port/offload.h"
#include "lib/base/error.h"
#include "lib/packet/csum.h"
#include "lib/packet/vnet.h"
#include "lib/sys/rcu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct port *port;

static void setup(void)
{
    struct port_env env = { .enable_system = false };
    struct dp_port_config config;
    dp_port_config_init(&config);
    config.name = (char *) "fuzz";
    config.type = (char *) "dummy";
    rcu_register_thread();
    error_free(port_create(&env, &config, 1, &port));
}

static void send_plain(struct packet *p, uint32_t mtu)
{
    struct vnet_header header;
    bool made;
    enum drop reason;
    vnet_from_packet(p, &header);
    if (!p->gso_size || offload_fit_mtu(p, mtu)) {
        struct packet *list = offload_resolve(NULL, p, &made, &reason);
        if (list && made) {
            packet_list_free(list);
        }
    }
    packet_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!port) {
        setup();
    }
    if (n < 3 + VNET_HEADER_LEN + 14 || n > 65536) {
        return 0;
    }
    bool tagged = data[0] & 1;
    uint32_t mtu = get_be16(data + 1);
    struct vnet_header header;
    memcpy(&header, data + 3, sizeof header);
    struct packet *p = packet_from_bytes(NULL, data + 3 + VNET_HEADER_LEN, n - 3 - VNET_HEADER_LEN);
    if (tagged && packet_insert(p, 12, 4)) {
        memcpy(p->data + 12, "\x81\x00\x00\x01", 4);
    }
    if (!offload_from_vnet(&header, tagged, p)) {
        packet_free(p);
        return 0;
    }
    struct packet_batch batch = { .n = 1, .p = { p } };
    offload_check_received(port, &batch);
    while (batch.n) {
        for (uint32_t i = 0; i < batch.n; i++) {
            send_plain(batch.p[i], mtu);
        }
        port_rx(port, NULL, &batch);
    }
    return 0;
}
