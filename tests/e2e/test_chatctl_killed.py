"""chatctl killed at any moment, in the middle of a line too, while fifty clients talk:
nobody notices, and whoever goes on after the last whole line has every event once and in
order. CHATD_TEST_LONG=1 takes longer over the consoles."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest
from harness import CHATCTL, GUARD, LONG, SANITIZER, Daemon, scaled, wait_until
from harness.desk import chatctl

CLIENTS = 50
TAILS = scaled(100)
CONSOLES = 100 if LONG else scaled(20)
CONFIG = {
    "console": {"timestamps": "none"},
    "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
}


class Crowd:
    """Fifty clients who talk, each in turn, until the `with` ends: lines of any length
    below `longest` bytes, one each `pause` seconds. Nobody says anything
    to them, and each of them would say if anybody had."""

    def __init__(self, daemon, operator, longest, pause):
        self.longest, self.pause = longest, pause
        # Each of an origin of its own: none is read slowly because an operator is slow.
        self.clients = [daemon.client(source=f"127.0.3.{i + 1}") for i in range(CLIENTS)]
        self.operator = operator
        self.stopping = threading.Event()
        self.said = 0
        self.thread = threading.Thread(target=self._talk)

    def _talk(self):
        numbers = random.Random(50)
        while not self.stopping.is_set():
            for client in self.clients:
                self.said += 1
                client.send(f"{self.said} ".encode() + b"x" * numbers.randrange(self.longest) + b"\n")
                time.sleep(self.pause)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        for client in self.clients:
            client.close()

    def stop(self):
        """Stops them, and waits until all that they said has been heard."""
        self.stopping.set()
        self.thread.join()
        wait_until(
            lambda: len(self.operator.events_of("message")) == self.said, "all of it was heard"
        )

    def check_untouched(self):
        """Asserts that all are there and get the next message, and got nothing before it."""
        assert self.operator.call("stats")["sessions"] == CLIENTS
        assert self.operator.events_of("disconnected") == []
        answered = self.operator.call("send", to="all", text="still there?")
        assert len(answered["delivered"]) == CLIENTS
        for client in self.clients:
            client.expect(b"still there?\n")


@contextlib.contextmanager
def tail_of(daemon, since):
    """chatctl --json tail into a pipe that is soon full, so that it stands still in the
    middle of a line."""
    process = subprocess.Popen(
        [CHATCTL, "--socket", str(daemon.control_path), "--json", "--name", "killed"]
        + ["tail", "--since", str(since)],
        env=daemon.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        pipesize=4096,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(GUARD)
        process.stdout.close()


def event_of(line):
    event = json.loads(line)
    event["method"] = event.pop("event")  # as an operator of the tests has it
    return event


def heard_by(operator, after):
    """What an operator who was there all the time heard after that event."""
    return [event for event in list(operator.events) if event.get("seq", 0) > after]


@pytest.mark.skipif(SANITIZER == "thread", reason="the tail is slower than the crowd then")
def test_a_tail_killed_in_the_middle_of_a_line_goes_on_with_every_event_once():
    with Daemon(CONFIG) as daemon:
        operator = daemon.operator()
        with Crowd(daemon, operator, longest=8000, pause=0.001) as crowd:
            numbers = random.Random(100)
            first = cursor = operator.call("hello")["seq"]
            events, torn = [], 0
            for _ in range(TAILS):
                with tail_of(daemon, cursor) as tail:
                    data = b""
                    wanted = numbers.randrange(1, 30_000)
                    while len(data) < wanted:
                        data += os.read(tail.stdout.fileno(), wanted - len(data))
                    tail.kill()
                    data += tail.stdout.read()
                lines = data.split(b"\n")
                torn += lines.pop() != b""
                events += map(event_of, lines)
                if events:
                    cursor = events[-1]["seq"]
            crowd.stop()
            last = operator.events_of("message")[-1]["seq"]
            with tail_of(daemon, cursor) as tail:
                while cursor < last:
                    events.append(event_of(tail.stdout.readline()))
                    cursor = events[-1]["seq"]
            there = heard_by(operator, first)
            assert events == there[: len(events)]
            assert [event["seq"] for event in events] == list(range(first + 1, cursor + 1))
            # What is shorter than a page goes into a pipe whole; so slow as under a
            # sanitizer, little is on its way at any time.
            least = 0 if SANITIZER else TAILS // 10
            assert torn > least, f"{torn} of {TAILS} were killed in the middle of a line"
            crowd.check_untouched()


def test_a_console_killed_in_the_middle_of_a_line_is_noticed_by_nobody():
    with Daemon(CONFIG) as daemon:
        operator = daemon.operator(name="witness")
        with Crowd(daemon, operator, longest=50, pause=0.002) as crowd:
            numbers = random.Random(7)
            first = operator.call("hello")["seq"]
            for i in range(CONSOLES):
                desk = chatctl(daemon, "--name", f"killed-{i}")
                if i % 2 == 0:
                    desk.enter("/focus 1")
                    desk.wait(r"^\[1\] .*>$")
                desk.type("half of what was meant for n"[: numbers.randrange(1, 28)])
                if i % 3 == 0:
                    desk.wait(r"> half? ?o?f?")
                os.kill(desk.child.pid, signal.SIGKILL)
                assert desk.wait_end() is None
                desk.child.close()
                operator.wait_event("operator", name=f"killed-{i}", state="detached")
            crowd.stop()
            last = operator.events_of("message")[-1]["seq"]
            with tail_of(daemon, first) as tail:
                events = []
                while not events or events[-1]["seq"] < last:
                    events.append(event_of(tail.stdout.readline()))
            assert events == heard_by(operator, first)[: len(events)]
            assert [e["seq"] for e in events] == list(range(first + 1, last + 1))
            assert operator.events_of("sent") == []
            crowd.check_untouched()
