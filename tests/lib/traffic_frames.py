# SPDX-License-Identifier: Apache-2.0
"""Typical frames by name, for tests that cut and bend them."""
from struct import pack

_ETH = bytes.fromhex("02000000000b02000000000a")
_V6 = bytes.fromhex("20010db8000000000000000000000001" "20010db8000000000000000000000002")


def _ip(proto, payload, ident=1, fragment=0, options=b""):
    return pack("!HBBHHHBBH", 0x0800, 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident, fragment, 64, proto, 0) \
        + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + options + payload


def _ip6(proto, payload):
    return pack("!HIHBB", 0x86dd, 6 << 28, len(payload), proto, 64) + _V6 + payload


_TCP = pack("!HHIIBBHHH", 1000, 80, 1, 2, 0x60, 0x18, 1000, 0, 0) + b"\x02\x04\x05\xb4" + b"data"
_UDP = pack("!HHHH", 1000, 53, 16, 0) + b"payload!"
_ND = bytes.fromhex("8700000000000000") + _V6[16:] + bytes.fromhex("0101") + _ETH[6:]
FRAMES = {name: _ETH + rest for name, rest in {
    "tcp": _ip(6, _TCP),
    "tcp with IP options": _ip(6, _TCP, options=b"\x94\x04\0\0"),
    "udp": _ip(17, _UDP),
    "first fragment": _ip(17, _UDP, fragment=0x2000),
    "later fragment": _ip(17, _UDP, fragment=0x0010),
    "icmp": _ip(1, bytes.fromhex("0800000000010001") + b"ping"),
    "sctp": _ip(132, bytes.fromhex("0001000200000003") + bytes(8)),
    "igmp": _ip(2, bytes.fromhex("1600000000e0000001")),
    "gre": _ip(47, bytes.fromhex("000008004500")),
    "arp": bytes.fromhex("0806000108000604000102000000000a0a0000010000000000000a000002"),
    "vlan": pack("!HH", 0x8100, 5) + _ip(6, _TCP),
    "two tags": pack("!HHHH", 0x88a8, 7, 0x8100, 5) + _ip(17, _UDP),
    "tcp over IPv6": _ip6(6, _TCP),
    "udp behind headers": _ip6(0, bytes.fromhex("2b00000000000000") + bytes.fromhex("1100000000000000") + _UDP),
    "fragment of IPv6": _ip6(44, bytes.fromhex("1100000100000001") + _UDP),
    "neighbour solicitation": _ip6(58, _ND),
    "mpls": bytes.fromhex("8847000011ff000021ff") + _ip(6, _TCP)[2:],
    "llc": bytes.fromhex("0008aaaa03000000") + b"\x08\x00" + bytes(8),
    "unknown": bytes.fromhex("88cc020704") + bytes(16),
    "vxlan": _ip(17, pack("!HHHH", 5000, 4789, 62, 0) + bytes.fromhex("0800000000138800") + _ETH + _ip(6, _TCP)),
}.items()}
