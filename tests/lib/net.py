# SPDX-License-Identifier: Apache-2.0
"""Network namespaces and devices for tests, all made and removed here."""
import contextlib
import itertools
import os
import subprocess

from switch import run

_numbers = itertools.count()


class Net:
    """Use:  with Net() as net: a = net.namespace("a"); net.veth(a, "eth0", b, "eth0") ...

    Everything is removed at the end, also after failures."""

    def __init__(self):
        self.prefix = f"tsu{os.getpid()}-{next(_numbers)}-"
        self.namespaces, self.processes = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()
        for ns in self.namespaces:
            subprocess.run(["ip", "netns", "del", ns], capture_output=True)

    def namespace(self, name):
        ns = self.prefix + name
        run(["ip", "netns", "add", ns])
        self.namespaces.append(ns)
        run(["ip", "link", "set", "lo", "up"], netns=ns)
        run(["sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"], netns=ns)
        return ns

    def veth(self, ns1, name1, ns2, name2, address1=None, address2=None, mac1=None, mac2=None, mtu=1500):
        """A pair of devices, up, with addresses ("10.0.0.1/24", or a list) if given."""
        run(["ip", "link", "add", name1, "netns", ns1, "type", "veth", "peer", "name", name2, "netns", ns2])
        for ns, name, address, mac in ((ns1, name1, address1, mac1), (ns2, name2, address2, mac2)):
            if mac:
                run(["ip", "link", "set", name, "address", mac], netns=ns)
            run(["ip", "link", "set", name, "mtu", mtu, "up"], netns=ns)
            for a in [address] if isinstance(address, str) else address or []:
                run(["ip", "addr", "add", a, "dev", name, *(["nodad"] if ":" in a else [])], netns=ns)

    def start(self, ns, *argv, **options):
        """A process in a namespace, ended with the Net."""
        p = subprocess.Popen(["ip", "netns", "exec", ns, *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, **options)
        self.processes.append(p)
        return p

    def ping(self, ns, address, count=3, interval=0.05, size=56, wait=1, extra=()):
        """How many of 'count' pings were answered."""
        done = run(["ping", "-n", "-c", count, "-i", interval, "-W", wait, "-s", size, *extra, address], netns=ns, check=False,
                   timeout=60)
        for line in done.stdout.splitlines():
            if "received" in line:
                return int(line.split()[3])
        return 0


@contextlib.contextmanager
def capture(ns, device, path, expression=""):
    """Captures packets of a device into a pcap file while the block runs."""
    p = subprocess.Popen(["ip", "netns", "exec", ns, "tcpdump", "-i", device, "-U", "-s", "0", "-w", path, *expression.split()],
                         stderr=subprocess.PIPE, text=True)
    for line in p.stderr:
        if "listening on" in line:
            break
    try:
        yield
    finally:
        import time
        time.sleep(0.3)
        p.terminate()
        p.wait()
