"""Clients of a world that came by the web: a WebSocket, and a visitor's page, which goes and comes
back. Nothing here blocks."""

import json
import re

from harness.web import CLOSE, PAGE, PING, PONG, TEXT, WebSocket, first_frame

from clients import Client
from ledger import require

CONTINUATION = 0x0
LONGEST = 9000  # bytes of a text: a little more than the daemon ever takes
HEAD = (
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class WebSocketClient(Client):
    """A program that speaks texts in frames. What it has heard is a line for each text."""

    protocol = None

    def __init__(self, *args, **how):
        self.pending = b""
        self.upgraded = False
        self.close_code = None
        super().__init__(*args, **how)
        self._greet()

    def _greet(self):
        line = f"Sec-WebSocket-Protocol: {self.protocol}\r\n" if self.protocol else ""
        self._put((HEAD + line + "\r\n").encode())

    def _frames(self, text, dice):
        """A text, in one frame or several, perhaps with a ping between."""
        if len(text) < 2 or dice.random() < 0.7:
            return WebSocket.frame(TEXT, text)
        at = dice.randrange(1, len(text))
        between = WebSocket.frame(PING, b"?") if dice.random() < 0.5 else b""
        return (
            WebSocket.frame(TEXT, text[:at], final=False)
            + between
            + WebSocket.frame(CONTINUATION, text[at:])
        )

    def say(self, dice, size=None):
        if not self._may_speak():
            return
        size = size if size is not None else dice.choice((0, 1, 5, 5, 12, 12, 700))
        text = self._text(dice, size)
        self.said.append(text)
        self._put(self._frames(text.encode(), dice))
        self.first = False
        # The first bytes say what it is, and come together.
        self.flush(None if dice.random() < 0.6 or self.count == 1 else dice.randint(1, 40))

    def say_bye(self):
        if self._may_speak() and not self.first:
            self._put(WebSocket.frame(TEXT, b"bye"))
            self.half_close_due = True
            self.flush()

    def _take(self, data):
        self.pending += data
        if not self.upgraded:
            head, separator, rest = self.pending.partition(b"\r\n\r\n")
            if not separator:
                return
            require(head.startswith(b"HTTP/1.1 101 "), self, "is answered", head)
            self.upgraded, self.pending = True, rest
        while frame := first_frame(self.pending):
            opcode, payload, size = frame
            self.pending = self.pending[size:]
            self._hear(opcode, payload)

    def _hear(self, opcode, payload):
        require(self.close_code is None, self, "hears something behind a close", payload[:99])
        if opcode == PING:
            self._put(WebSocket.frame(PONG, payload))
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
        elif opcode == TEXT:
            self._hear_text(payload)
        else:
            require(opcode == PONG, self, "gets a frame of", opcode)

    def _hear_text(self, payload):
        self.heard += payload + b"\n"


class PageClient(WebSocketClient):
    """A visitor's page. Its session is the one that its `welcome` was of, whatever connections it
    has had; what it has said and nobody has taken is said again. `on_moved` is told whenever it
    comes as somebody new."""

    protocol = PAGE

    def __init__(self, *args, on_moved=lambda client: None, **how):
        self.sessions = {}  # that came from it, by the address
        self.own = None  # the address at which its session began
        self.on_moved = on_moved
        self.token = None
        self.seen = 0
        self.rising = 0  # the last seq on this connection
        self.greeted = False
        self.away = False
        self.over = False  # it was told so
        self.unanswered = {}  # texts by id, which are neither taken nor refused
        self.taken, self.refused = set(), set()
        self.by_id = {}
        super().__init__(*args, **how)

    @property
    def session(self):
        return self.sessions.get(self.own)

    @session.setter
    def session(self, _):
        pass

    def knows(self, session):
        self.sessions[session.address] = session

    @property
    def live(self):
        return super().live and not self.away

    def _greet(self):
        super()._greet()
        hello = {"type": "hello", "seen": self.seen}
        self._tell(hello | ({"resume": self.token} if self.token else {}))

    def _tell(self, frame):
        self._put(WebSocket.frame(TEXT, json.dumps(frame).encode()))

    # What it does.

    def say(self, dice, size=None):
        if self.fate != "open" or self.over or self.half_close_due or self.ended is not None:
            return
        size = size if size is not None else dice.choice((0, 1, 5, 5, 12, 12, 700))
        text = self._text(dice, min(size, LONGEST))
        name = f"{self.number}-{self.count}"
        self.said.append(text)
        self.by_id[name] = self.unanswered[name] = text
        self.first = False
        if self.greeted and not self.away:
            if dice.random() < 0.3:
                self._tell({"type": "seen", "seq": self.seen})
            self._tell({"type": "say", "id": name, "text": text})
            self.flush(None if dice.random() < 0.6 else dice.randint(1, 40))

    def say_bye(self):
        if self.live and self.greeted:
            self._tell({"type": "bye"})
            self.half_close_due = True
            self.flush()

    def close_sending(self):
        """A page that leaves for good says bye."""
        if not self.live:
            return
        if self.greeted:
            self.say_bye()
        else:
            self.close()

    def go_away(self, how):
        """Its connection is lost."""
        if not self.live or self.half_close_due:
            return
        fate = self.fate
        if how == "frame":
            self._put(WebSocket.frame(CLOSE, b"\x03\xe9"))
            self.flush()
        if self.live:
            self.reset() if how == "reset" else self.close()
            self.fate = fate
            self.away = True

    def come_back(self, dice, address):
        """With the token that it has."""
        if not self.away or self.over:
            return
        self.away, self.greeted, self.upgraded = False, False, False
        self.out = self.pending = b""
        self.close_code, self.rising = None, 0
        self.ended = None
        self.tls = type(self.tls)(self.context) if self.context else None
        self.socket = self._connect(address, dice)
        if self.ended is None:
            self.on_moved(self)
            self._put(b"")
            self._greet()
            self.flush()

    def _ended(self, how):
        self.socket.close()
        # Not let in, or over, or it is about to leave.
        if self.over or self.half_close_due or self.close_code == 1008 or self.fate != "open":
            self.ended = how
        else:
            self.away = True

    # What it hears.

    def _hear_text(self, payload):
        frame = json.loads(payload)
        act = getattr(self, "_hear_" + frame["type"], None)
        if act is not None and not self.over:
            act(frame)

    def _hear_welcome(self, frame):
        self.greeted = True
        if not frame["resumed"] and self.token is not None:  # its session is over
            self._tell({"type": "bye"})
            self.flush()
            self.over = True
            self.close()
            return
        if not frame["resumed"]:
            self.own = self.address
        self.token = frame["resume"]
        require(re.fullmatch("[0-9a-f]{32}", self.token), self, "gets a token", self.token)
        for name, text in self.unanswered.items():
            self._tell({"type": "say", "id": name, "text": text})

    def _rises(self, seq):
        require(seq > self.rising, self, "hears out of order:", seq, self.rising)
        self.rising = seq

    def _hear_message(self, frame):
        self._rises(frame["seq"])
        require(frame["seq"] > self.seen, self, "hears again:", frame, self.seen)
        self.seen = frame["seq"]
        if frame["from"] == "visitor":
            name = frame["id"]
            require(self.by_id.get(name) == frame["text"], self, "has not said", frame)
            self._is_taken(name)
        else:
            self.heard += frame["text"].encode() + b"\n"

    def _hear_taken(self, frame):
        # One that is said again is taken again, with the number of the first time.
        self.seen = max(self.seen, frame["seq"])
        self._is_taken(frame["id"])

    def _is_taken(self, name):
        require(name in self.by_id, self, "has not said", name)
        self.unanswered.pop(name, None)
        self.taken.add(self.by_id[name])

    def _hear_refused(self, frame):
        text = self.unanswered.pop(frame["id"], None)
        require(text is not None, self, "is refused what it has not said", frame)
        self.refused.add(text)

    def _hear_bye(self, _):
        self.over = True

    # What had to come of it.

    def had_to_be_heard(self):
        return self.session is not None and not self.session.over and self.live and not self.over

    def check_said(self, shortest_cut, all_of_it):
        """What was taken has arrived, once and in order; what was refused has not."""
        if self.session is None:
            return
        arrived = [text for text, _ in self.session.messages]
        require(not any(cut for _, cut in self.session.messages), self, "is cut", arrived)
        may = iter(self.said)
        for text in arrived:
            require(text in may, self, "is heard out of turn:", text[:80], arrived[-9:])
            require(text not in self.refused, self, "was refused, and is heard:", text[:80])
        if all_of_it:
            due = [text for text in self.said if text not in self.refused]
            require(arrived == due, self, "has said", len(due), "and is heard", len(arrived))
            missing = [text[:20] for text in self.taken - set(arrived)]
            require(not missing, self, "is told that it was taken, and nobody has heard", missing)

    def __str__(self):
        how = f", away {self.away}, over {self.over}, closed with {self.close_code}"
        return super().__str__().removesuffix(")") + how + ")"
