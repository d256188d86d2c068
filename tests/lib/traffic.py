# SPDX-License-Identifier: Apache-2.0
"""Traffic of tests: sockets in other namespaces, counted UDP streams, compared TCP transfers, frames by hand."""
import contextlib
import ctypes
import fcntl
import hashlib
import os
import select
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(ns):
    """The calling thread is in a network namespace while the block runs."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{ns}", os.O_RDONLY)
    try:
        if _libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {ns}")
        try:
            yield
        finally:
            _libc.setns(own, CLONE_NEWNET)
    finally:
        os.close(own)
        os.close(other)


def socket_in(ns, *args):
    with inside(ns):
        return socket.socket(*args)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Stream:
    """A UDP stream with sequence numbers: s = Stream(ns1, ns2, "10.0.0.2"); s.start(); ...; s.stop(); s.missing

    Which numbers were sent is counted only when the kernel took the packet."""

    def __init__(self, ns1, ns2, address, port=7000, rate=1000, size=64, source_port=0):
        self.rate, self.size, self.to = rate, size, (address, port)
        self.rx = socket_in(ns2, family_of(address), socket.SOCK_DGRAM)
        self.rx.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.rx.bind(("", port))
        self.rx.settimeout(0.2)
        self.tx = socket_in(ns1, family_of(address), socket.SOCK_DGRAM)
        self.tx.bind(("", source_port))
        self.n_sent, self.received, self.arrivals = 0, [], []
        self.stopping, self.sending = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._send, daemon=True), threading.Thread(target=self._receive, daemon=True)]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _send(self):
        start = time.monotonic()
        while not self.sending.is_set():
            due = int((time.monotonic() - start) * self.rate)
            while self.n_sent < due:
                self.tx.sendto(struct.pack("!Q", self.n_sent).ljust(self.size, b"x"), self.to)
                self.n_sent += 1
            time.sleep(0.001)

    def _receive(self):
        while not self.stopping.is_set():
            try:
                data = self.rx.recv(65536)
            except TimeoutError:
                continue
            self.received.append(struct.unpack("!Q", data[:8])[0])
            self.arrivals.append(time.monotonic())

    def start(self):
        for t in reversed(self.threads):
            t.start()

    def stop(self):
        if self.stopping.is_set():
            return
        self.sending.set()
        self.threads[0].join()
        end = time.monotonic() + 2
        while len(self.received) < self.n_sent and time.monotonic() < end:
            time.sleep(0.02)
        self.stopping.set()
        self.threads[1].join()
        self.rx.close()
        self.tx.close()

    @property
    def missing(self):
        return sorted(set(range(self.n_sent)) - set(self.received))

    @property
    def duplicates(self):
        return len(self.received) - len(set(self.received))

    @property
    def reordered(self):
        return sum(1 for a, b in zip(self.received, self.received[1:]) if b < a)

    @property
    def longest_gap(self):
        return max((b - a for a, b in zip(self.arrivals, self.arrivals[1:])), default=0)


def transfer(ns1, ns2, address, n_bytes=4 << 20, port=7100, timeout=20):
    """Sends random bytes by TCP from ns1 to address in ns2 and compares what arrived; the seconds it took."""
    listener = socket_in(ns2, family_of(address), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", port))
    listener.listen(1)
    listener.settimeout(timeout)
    got, failure = [], []

    def receive():
        try:
            with listener, listener.accept()[0] as s:
                s.settimeout(timeout)
                digest = hashlib.sha256()
                n = 0
                while data := s.recv(1 << 18):
                    digest.update(data)
                    n += len(data)
                got.append((n, digest.hexdigest()))
        except OSError as e:
            failure.append(e)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    data = os.urandom(n_bytes)
    start = time.monotonic()
    try:
        with socket_in(ns1, family_of(address), socket.SOCK_STREAM) as s:
            s.settimeout(timeout)
            s.connect((address, port))
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
    finally:
        thread.join(timeout + 1)
        listener.close()
    assert not failure, f"{ns1} to {address}: {failure[0]!r}"
    assert got, f"{ns1} to {address}: nothing arrived in {timeout} s"
    assert got[0] == (n_bytes, hashlib.sha256(data).hexdigest()), f"{got[0][0]} of {n_bytes} bytes, or other bytes, arrived"
    return time.monotonic() - start


# ---- Frames by hand ----

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 3, 263, 8, 23


class Wire:
    """An AF_PACKET socket on a device: frames as bytes, with the VLAN tag that the kernel took out put back.

    kind: receives only this Ethernet type; on a busy device the socket's buffer would overflow otherwise."""

    def __init__(self, ns, device, kind=ETH_P_ALL):
        self.socket = socket_in(ns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        with inside(ns):
            self.socket.bind((device, kind))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def receive(self, timeout=1.0):
        """The next frame, None if there is none in time."""
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data, ancillary, _, _ = self.socket.recvmsg(65600, socket.CMSG_SPACE(20))
        except (TimeoutError, BlockingIOError):
            return None
        for level, kind, value in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = struct.unpack("@IIIHHHH", value[:20])
                if status & 0x10:
                    data = data[:12] + struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci) + data[12:]
        return data

    def find(self, wanted, timeout=1.0):
        """The first frame for which wanted(frame) is true; None if none comes in time."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            frame = self.receive(left)
            if frame is not None and wanted(frame):
                return frame
        return None

    def all(self, wanted, timeout=0.3):
        frames = []
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            frame = self.receive(left)
            if frame is not None and wanted(frame):
                frames.append(frame)
        return frames


TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 2, 0x1000, 0x4000
TUNSETOFFLOAD, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 0x400454d0, 1, 2, 4


def open_tap(ns, name, vnet=False):
    """A tap device as a VM monitor opens it; its descriptor."""
    with inside(ns):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if vnet else 0)))
    if vnet:
        fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return fd


class Vm:
    """A VM with its monitor: a namespace whose eth0 is a tap of ours, with frames carried between it and a tap of the switch's
    namespace. With vnet both have virtio-net headers, as with QEMU's vnet_hdr=on, and frames keep their offload state."""

    def __init__(self, switch_ns, tap, ns, vnet):
        self.fds = [open_tap(switch_ns, tap, vnet), open_tap(ns, "eth0", vnet)]
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._carry, args=pair, daemon=True)
                        for pair in (self.fds, self.fds[::-1])]
        for t in self.threads:
            t.start()

    def _carry(self, source, target):
        while not self.stopping.is_set():
            if not select.select([source], [], [], 0.1)[0]:
                continue
            try:
                os.write(target, os.read(source, 70000))
            except (BlockingIOError, OSError):
                time.sleep(0.001)

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()
        for fd in self.fds:
            os.close(fd)
