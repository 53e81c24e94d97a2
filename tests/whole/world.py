"""One world: a daemon, clients, operators and an administrator, who do a number of random
things, each drawn from the seed, the number of the world and the number of the step alone. What
the daemon makes of it is compared with the ledger, all the time and at the end."""

import json
import random
import re
import select
import signal
import time

from harness import Daemon, Home, parse_endpoint
from harness.certificates import Authority
from harness.waiting import GUARD

from acts import Acts
from clients import WEB
from ledger import Fault, Ledger, compare_stats, require
from operators import Operator
from settings import GRACES, LISTENERS, Settings
from web_clients import PageClient

STEPS = 400
PAUSES = (0, 0, 0, 0.001, 0.002, 0.005, 0.005, 0.02, 0.06)
ROOM_TO_GROW = 96 * 1024 * 1024  # bytes; a sanitizer keeps what was freed for a while
SLACK = GUARD / 4  # seconds beyond stop_grace, on a machine that has other things to do


def is_back(client):
    """Whether it is no page that has still to come back."""
    if not isinstance(client, PageClient) or client.over or client.ended is not None:
        return True
    return not client.away and (client.greeted or not client.live)


class World(Acts):
    def __init__(self, seed, number, steps=STEPS):
        self.seed, self.number, self.steps = seed, number, steps
        self.dice = random.Random(f"{seed}/{number}")
        self.ledger = Ledger()
        self.ledger.on_connected = self._on_connected
        self.ledger.on_message = self._on_message
        self.daemon = None
        self.home = Home()
        self.authority = Authority()
        self.context = self.authority.client()  # of clients within TLS
        self.settings = Settings(self.home, self.dice, self.authority)
        self.clients = []
        self.operators = []
        self.by_address = {}  # the last client, by the address that events name
        self.answers = []  # (text, sessions, what became of it) that answers spoke of
        self.refused = []  # texts of which an answer said that they were not sent
        self.counts = {"clients": 0, "operators": 0, "texts": 0, "hand-overs": 0, "reloads": 0}
        self.hand_over_from = None  # where the log stood when the last one began
        self.stopping = False
        self.trace = []

    def run(self):
        self._start()
        try:
            for step in range(self.steps):
                dice = random.Random(f"{self.seed}/{self.number}/{step}")
                self.trace.append(self.act(dice))
                self.pump(dice.choice(PAUSES))
            self._settle()
            self._end()
        except BaseException:
            self.daemon.kill()
            raise

    def _start(self):
        self.settings.put(self.settings.draw(self.dice))
        self.daemon = Daemon(home=self.home, listeners=len(LISTENERS))
        self.addresses = dict(zip(LISTENERS, map(parse_endpoint, self.daemon.endpoints)))
        self.addresses["extra"] = self.settings.paths()["extra"]
        # One who misses nothing, from the first event on, and does not keep others from being
        # away.
        self.observer = Operator(
            0, self.home.control_path, "observer", self.ledger.take, watch=True
        )
        self.until(lambda: not self.observer.asked, "the observer is there")
        if self.settings.transcripts:
            self._ask_until("history", {})
        self.level = (self.daemon.fds(), self.daemon.rss())

    # Hand-overs.

    def begin_hand_over(self):
        self.hand_over_from = len(self.daemon.log())
        self.daemon.send_signal(signal.SIGUSR2)

    def is_handing_over(self):
        if self.hand_over_from is None:
            return False
        log = self.daemon.log()[self.hand_over_from :]
        over = "goes on with" in log and "operators attach at" in log
        if over or "does not hand over" in log:
            self.hand_over_from = None
        return self.hand_over_from is not None

    # Time goes by.

    def pump(self, seconds):
        """Carries all bytes that can be carried, for so long."""
        until = time.monotonic() + seconds
        while True:
            self._carry(max(0, until - time.monotonic()))
            if time.monotonic() >= until:
                return

    def _carry(self, wait):
        """Whatever can be read and written now, or within `wait` seconds."""
        people = [client for client in self.clients if client.live]
        people += [operator for operator in (self.observer, *self.operators) if not operator.ended]
        owner = {each.socket.fileno(): each for each in people}
        reading = [each.socket for each in people if each.reads]
        writing = [each.socket for each in people if each.has_to_write]
        readable, writable, _ = select.select(reading, writing, [], min(wait, 0.05))
        for sock in writable:
            if sock.fileno() in owner:  # it is still open
                owner[sock.fileno()].flush()
        for sock in readable:
            if sock.fileno() in owner:
                owner[sock.fileno()].read()
        self._see_who_left()

    def _see_who_left(self):
        if self.observer.ended and not self.stopping:
            require(self.counts["hand-overs"] > 0, "the observer is detached")
            self.observer.attach()
        for operator in [each for each in self.operators if each.ended]:
            self.operators.remove(operator)
            require(
                operator.excused or self.stopping or not operator.asked, operator, "is detached"
            )

    def until(self, condition, what):
        """Waits for the condition; `what` says what it is, or is asked for it."""
        deadline = time.monotonic() + GUARD
        while not condition():
            require(
                time.monotonic() < deadline,
                "it never came to this:", what() if callable(what) else what,
            )  # fmt: skip
            require(self.daemon.alive(), "chatd has ended")
            self.pump(0.01)

    def _ask_until(self, method, params, right=lambda result: True):
        """The observer asks again and again, until the answer is right at the moment when it
        comes; `right` may say by a Fault why it is not. Returns that answer."""
        found, last = [], []

        def take(result, error):
            last[:] = [error if result is None else result]
            if result is None:
                return
            try:
                if right(result):
                    found.append(result)
            except Fault as fault:
                last[:] = [fault]

        def asked():
            if not found and not self.observer.ended and not self.observer.asked:
                self.observer.ask(method, params, take)
            return found

        self.until(asked, lambda: f"{method} {params} at event {self.ledger.seq}: {last}")
        return found[0]

    # Who is who.

    def _on_connected(self, session):
        client = self.by_address.get(session.address)
        if client is not None:
            client.knows(session)
            session.waits_for_answers = client.kind not in WEB

    def _on_message(self, session, text):
        """A client without an address is known by what it says."""
        match = re.match(r"c(\d+)\.", text)
        if match is None:
            return
        client = self.clients[int(match[1]) - 1]
        if client.session is None and client.address is None:
            client.session = session
        require(client.session is session, client, "is heard as", session.id, text[:80])

    # Everything has to add up.

    def _settle(self):
        """Everybody reads, nobody does anything any more, and all is compared."""
        self.until(lambda: not self.is_handing_over(), "the hand-over is over")
        config = self.settings.draw(random.Random(0))
        config["limits"] |= {"messages_per_second": 100_000, "messages_burst": 100_000}
        config["session"] |= {"original_hold": "100ms", "max_message": "8KiB"}
        config["session"] |= {"idle_timeout": "0s", "answer_timeout": "10m", "bye_grace": "100ms"}
        config["limits"] |= {"sessions": 10_000, "sessions_per_address": 64}
        config["web"] = {"resume": "10m"}
        self.settings.put(config)
        self._ask_until("reload", {})
        for each in (*self.clients, *self.operators):
            each.reads = 65536
        self.until(
            lambda: not any(operator.asked for operator in self.operators),
            "all requests are answered",
        )
        self.until(
            lambda: not any(client.live and client.has_to_write for client in self.clients),
            "all is said",
        )
        self.until(
            self._are_back, lambda: "pages are back: " + self._names(lambda page: not is_back(page))
        )
        self._ask_until("stats", {})  # its answer comes behind all that has happened so far
        self.until(
            lambda: all(self._is_heard(client) for client in self.clients),
            lambda: "all is heard of " + self._names(lambda client: not self._is_heard(client)),
        )
        self.until(
            lambda: all(client.has_got_all() for client in self.clients),
            lambda: "all has come: "
            + "; ".join(each.what_is_missing() for each in self.clients if not each.has_got_all()),
        )
        self._ask_until("stats", {}, lambda stats: compare_stats(stats, self.ledger))
        self._ask_until("sessions", {}, self._compare_sessions)
        if self.settings.transcripts:
            self._compare_past()
        self._check_answers()
        for client in self.clients:
            client.check_said(self._shortest_cut(), all_of_it=client.had_to_be_heard())
            client.check_heard()

    def _shortest_cut(self):
        return self.settings.shortest_message

    def _are_back(self):
        """All pages that can come back have done so."""
        for client in self.clients:
            if not is_back(client):
                client.come_back(self.dice, self.addresses[client.listener])
        return all(is_back(client) for client in self.clients)

    def _is_heard(self, client):
        if not client.had_to_be_heard():
            return True
        try:
            client.check_said(self._shortest_cut(), all_of_it=True)
        except Fault:
            return False
        return True

    def _names(self, which):
        return "; ".join(str(client) for client in self.clients if which(client))

    def _compare_sessions(self, listed):
        """The list of sessions, and what events said of them."""
        closing = {entry["session"] for entry in listed if entry["state"] == "closing"}
        known = {session.id for session in self.ledger.open()} - closing
        require(known == {entry["session"] for entry in listed} - closing, "listed:", listed)
        for entry in listed:
            session = self.ledger.sessions[entry["session"]]
            require(entry["held"] == len(session.held), "held:", entry, session.held)
            require(entry["claimed_by"] == session.holder, "claimed by", session.holder, entry)
            require(entry["notes"] == min(session.notes, 8), "notes:", session.notes, entry)
            waits = entry["waiting_since"] is not None
            require(waits == session.unanswered, "waits:", session.unanswered, entry)
        return True

    def check_page(self, params, page):
        """A page of the past has what was asked for."""
        if page is None:
            return
        numbers = [message["seq"] for message in page["messages"]]
        require(numbers == sorted(numbers), "the order of", params, numbers)
        require(len(numbers) <= params["limit"], "too many for", params, numbers)
        for message in page["messages"]:
            require(message["seq"] < params.get("before", 1 << 60), params, message)
            asked_for = params.get("session", message["session"])
            require(message["session"] == asked_for, params, message)

    def _compare_past(self):
        """The history of some sessions is what was said, no more and no less."""
        sessions = [each for each in self.ledger.sessions.values() if each.messages or each.said]
        for session in self.dice.sample(sessions, min(8, len(sessions))):
            heard = [text for text, _ in session.messages]
            told = [text for _, text, _ in session.said]
            if len(heard) + len(told) > 1000:
                continue

            def right(page, heard=heard, told=told):
                found = {"in": [], "out": []}
                for message in page["messages"]:
                    found[message["direction"]].append(message["text"])
                for way, texts in (("in", heard), ("out", told)):
                    short = [[text[:12] for text in each] for each in (found[way], texts)]
                    require(found[way] == texts, way, short[0], "and not", short[1])
                return True

            self._ask_until("history", {"session": session.id, "limit": 1000}, right)

    def _check_answers(self):
        """What answers to operators said of their messages is what events say."""
        events = self.ledger.events_of_text
        for text in self.refused:
            require(text not in events, "was refused, and sent:", events.get(text))
        for text, sessions, state in self.answers:
            told = []
            for event in events.get(text, ()):
                if event["state"] == {"delivered": "sent"}.get(state, state):
                    session = event["session"]
                    told += session if isinstance(session, list) else [session]
            require(sorted(told) == sorted(sessions), text[:20], state, sessions, "and not", told)

    # Its end.

    def _end(self):
        if self.dice.random() < 0.5:
            self._all_leave()
        for client in self.clients:
            if self.dice.random() < 0.1:
                client.reads = 0
        if self.dice.random() < 0.4:  # a stop within a hand-over
            self.daemon.send_signal(signal.SIGUSR2)
            self.pump(self.dice.choice((0, 0.001, 0.01, 0.05, 0.1, 0.3)))
        self.stopping = True
        began = time.monotonic()
        self.daemon.send_signal(signal.SIGTERM)
        grace = GRACES[self.settings.grace]
        while self.daemon.alive():
            self.pump(0.02)
            require(time.monotonic() - began < grace + SLACK, "it does not stop; grace is", grace)
        self.pump(0.01)
        self.daemon.check_end()
        for client in self.clients:
            client.check_heard()

    def _all_leave(self):
        """Then there are as many descriptors as at the beginning, and about as much memory."""
        for client in self.clients:
            client.close_sending()
        for operator in self.operators:
            operator.leave()
        self.pump(0.05)
        for client in self.clients:
            client.close()
        for session in self.ledger.open():  # some are waited for who have left
            self.observer.ask("claim", {"session": session.id, "force": True})
            self.observer.ask("kick", {"session": session.id})
        self._ask_until(
            "stats", {}, lambda stats: stats["sessions"] == 0 and stats["operators"] == 1
        )
        fds, rss = self.level
        self.until(
            lambda: self.daemon.fds() <= fds,
            lambda: f"{fds} descriptors again, after {self.daemon.fds()}",
        )
        now = self.daemon.rss()
        require(now < rss + ROOM_TO_GROW, f"{rss} bytes were resident, and now {now}")

    def close(self):
        for each in (*self.clients, *self.operators, self.observer):
            each.socket.close()
        self.home.remove()
        self.authority.__exit__()

    def __str__(self):
        return json.dumps(self.counts)
