"""What an operator who misses nothing hears, and what has to hold of it: doc/protocol.md and
doc/security.md as arithmetic. Knows events alone; whoever has other knowledge compares it."""

import collections
import ipaddress
import re

TOKEN = re.compile(r"\[([oa]\d+\.\d+):[^\[\]]*\]")
"""What operators say: [o3.17:...], and while they are away: [a3.17:...]."""


class Fault(AssertionError):
    """A promise that was not kept."""


def require(condition, *what):
    if not condition:
        raise Fault(" ".join(str(each)[:700] for each in what))


def is_in(address, network):
    """Whether the address of a client is in the network; those of unix peers are in none."""
    host, colon, _ = address.rpartition(":")
    if not colon or not host[:1].isdigit():
        return False
    return ipaddress.ip_address(host) in ipaddress.ip_network(network)


class Session:
    def __init__(self, event):
        self.id = event["session"]
        self.address = event["address"]
        self.messages = []  # (text, cut)
        self.said = []  # (seq, text, state) of what operators said to it
        self.held = {}  # text by the number of its event
        self.delivered = 0
        self.lost = 0  # of `lost` in a `sent`, and at its end
        self.asking = False
        self.waits_for_answers = True  # once its sending side is closed; none of the web does
        self.unanswered = False  # it has said something since an operator wrote to it by name
        self.holder = None
        self.notes = 0
        self.reason = None
        self.lost_at_end = 0

    @property
    def over(self):
        return self.reason is not None

    def tokens(self):
        """What may have reached it, in order."""
        return [text for _, text, state in self.said if state != "lost"]


class Ledger:
    def __init__(self):
        self.seq = 0
        self.sessions = {}
        self.banned = {}  # until when, by network
        self.to_all = set()  # texts that were meant for everybody
        self.events_of_text = collections.defaultdict(list)
        self.messages_in = 0
        self.on_connected = lambda session: None
        self.on_message = lambda session, text: None

    def take(self, method, event):
        require(method != "lagged", "one who reads all has missed events:", event)
        require(event["seq"] == self.seq + 1, "after event", self.seq, "came", method, event)
        self.seq = event["seq"]
        act = getattr(self, "_" + method, None)
        if act is not None:
            act(event)

    def _session(self, event):
        session = self.sessions.get(event["session"])
        require(session is not None, "of a session that never came:", event)
        require(not session.over, "of a session that is over:", event)
        return session

    def _connected(self, event):
        require(event["session"] not in self.sessions, "a session came twice:", event)
        newest = max(self.sessions, default=0)
        require(event["session"] > newest, "an id is lower than one before:", event, newest)
        for network, until in self.banned.items():
            require(
                not is_in(event["address"], network) or event["time"] >= until,
                network, "is banned until", until, event,
            )  # fmt: skip
        session = self.sessions[event["session"]] = Session(event)
        self.on_connected(session)

    def _message(self, event):
        session = self._session(event)
        session.messages.append((event["text"], event.get("cut", False)))
        session.unanswered = True
        self.messages_in += 1
        self.on_message(session, event["text"])

    def _asking(self, event):
        session = self._session(event)
        require(not session.asking, "it asks twice:", event)
        session.asking = True

    def _sent(self, event):
        several = event["session"] if isinstance(event["session"], list) else [event["session"]]
        require(len(set(several)) == len(several), "to a session twice:", event)
        match = TOKEN.fullmatch(event["text"])
        require(match is not None, "nobody said that:", event)
        to_all = event["text"] in self.to_all
        automatic = event.get("automatic", False)
        self.events_of_text[event["text"]].append(event)
        for number in several:
            session = self._session(event | {"session": number})
            require(
                to_all or automatic or session.holder in (None, event["operator"]),
                f"{session.holder} has claimed it:",
                event,
            )
            require(
                not (session.asking and (to_all or automatic)),
                "an announcement to one that waits for an answer:",
                event,
            )
            session.said.append((event["seq"], event["text"], event["state"]))
            if not (to_all or automatic):
                session.unanswered = False
            if event["state"] == "sent":
                session.delivered += 1
            elif event["state"] == "held":
                session.held[event["seq"]] = event["text"]
            else:
                session.lost += 1

    def _delivered(self, event):
        session = self._session(event)
        require(session.held and event["ref"] == min(session.held), "not the first of them:", event)
        del session.held[event["ref"]]
        session.delivered += 1

    def _disconnected(self, event):
        session = self._session(event)
        lost = event.get("lost", 0)
        whole = len(session.held) + session.delivered
        require(
            len(session.held) <= lost <= whole,
            f"of {whole} messages, {len(session.held)} of them held, so many are lost:",
            event,
        )
        require(
            event["reason"] not in ("left", "answered")
            or not (session.unanswered and session.waits_for_answers),
            "nobody has answered what it said:", event,
        )  # fmt: skip
        by = re.match(r"kicked by ([^:]+)", event["reason"])
        if by:
            require(
                session.holder in (None, by.group(1)), f"{session.holder} has claimed it:", event
            )
        session.delivered -= lost - len(session.held)
        session.lost += lost
        session.lost_at_end = lost
        session.held.clear()
        session.reason = event["reason"]

    def _noted(self, event):
        self._session(event).notes += 1

    def _banned(self, event):
        self.banned[event["address"]] = event.get("until") or "9999"

    def _unbanned(self, event):
        require(event["address"] in self.banned, "it was not banned:", event)
        del self.banned[event["address"]]

    def _claimed(self, event):
        session = self._session(event)
        require(
            event.get("from") == session.holder or session.holder == event["operator"],
            f"{session.holder} had claimed it:",
            event,
        )
        session.holder = event["operator"]

    def _released(self, event):
        session = self._session(event)
        require(session.holder is not None, "nobody had claimed it:", event)
        session.holder = None

    # Sums.

    def open(self):
        return [session for session in self.sessions.values() if not session.over]

    def sums(self):
        every = self.sessions.values()
        delivered = sum(session.delivered for session in every)
        held = sum(len(session.held) for session in every)
        lost = sum(session.lost for session in every)
        return {
            "sessions": len(self.open()),
            "accepted": len(self.sessions),
            "messages_in": self.messages_in,
            "messages_out": delivered + held + lost,
            "delivered": delivered,
            "held": held,
            "lost": lost,
        }

    def sent_away(self):
        """Whether somebody had to go while something may have waited for it."""
        reasons = [each.reason for each in self.sessions.values() if each.reason]
        return any("kicked by" in each or "gave way" in each for each in reasons)


def check_stats(stats):
    """What holds at every moment."""
    parts = ("delivered", "held", "lost")
    require(
        stats["messages_out"] == sum(stats[part] for part in parts)
        and all(0 <= stats[part] <= stats["messages_out"] for part in parts),
        "the sums are wrong:",
        stats,
    )


def compare_stats(stats, ledger):
    """While nothing happens, and nothing is on its way."""
    check_stats(stats)
    sums = ledger.sums()
    for name, value in sums.items():
        if name in ("delivered", "lost") and ledger.sent_away():
            continue  # after that more may turn out to be lost, without an event
        require(stats[name] == value, f"{name} is {value} by the events, and", stats)
    require(
        stats["lost"] >= sums["lost"] and stats["delivered"] <= sums["delivered"],
        f"by the events {sums}, and",
        stats,
    )
    return True
