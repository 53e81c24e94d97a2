"""Ports, and a network of its own for a daemon, with addresses that this machine does not
have. The latter needs root."""

import ctypes
import os
import random
import socket
import threading

OWN_NETWORK = [
    "unshare",
    "--net",
    "/bin/sh",
    "-c",
    "ip link set lo up"
    " && for host in 1:1 1:2 1:ffff 2:1 3:1; do"
    "      ip -6 addr add fd00:0:0:${host%:*}::${host#*:}/128 dev lo nodad || exit 1;"
    "    done"
    ' && exec "$0" "$@"',
]
"""Runs what follows in a new network with ::1 and five addresses out of three /64."""

ANY_IPV6 = [
    "unshare",
    "--net",
    "/bin/sh",
    "-c",
    "ip link set lo up && echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind"
    ' && ip -6 route add local fd00::/16 dev lo && exec "$0" "$@"',
]
"""Runs what follows in a new network in which every address of fd00::/16 is its own."""

CLONE_NEWNET = 0x40000000


def free_port():
    """A port that is free on every address of both families.

    For a test that changes the address of a listener: the kernel gives away a port that is
    free on the address asked for, and may be taken on another. So this one lies outside the
    range that the kernel gives from.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket(socket.AF_INET) as four, socket.socket(socket.AF_INET6) as six:
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                four.bind(("0.0.0.0", port))
                six.bind(("::", port))
            except OSError:
                continue
            return port
    raise AssertionError("a hundred ports, and none of them free")


def in_network_of(pid, function):
    """What `function()` returns, called in the network of that process: sockets that
    it makes belong there for good."""
    outcome = []

    def run():
        with open(f"/proc/{pid}/ns/net", "rb") as network:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(network.fileno(), CLONE_NEWNET) != 0:
                outcome.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
                return
        try:
            outcome.append(function())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)  # The thread alone moves, and ends there.
    thread.start()
    thread.join()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
