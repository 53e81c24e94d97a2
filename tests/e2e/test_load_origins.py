"""Floods from several addresses: operators and other clients do not wait for them, nothing that
others say is left out of the transcript, and memory stays."""

import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness import SANITIZER, Daemon, speaking

FLOOD = Path(__file__).parent / "load_flood.py"
MIB = 1 << 20

PROMISED = 0.05
"""Seconds that an operator or another client waits at most."""
BUSY = 4
"""The generator, the operator, the database and the daemon share two cores here."""


class Listener:
    """An operator who reads all that comes, and looks only for what a bystander says."""

    def __init__(self, daemon):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(daemon.control_path))
        self.heard = {}
        self.changed = threading.Condition()
        self.socket.sendall(
            b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"name":"listener"}}\n'
            b'{"jsonrpc":"2.0","id":2,"method":"subscribe"}\n'
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        rest = b""
        while data := self.socket.recv(1 << 20):
            now = time.monotonic()
            found = [int(number) for number in re.findall(rb'"bystander (\d+)"', rest + data)]
            rest = data[-40:]
            with self.changed:
                for number in found:
                    self.heard.setdefault(number, now)
                self.changed.notify_all()

    def when(self, number):
        """When it heard that; it waits for it."""
        with self.changed:
            assert self.changed.wait_for(lambda: number in self.heard, timeout=60), number
            return self.heard[number]


class Flood:
    def __init__(self, daemon, addresses, connections, seconds=60):
        self.process = subprocess.Popen(
            [sys.executable, FLOOD, daemon.host]
            + [str(number) for number in (daemon.port, addresses, connections, seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "there\n"

    def end(self):
        """How many bytes were taken."""
        out, _ = self.process.communicate(timeout=60)
        return int(out)


def near_the_end(times):
    """What all but one in fifty took at most."""
    return sorted(times)[len(times) * 49 // 50 - 1]


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer takes several times as long")
@pytest.mark.parametrize("addresses", [1, 16])
def test_a_flood_keeps_nobody_waiting_and_costs_a_bystander_nothing(addresses):
    with Daemon() as daemon:
        with daemon.operator() as first:
            bystander, session = speaking(daemon, first, source="127.0.0.2")
        listener = Listener(daemon)
        asking = daemon.operator(name="asking", subscribe=False)
        asking.call("stats")
        before = daemon.rss()
        flood = Flood(daemon, addresses, 64)
        answers, arrivals, number, most = [], [], 0, 0
        until = time.monotonic() + 8
        while time.monotonic() < until:
            began = time.monotonic()
            asking.call("stats")
            answers.append(time.monotonic() - began)
            number += 1
            began = time.monotonic()
            bystander.send(b"bystander %d\n" % number)
            arrivals.append(listener.when(number) - began)
            most = max(most, daemon.rss())
            time.sleep(0.01)
        taken = flood.end()
        assert taken > 8 * MIB, "that was no flood"
        assert near_the_end(answers) < PROMISED * BUSY, sorted(answers)[-10:]
        assert near_the_end(arrivals) < PROMISED * BUSY, sorted(arrivals)[-10:]
        assert most - before < 64 * MIB, f"{(most - before) / MIB} MiB more"
        # Everything that the bystander said is in the transcript.
        page = asking.call("history", session=session, limit=number)
        assert [each["text"] for each in page["messages"]] == [
            f"bystander {count}" for count in range(1, number + 1)
        ]
        listener.socket.shutdown(socket.SHUT_RDWR)
        bystander.close()
        mine = {each["origin"]: each for each in asking.call("origins")}["127.0.0.2"]
        assert mine["records_lost"] == 0
