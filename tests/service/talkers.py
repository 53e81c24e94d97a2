"""Clients that talk all the time and an operator who answers each of them, over any
number of restarts, with a ledger at both ends. Every line that a client says is answered
with the same line, once; a client says the next one then."""

import collections
import itertools
import selectors
import threading
import time

from harness import GUARD, Client, Operator, wait_until

PAUSE = 0.4
"""Seconds between the two halves of a line: most restarts come between them."""


class Talker:
    def __init__(self, number, client):
        self.number = number
        self.socket = client.socket
        self.socket.setblocking(False)
        self.said = 0
        self.expected = b""  # of the answer to what was said last
        self.rest = b""  # of what is being said
        self.next_at = 0.0

    def line(self):
        return f"talker {self.number} says {self.said}, häh?\n".encode()


class Crowd:
    """`count` clients of a Service in a thread of their own, which says what went wrong
    in `errors`."""

    def __init__(self, service, count):
        self.clients = service.machine.connected(lambda: [Client(("127.0.0.1", 8080)) for _ in range(count)])
        self.talkers = [Talker(number, client) for number, client in enumerate(self.clients)]
        self.answered = 0
        self.errors = []
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            with selectors.DefaultSelector() as selector:
                for number, talker in enumerate(self.talkers):
                    selector.register(talker.socket, selectors.EVENT_READ, talker)
                    talker.next_at = time.monotonic() + PAUSE * number / len(self.talkers)
                while not self.errors and not (self.ending and self._quiet()):
                    for key, _ in selector.select(0.01):
                        self._hear(key.data)
                    now = time.monotonic()
                    for talker in self.talkers:
                        if talker.next_at <= now:
                            self._say(talker, now)
        except OSError as error:
            self.errors.append(repr(error))

    def _quiet(self):
        return all(not t.rest and not t.expected for t in self.talkers)

    def _say(self, talker, now):
        """Says one half of a line; after the second half it waits for the answer."""
        if talker.rest:
            talker.socket.sendall(talker.rest)
            talker.expected, talker.rest = talker.line(), b""
            talker.next_at = float("inf")
        elif not talker.expected and not self.ending:
            talker.said += 1
            line = talker.line()
            # Within the two bytes of a character for some of them. The first one whole:
            # it is what makes this a client that speaks in lines.
            half = len(line) // 2 if talker.number % 2 else line.index("ä".encode()) + 1
            if talker.said == 1:
                half = 0
            talker.socket.sendall(line[:half])
            talker.rest = line[half:]
            talker.next_at = now + PAUSE

    def _hear(self, talker):
        data = talker.socket.recv(65536)
        if not data:
            self.errors.append(f"end of file for talker {talker.number}")
        elif not talker.expected.startswith(data):
            self.errors.append(f"talker {talker.number}: {data!r} instead of {talker.expected!r}")
        else:
            talker.expected = talker.expected[len(data) :]
            if not talker.expected:
                self.answered += 1
                talker.next_at = time.monotonic()

    def wait_answered(self, more):
        """Waits until `more` further lines have been answered."""
        goal = self.answered + more
        wait_until(lambda: self.errors or self.answered >= goal, f"{more} more answers")
        assert not self.errors, self.errors

    def end(self):
        """Ends them; returns the number of lines that were said, each of them answered."""
        self.ending = True
        self.thread.join(GUARD)
        assert not self.errors and not self.thread.is_alive(), self.errors
        assert self.answered == sum(t.said for t in self.talkers)
        return self.answered

    def close(self):
        self.ending = True
        self.errors.append("closed by the test")
        self.thread.join()
        for client in self.clients:
            client.close()


class Answerer:
    """An operator in a thread of its own, who attaches again whenever the daemon goes,
    and goes on behind the last event that it heard. It knows from the events what was
    answered already, and never answers twice."""

    def __init__(self, path):
        self.path = path
        self.errors = []
        self.seen = collections.Counter()  # messages by session
        self.attached = 0
        self.ending = False
        self.last = None
        self.pending = {}
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.attached or self.errors, "the operator has attached")

    def _run(self):
        try:
            while not self.ending:
                try:
                    operator = Operator(self.path, subscribe=False)
                except (OSError, AssertionError):
                    time.sleep(0.01)  # nobody is there just now
                    continue
                with operator:
                    self._answer(operator)
                self.errors += [a["error"] for a in operator.answers.values() if "error" in a]
        except Exception as error:  # the test says it
            self.errors.append(repr(error))

    def _answer(self, operator):
        caught_up = operator.welcome["seq"]
        if self.last is None:
            self.last = caught_up
        try:
            operator.call("subscribe", since=self.last)
        except (AssertionError, OSError):
            return
        self.attached += 1
        asked = set()
        while not self.ending:
            try:
                event = operator.next_event(timeout=0.1)
            except AssertionError:
                if operator.ended:
                    return
                event = None
            if event:
                self._take(event)
            if self.last >= caught_up:
                for key in [k for k in self.pending if k not in asked]:
                    asked.add(key)
                    try:
                        operator.begin("send", to=key[0], text=key[1])
                    except OSError:
                        return

    def _take(self, event):
        if event["seq"] != self.last + 1:
            self.errors.append(f"event {event['seq']} after {self.last}: {event}")
        self.last = event["seq"]
        if event["method"] == "message":
            self.seen[event["session"]] += 1
            self.pending[(event["session"], event["text"])] = event["seq"]
        elif event["method"] == "sent":
            if self.pending.pop((event["session"], event["text"]), None) is None:
                self.errors.append(f"answered twice: {event}")

    def close(self):
        self.ending = True
        self.thread.join(GUARD)


class Probe:
    """Clients that ask for telnet options, one every few milliseconds: the daemon answers
    each itself, so the longest time without an answer is how long nobody was there."""

    INTERVAL = 0.002

    def __init__(self, service):
        self.clients = service.machine.connected(lambda: [Client(("127.0.0.1", 8080)) for _ in range(40)])
        self.times = []
        self.errors = []
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: len(self.times) > 50, "the daemon answers")

    def _run(self):
        try:
            asked = itertools.cycle((client, verb) for verb in (b"\xfd", b"\xfb") for client in self.clients)
            with selectors.DefaultSelector() as selector:
                for client in self.clients:
                    client.socket.setblocking(False)
                    selector.register(client.socket, selectors.EVENT_READ)
                for number, (client, verb) in enumerate(asked):
                    if self.ending:
                        return
                    option = number // (2 * len(self.clients)) + 1
                    assert option < 255, "all options are asked for"
                    client.socket.sendall(b"\xff" + verb + bytes([option]))
                    until = time.monotonic() + self.INTERVAL
                    while (left := until - time.monotonic()) > 0:
                        for key, _ in selector.select(left):
                            assert key.fileobj.recv(4096), "end of file"
                            self.times.append(time.monotonic())
        except Exception as error:  # the test says it
            self.errors.append(repr(error))

    def longest_silence(self):
        return max(b - a for a, b in itertools.pairwise(self.times))

    def stop(self):
        self.ending = True
        self.thread.join()

    def close(self):
        self.stop()
        for client in self.clients:
            client.close()
