"""Handshakes and requests that break off, in every state there is, by the ten thousand; others
beside them are slow, or flood. Nobody else waits for them, and nothing is held afterwards."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import FOR_ONE_ORIGIN, GUARD, SANITIZER, Daemon, scaled, wait_until
from harness.certificates import Authority
from witness import MIB, Witness

BREAKING_OFF = Path(__file__).parent / "load_breaking_off.py"

PROMISED = 0.05
"""Seconds that anybody else waits at most."""
BUSY = 4
"""The generator, the witness and the daemon share two cores here."""


@pytest.fixture(scope="module")
def authority():
    with Authority() as authority:
        yield authority


class Newcomers:
    """Come one after the other, speak, are answered and leave."""

    def __init__(self, daemon, operator, context):
        self.daemon, self.operator, self.context = daemon, operator, context
        self.count = 0

    def come(self, secure=False):
        """How long it took until it was answered, from its first byte on."""
        self.count += 1
        words = f"newcomer {self.count}"
        began = time.monotonic()
        sock = socket.create_connection(self.daemon.address, timeout=GUARD)
        if secure:
            sock = self.context.wrap_socket(sock, server_hostname="localhost")
        with sock:
            sock.sendall(words.encode() + b"\n")
            session = self.operator.wait_event("message", text=words)["session"]
            self.operator.call("send", to=session, text="welcome")
            assert sock.recv(100) == b"welcome\n"
            took = time.monotonic() - began
        return took


def near_the_end(times):
    """What all but one in fifty took at most."""
    return sorted(times)[len(times) * 49 // 50 - 1]


@pytest.mark.parametrize("kind", ["tls", "http"])
def test_20000_that_break_off_keep_nobody_waiting_and_leave_nothing(kind, authority):
    count = scaled(20_000)
    certificate, key = authority.sign("localhost")
    tls = {"address": "127.0.0.1", "port": 0, "tls_certificate": certificate, "tls_key": key}
    config = {"limits": FOR_ONE_ORIGIN, "listen": [tls, tls | {"tls": "required"}]}
    with Daemon(config, listeners=2) as daemon:
        witness = Witness(daemon)
        newcomers = Newcomers(daemon, witness.operator, authority.client())
        newcomers.come(secure=True)  # what comes with the first one stays
        wait_until(lambda: daemon.fds() == witness.fds, "it has left")
        rss = daemon.rss()
        ports = [endpoint.rpartition(":")[2] for endpoint in daemon.endpoints]
        process = subprocess.Popen(
            [sys.executable, BREAKING_OFF, kind, daemon.host, *ports, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "there\n"
        there, new, secure = [], [], []
        while process.poll() is None:
            began = time.monotonic()
            witness.is_served()
            there.append(time.monotonic() - began)
            new.append(newcomers.come())
            if len(new) % 8 == 0:
                secure.append(newcomers.come(secure=True))
            time.sleep(0.01)
        result = json.loads(process.communicate(timeout=GUARD)[0])
        print("seconds:", {name: (sorted(times)[len(times) // 2], near_the_end(times), max(times))
                           for name, times in (("there", there), ("new", new), ("secure", secure))},
              len(there), result, witness.operator.call("stats"))  # fmt: skip
        assert sum(result["ways"].values()) == count, result
        assert result["sent_away"] > 0 or kind == "http" or SANITIZER, "nobody was too slow"
        if not SANITIZER:
            for times in there, new, secure:
                assert near_the_end(times) < PROMISED * BUSY, sorted(times)[-10:]
        # Those who said nothing that is chat were none.
        connected = len(witness.operator.events_of("connected"))
        stats = witness.operator.call("stats")
        assert stats["accepted"] == connected, stats
        witness.rss = max(witness.rss, rss)
        wait_until(lambda: witness.operator.call("stats")["sessions"] == 1, "all have left")
        if not SANITIZER:
            wait_until(lambda: daemon.rss() < witness.rss + 8 * MIB, "memory is given back")
        witness.all_is_back(memory=8 * MIB)
        origins = witness.operator.call("origins")
        assert sum(each["sessions"] for each in origins) == 1, origins
