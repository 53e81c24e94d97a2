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
from witness import MIB, Witness

BREAKING_OFF = Path(__file__).parent / "load_breaking_off.py"

PROMISED = 0.05
"""Seconds that anybody else waits at most."""
BUSY = 4
"""The generator, the witness and the daemon share two cores here; where others take these as well,
it is so many times what it takes while nothing happens."""
ROUNDS = 40


class Times:
    """How long somebody took to be answered: one who was there already, a new one, and a new one
    that shook hands before."""

    def __init__(self):
        self.there, self.new, self.secure = [], [], []

    def __str__(self):
        return str({name: (len(taken), near_the_end(taken)) for name, taken in vars(self).items()})


class Newcomers:
    """Come one after the other, speak, are answered and leave."""

    def __init__(self, daemon, witness, context):
        self.daemon, self.witness, self.context = daemon, witness, context
        self.count = 0

    def come(self, secure=False):
        """How long it took until it was answered, from its first byte on."""
        self.count += 1
        words = f"newcomer {self.count}"
        operator = self.witness.operator
        began = time.monotonic()
        sock = socket.create_connection(self.daemon.address, timeout=GUARD)
        if secure:
            sock = self.context.wrap_socket(sock, server_hostname="localhost")
        with sock:
            sock.sendall(words.encode() + b"\n")
            session = operator.wait_event("message", text=words)["session"]
            operator.call("send", to=session, text="welcome")
            assert sock.recv(100) == b"welcome\n"
            return time.monotonic() - began

    def measure(self, times):
        began = time.monotonic()
        self.witness.is_served()
        times.there.append(time.monotonic() - began)
        times.new.append(self.come())
        times.secure.append(self.come(secure=True))


def near_the_end(times):
    """What all but one in fifty took at most."""
    return sorted(times)[max(0, len(times) * 49 // 50 - 1)] if times else 0


@pytest.mark.parametrize("kind", ["tls", "http"])
def test_20000_that_break_off_keep_nobody_waiting_and_leave_nothing(kind, authority):
    count = scaled(20_000)
    tls = authority.listener()
    config = {"limits": FOR_ONE_ORIGIN, "listen": [tls, tls | {"tls": "required"}]}
    with Daemon(config, listeners=2) as daemon:
        witness = Witness(daemon)
        newcomers = Newcomers(daemon, witness, authority.client())
        newcomers.come(secure=True)  # what comes with the first one stays
        idle = Times()
        for _ in range(ROUNDS):
            newcomers.measure(idle)
        wait_until(lambda: daemon.fds() == witness.fds, "they have left")
        witness.rss = max(witness.rss, daemon.rss())
        ports = [endpoint.rpartition(":")[2] for endpoint in daemon.endpoints]
        process = subprocess.Popen(
            [sys.executable, BREAKING_OFF, kind, daemon.host, *ports, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout.readline() == "there\n"
            times = Times()
            while process.poll() is None:
                newcomers.measure(times)
                time.sleep(0.01)
            result = json.loads(process.communicate(timeout=GUARD)[0])
        finally:
            process.kill()
            process.wait()
        print(f"seconds: {times}, and of an idle daemon: {idle};", result)
        assert sum(result["ways"].values()) == count, result
        if not SANITIZER:
            assert len(times.secure) >= 10, "it was over before anybody could wait"
            for name, taken in vars(times).items():
                allowed = BUSY * max(PROMISED, near_the_end(getattr(idle, name)))
                assert near_the_end(taken) < allowed, (name, allowed, sorted(taken)[-10:])
        # Those who said nothing that is chat were none.
        wait_until(
            lambda: witness.operator.call("stats")["accepted"]
            == len(witness.operator.events_of("connected")),
            "all that were accepted have connected",
        )
        wait_until(lambda: witness.operator.call("stats")["sessions"] == 1, "all have left")
        if not SANITIZER:
            wait_until(lambda: daemon.rss() < witness.rss + 8 * MIB, "memory is given back")
        witness.all_is_back(memory=8 * MIB)
        origins = witness.operator.call("origins")
        assert sum(each["sessions"] for each in origins) == 1, origins
