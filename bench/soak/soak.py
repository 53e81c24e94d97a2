"""soak.py SECONDS: see run.sh. The daemon is the one that CHATD names, or the release."""

import heapq
import itertools
import os
import random
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clients import Client, Deaf
from operators import Ledger, Operator

ROOT = Path(__file__).resolve().parents[2]
CHATD = os.environ.get("CHATD", ROOT / "build/release/bin/chatd")

CLIENTS = 500
MOST_GROWTH = 64 * 1024  # bytes a minute
MILLION = 1_000_000
RESTS = 10  # seconds after all have left
LONG = 600  # seconds from which on there have to be a million messages
LONGEST = 1500  # seconds, on a machine that has other things to do


class Soak:
    def __init__(self, home):
        self.poll = selectors.DefaultSelector()
        self.home = home
        self.control = f"{home}/control.sock"
        config = home / "chatd.toml"
        config.write_text(
            '[[listen]]\naddress = "127.0.0.1"\nport = 0\n'
            "[limits]\nmessages_per_second = 1000\n"
            f'[control]\npath = "{self.control}"\n'
            f'[transcript]\npath = "{home}/transcript.db"\n'
        )
        self.log = open(home / "log", "w+")
        self.daemon = subprocess.Popen(
            [CHATD, "--config", config, "--console", "off"],
            stdin=subprocess.DEVNULL,
            stderr=self.log,
        )
        self.address = self.wait_for_address()
        self.ledger = Ledger()
        self.operator = Operator(self, self.control, None, self.on_event)
        self.visitor = None
        self.visitor_cursor = None
        self.visits = 0
        self.clients = {}
        self.left = []
        self.answers = 0
        self.broadcasts = itertools.count(1)
        self.timers = []
        self.tie = itertools.count()
        self.stats = None
        self.samples = []  # (time, bytes)
        self.messages = 0  # in and out, at the last sample
        self.deaf = Deaf(self.address)
        self.coming = False

    def wait_for_address(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self.daemon.poll() is None, "chatd has ended"
            for line in (self.home / "log").read_text().splitlines():
                if "listening on 127" in line:
                    host, port = line.split()[-1].split(":")
                    return host, int(port)
            time.sleep(0.05)
        raise AssertionError("chatd does not listen")

    # What happens.

    def at(self, when, what):
        heapq.heappush(self.timers, (when, next(self.tie), what))

    def turn(self):
        """What is due, and what has come within 20 ms."""
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, _, what = heapq.heappop(self.timers)
            what(time.monotonic())
        wait = min(0.02, max(0, self.timers[0][0] - now)) if self.timers else 0.02
        for key, _ in self.poll.select(wait):
            key.data()

    def run_until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it never came to this: {what}"
            self.turn()

    def come(self, now):
        client = Client(self, self.address, now)
        self.clients[client.name] = client
        if client.original:  # silent for a second, it would be taken for a person
            return self.act(client, now)
        self.at(now + random.uniform(0, 0.5), lambda then: self.act(client, then))

    def act(self, client, now):
        again = client.act(now)
        if again is not None:
            self.at(again, lambda then: self.act(client, then))

    def on_left(self, client):
        del self.clients[client.name]
        client.session = self.ledger.session_of[client.name]
        self.left.append(client)
        if self.coming:
            self.come(time.monotonic())

    def on_event(self, method, event):
        self.ledger.on_event(method, event)
        if method == "message" and event["text"][0] == "?":
            self.answers += 1
            self.operator.ask("send", {"to": event["session"], "text": f"<r{self.answers}>"})
        elif method == "disconnected" and "does not read" in event["reason"]:
            assert self.ledger.session_of[self.deaf.names[-1]] == event["session"], event
            if self.coming:
                self.deaf.come()

    def broadcast(self, now):
        if not self.coming:
            return
        text = f"<b{next(self.broadcasts)}>"
        self.operator.ask("send", {"to": "all", "text": "to all " * 20 + text})
        deaf = self.ledger.session_of.get(self.deaf.names[-1])
        if deaf is not None:  # it has been heard of
            self.operator.ask("send", {"to": deaf, "text": "much for who never reads " * 200})
        self.at(now + 0.5, self.broadcast)

    def visit(self, now):
        """The operator who comes and goes, and misses nothing that was in between."""
        if self.visitor is None:
            if not self.coming:
                return
            self.visitor = Operator(self, self.control, self.visitor_cursor, lambda *_: None)
            self.visits += 1
            for session in random.sample(sorted(self.ledger.session_of.values())[-CLIENTS:], 3):
                text = f"<v{self.visits}>"
                self.visitor.ask("send", {"to": [session], "text": text})
        else:
            if self.visitor.asked and self.coming:
                return self.at(now + 0.1, self.visit)  # Who asks waits for the answer.
            self.visitor_cursor = self.visitor.last_seq
            self.visitor.leave()
            self.visitor = None
        self.at(now + random.uniform(1, 3), self.visit)

    def sample(self, now):
        self.samples.append((now, self.memory()))
        self.operator.ask("stats", then=self.count)
        self.at(now + 1, self.sample)

    def count(self, stats):
        self.messages = stats["messages_in"] + stats["messages_out"]

    # What it costs.

    def memory(self):
        for line in Path(f"/proc/{self.daemon.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("smaps_rollup")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def ask_stats(self):
        self.stats = None
        self.operator.ask("stats", then=lambda result: setattr(self, "stats", result))
        self.run_until(lambda: self.stats is not None, "an answer to stats")
        return self.stats

    # From the beginning to the end.

    def run(self, seconds):
        self.ask_stats()
        self.before = self.descriptors()
        began = time.monotonic()
        self.sample(began)
        self.load(began + seconds / 3)
        first = self.rest()
        self.load(began + seconds)
        while seconds >= LONG and self.messages < MILLION:
            assert time.monotonic() < began + LONGEST, f"{self.messages} messages, no million"
            self.turn()
        last = self.rest()
        stats = self.ask_stats()
        growth = 60 * (last[1] - first[1]) / (last[0] - first[0])  # bytes a minute
        self.check(stats, last[1], growth, last[0] - began)
        self.daemon.send_signal(signal.SIGTERM)
        self.operator.leave()
        assert self.daemon.wait(30) == 0, "it does not stop well"

    def load(self, until):
        """All come, and talk until then; who leaves is followed by another."""
        now = time.monotonic()
        self.coming = True
        for _ in range(CLIENTS):
            self.come(now)
        self.deaf.come()
        for what in (self.broadcast, self.visit):
            self.at(now + 1, what)
        while time.monotonic() < until:
            self.turn()

    def rest(self):
        """All leave, and everything is as it was. The time, and the bytes that are kept: the
        least of some seconds, for a step of the transcript's index needs more for a moment."""
        self.coming = False
        self.deaf.socket.close()
        for client in list(self.clients.values()):
            client.leaves_at = 0
        try:
            self.run_until(lambda: not self.clients, "all have left", 120)
        except AssertionError:
            print("still there:", *(vars(client) for client in self.clients.values()), sep="\n")
            raise
        self.run_until(lambda: self.ask_stats()["sessions"] == 0, "no session is left", 120)
        self.run_until(lambda: self.visitor is None, "the visitor has left")
        self.run_until(lambda: self.descriptors() == self.before, f"{self.before} descriptors again")
        self.run_until(lambda: self.ask_stats()["operators"] == 1, "one operator")
        count = len(self.samples)
        self.run_until(lambda: len(self.samples) == count + RESTS, "it rests")
        return min(self.samples[count:], key=lambda sample: sample[1])

    def check(self, stats, kept, growth, lasted):
        ledger = self.ledger
        clients = len(self.left) + self.deaf.comes
        said = sum(client.said for client in self.left) + self.deaf.said
        told = sum(len(texts) for texts in ledger.told.values())
        lost = sum(ledger.lost.values())
        messages = stats["messages_in"] + stats["messages_out"]
        most = max(size for _, size in self.samples)
        print(
            f"soak: {lasted:.0f} s, {clients} clients, {messages} messages"
            f" ({stats['messages_in']} in, {stats['messages_out']} out, {stats['lost']} lost),"
            f" {self.visits} visits of an operator, {self.deaf.comes} of one who never reads;"
            f" memory at most {most >> 10} KiB, {kept >> 10} when all had left, which is"
            f" {growth / 1024:+.1f} KiB a minute;"
            f" the longest turn took {stats['longest_turn_ms']:.0f} ms",
            flush=True,
        )
        assert stats["accepted"] == clients and stats["refused"] == 0, stats
        assert stats["messages_in"] == said == ledger.messages, (stats, said, ledger.messages)
        total = stats["delivered"] + stats["held"] + stats["lost"]
        assert stats["messages_out"] == total and stats["held"] == 0, stats
        assert stats["queued_bytes"] == 0, stats
        # What was sent to somebody who was closed at that moment is said to be lost.
        assert told <= stats["messages_out"], (told, stats)
        assert lost <= stats["lost"], (lost, stats)
        assert stats["recording_lost"] == 0, stats
        for client in self.left:
            self.check_client(client)
        # Shorter runs are all warm-up: pools fill slowly.
        if lasted >= LONG:
            assert growth < MOST_GROWTH, f"memory grows by {growth / 1024:.1f} KiB a minute"

    def check_client(self, client):
        """What it said was heard; what was said to it is what it got."""
        ledger, session = self.ledger, client.session
        assert ledger.heard[session] == client.said, (session, client.said)
        told = [text.split(" ")[-1] for text in ledger.told[session]]
        if client.how == "reset":
            assert told[: len(client.got)] == client.got, (session, told, client.got)
        else:
            lost = ledger.lost[session]
            kept = told[: len(told) - lost]
            assert client.got == kept, (session, client.how, lost, told, client.got)


def main():
    seconds = float(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(Path(folder))
        try:
            soak.run(seconds)
        except BaseException:
            soak.log.flush()
            print("chatd said at last:\n" + "".join(open(soak.log.name).readlines()[-20:]))
            raise
        finally:
            if soak.daemon.poll() is None:
                soak.daemon.kill()
                soak.daemon.wait()
            soak.log.close()
    print("soak: passed")


if __name__ == "__main__":
    main()
