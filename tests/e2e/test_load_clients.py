"""Ten thousand clients at once, one operator, and everything as it was when they
have gone."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from harness import FOR_ONE_ORIGIN, SANITIZER, Daemon, scaled, wait_until

HERDS = 4
HERD = Path(__file__).with_name("load_clients.py")


class Herd:
    """A process with many clients, from a source address of its own."""

    def __init__(self, daemon, number):
        source = f"127.0.0.{number + 10}"
        self.process = subprocess.Popen(
            [sys.executable, str(HERD), daemon.host, str(daemon.port), source, f"herd{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def finish(self):
        answer = json.loads(self.process.stdout.readline())
        assert answer["errors"] == []
        return answer["clients"]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def tell(herds, command):
    """Makes all herds do that at the same time; returns how many clients there are."""
    for herd in herds:
        herd.begin(command)
    return sum(herd.finish() for herd in herds)


class Answering(threading.Thread):
    """The operator's work: answers each hello to the one who said it."""

    def __init__(self, operator):
        super().__init__(daemon=True)
        self.operator = operator
        self.done = threading.Event()
        self.answered = {}

    def run(self):
        while not self.done.is_set():
            try:
                event = self.operator.next_event(timeout=0.2)
            except AssertionError:
                continue
            if event["method"] == "message":
                tag = event["text"].removeprefix("hello from ")
                self.answered[event["session"]] = tag
                self.operator.begin("send", to=event["session"], text=f"answer to {tag}")

    def stop(self):
        self.done.set()
        self.join()


def test_ten_thousand_clients_at_once_and_then_everything_as_it_was():
    count = scaled(10_000, address=5, thread=10)
    half, share = count // 2, count // 2 // HERDS
    limits = {"sessions": count, **FOR_ONE_ORIGIN}
    with Daemon({"limits": limits}) as daemon:
        operator = daemon.operator(subscribe=False)
        empty_fds = daemon.fds()
        operator.call("subscribe")
        answering = Answering(operator)
        answering.start()
        herds = [Herd(daemon, number) for number in range(HERDS)]
        try:
            # Half of them; then all; then half of them again.
            assert tell(herds, f"connect {share}") == half
            half_fds, half_memory = daemon.fds(), daemon.pss()
            assert half_fds == empty_fds + half
            assert tell(herds, f"connect {share}") == count
            assert daemon.fds() == empty_fds + count
            sessions = operator.call("sessions")
            assert len(sessions) == count

            # Each text came from, and went to, one client; load_clients.py looked at
            # the other end.
            assert len(answering.answered) == len(set(answering.answered.values())) == count
            answering.stop()

            answer = operator.call("send", to="all", text="to everyone")
            assert len(answer["delivered"]) == count
            assert tell(herds, "broadcast to everyone") == count
            assert operator.call("stats")["queued_bytes"] == 0

            full_memory = daemon.pss()
            assert tell(herds, f"bye {share}") == half
            wait_until(lambda: operator.call("stats")["sessions"] == half, "half are gone")
            wait_until(lambda: daemon.fds() == half_fds, f"{half_fds} descriptors again")
            print(f"memory: {half_memory} with half, {full_memory} with all")
            if not SANITIZER:  # their allocators keep what is freed
                # The tables that are indexed by connection keep the size of the
                # largest number that ever was; sessions give back what they used.
                wait_until(
                    lambda: daemon.pss() <= 1.25 * half_memory,
                    f"{half_memory} bytes of memory again, or nearly",
                )

            assert tell(herds, f"leave {share}") == 0
            wait_until(lambda: operator.call("stats")["sessions"] == 0, "all are gone")
            wait_until(lambda: daemon.fds() == empty_fds, f"{empty_fds} descriptors again")
            stats = operator.call("stats")
            assert stats["accepted"] == stats["messages_in"] == count
            assert stats["messages_out"] == 2 * count
            assert stats["lost"] == stats["held"] == stats["refused"] == 0
            assert operator.events_of("lagged") == []
        finally:
            answering.done.set()
            for herd in herds:
                herd.close()
