"""The clients of a world: each says numbered texts in its own way, keeps what it said and what
it heard, and can say whether both are what they had to be. Nothing here blocks."""

import errno
import re
import socket
import ssl
import struct

from ledger import require

GREETING, FAREWELL = "welcome to all", "good night"
UP_TO = 1000  # bytes that an original client says at once

KINDS = {
    # kind: the listeners that it may come to
    "line": ("auto", "line", "room", "unix", "extra", "tls"),
    "asker": ("auto", "line", "room", "unix", "extra", "tls"),
    "original": ("auto", "original"),
    "telnet": ("auto", "telnet"),
    "raw": ("raw",),
    "silent": ("auto", "line", "original", "telnet", "raw", "room", "unix"),
    "chameleon": ("auto", "line", "original", "telnet", "raw", "unix"),
    "websocket": ("auto", "tls"),
    "page": ("auto", "tls"),
}
WEB = ("websocket", "page")  # web_clients.py
EXACT = ("line", "asker", "telnet", "websocket")  # a message is what was said, no more and no less
JOINED = ("original", "raw")  # reads are messages, so that only the whole can be compared
LETTERS = {
    **{"line": "xé€😀", "asker": "xy", "telnet": "xé€", "original": "x", "raw": "x"},
    **{"websocket": "xé€😀", "page": 'xé"\\'},
}
GARBAGE = (
    *(b"\0", b"\x08", b"\x7f", b"\r", b"\n", b"\xff", b"\xf0", b"\xfb\x01", b"\xc3", b"\xe2\x82"),
    *(b"\x1b[2J", b"bye", b"/name ", b"x" * 50, b"\xff\xf4\xff\xfd\x06", b"\xef\xbb\xbf", b"y"),
)
NEGOTIATION = (b"\xff\xfb\x18", b"\xff\xfd\x03", b"\xff\xf1", b"\xff\xfa\x18\x00\xff\xf0")

WHOLE = re.compile(rb"\[([oa]\d+\.\d+):[^\[\]]*\]")
TALK = re.compile(rb"(?:<[^>\n]*> |\* )[^\n]*\n")
BEGUN = re.compile(rb"\[[^\[\]]*")  # an answer, of which the rest has not come yet
TALK_BEGUN = re.compile(rb"<[^>\n]*(?:> ?[^\n]*)?|\*(?: [^\n]*)?")
ANSWERS = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)
WORDS = re.compile(
    f"{GREETING}|{FAREWELL}|bye".encode()  # the last of them is the one that an original hears
)
SAID = re.compile(r"c(\d+)\.(\d+)")


class Tls:
    """What stands between the text of a client and the bytes on its socket."""

    def __init__(self, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.waiting = b""  # text, until both sides have agreed
        self.agreed = False
        self._go_on()

    def _go_on(self):
        if not self.agreed:
            try:
                self.object.do_handshake()
                self.agreed = True
            except ssl.SSLWantReadError:
                return
        if self.waiting:
            self.object.write(self.waiting)
            self.waiting = b""

    def sealed(self, text=b""):
        """What is to be sent, with the text in it as soon as that can be."""
        self.waiting += text
        self._go_on()
        return self.outgoing.read()

    def opened(self, data):
        """The text that is in it."""
        self.incoming.write(data)
        self._go_on()
        text = b""
        try:
            while self.agreed and (piece := self.object.read(65536)):
                text += piece
        except ssl.SSLWantReadError:
            pass
        return text


class Client:
    """`reads` bytes at a time are taken; 0: none. With `context` it speaks within TLS."""

    def __init__(self, number, kind, listener, address, dice, context=None):
        self.number, self.kind, self.listener = number, kind, listener
        self.context = context
        self.tls = Tls(context) if context else None
        self.in_room = listener == "room"
        self.out = b""
        self.heard = b""
        self.said = []
        self.session = None  # of the ledger
        self.count = 0
        self.reads = 65536
        self.first = True
        self.half_close_due = False
        self.fate = "open"  # half, reset, closed: what it has done by itself
        self.ended = None  # how the daemon has ended it: "end", or an errno
        self.socket = self._connect(address, dice)
        self._put(b"")

    def _connect(self, address, dice):
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
        else:
            sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if ":" not in address[0]:
                sock.bind((f"127.0.0.{dice.randint(1, 5)}", 0))
        if dice.random() < 0.2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        try:
            sock.connect(address)
        except BlockingIOError:
            if isinstance(address, str):  # its backlog is full; it comes no more
                self.ended = errno.EAGAIN
        except OSError as error:
            self.ended = error.errno
        return sock

    @property
    def address(self):
        """As the daemon names it; None of a unix peer, for those have no address."""
        if self.socket.family == socket.AF_UNIX:
            return None
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def knows(self, session):
        """A session has come from its address."""
        if self.session is None:
            self.session = session

    @property
    def has_to_write(self):
        waits = bool(self.tls and self.tls.waiting)  # for what is to be read
        return bool(self.out) or (self.half_close_due and self.fate == "open" and not waits)

    @property
    def live(self):
        return self.fate in ("open", "half") and self.ended is None

    @property
    def has_more_to_say(self):
        return bool(self.out) or bool(self.tls and self.tls.waiting)

    # What it does.

    def _put(self, data):
        """It goes out as soon as it can."""
        self.out += self.tls.sealed(data) if self.tls else data

    def _take(self, data):
        """It has come, and is text."""
        self.heard += data

    def _may_speak(self):
        return self.fate == "open" and not self.half_close_due

    def _text(self, dice, size=None):
        self.count += 1
        letters = LETTERS[self.kind]
        size = size if size is not None else dice.choice((0, 1, 5, 30, 120, 700))
        pad = "".join(dice.choice(letters) for _ in range(min(size, 20)))
        pad += letters[0] * max(0, size - 20)
        return f"c{self.number}.{self.count} z{pad}z"

    def say(self, dice, size=None):
        """Says one more text, if it may speak yet."""
        if not self._may_speak():
            return
        if self.kind == "chameleon":
            self._put(b"".join(dice.choice(GARBAGE) for _ in range(dice.randint(1, 12))))
            return
        if self.kind == "silent" or (self.kind == "original" and self.out):
            return
        text = self._text(dice, size)
        self.said.append(text)
        data = text.encode()
        if self.kind in JOINED:
            self._put(data[:UP_TO])
            self.said[-1] = text[:UP_TO]
        elif self.kind == "telnet":
            if self.first or dice.random() < 0.2:
                data = dice.choice(NEGOTIATION) + data
            if dice.random() < 0.3:
                at = dice.randrange(len(text.split()[0]))
                start = data.index(b"c" + str(self.number).encode())
                data = data[: start + at] + b"\xff\xf1" + data[start + at :]
            self._put(data + (b"\r\n" if dice.random() < 0.7 else b"\r\0"))
        else:
            self._put(data + (b"\r\n" if dice.random() < 0.2 else b"\n"))
        self.first = False
        self.flush(None if dice.random() < 0.6 or self.count == 1 else dice.randint(1, 40))

    def wish_name(self, name):
        if self._may_speak() and self.in_room and not self.first:
            self._put(b"/name " + name.encode() + b"\n")
            self.flush()

    def say_bye(self):
        if self._may_speak() and self.kind in EXACT and not self.first:
            self._put(b"bye\r\n" if self.kind == "telnet" else b"bye\n")
            self.half_close_due = True
            self.flush()

    def close_sending(self):
        if self.fate == "open":
            self.half_close_due = True
            self.flush()

    def flush(self, most=None):
        """Gives the kernel what waits, or `most` bytes of it."""
        if not self.live:
            return
        try:
            while self.out:
                piece = self.out if most is None else self.out[:most]
                self.out = self.out[self.socket.send(piece) :]
                if most is not None:
                    return
            if self.half_close_due and self.fate == "open" and not self.has_more_to_say:
                self.socket.shutdown(socket.SHUT_WR)
                self.fate = "half"
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # still on its way
                self._broke(error)

    def read(self, everything=False):
        """Takes what it takes at a time."""
        if not self.live or (not self.reads and not everything):
            return
        try:
            data = self.socket.recv(65536 if everything else self.reads)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                self._broke(error)
            return
        if not data:
            self._ended("end")
        elif self.tls:
            self._take(self.tls.opened(data))
            self._put(b"")
        else:
            self._take(data)

    def _ended(self, how):
        self.ended = how
        self.socket.close()

    def _broke(self, error):
        try:  # what had come before
            while data := self.socket.recv(65536):
                self._take(self.tls.opened(data) if self.tls else data)
        except OSError:
            pass
        self._ended(error.errno)

    def reset(self):
        if self.live:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
            self.fate = "reset"

    def close(self):
        if self.live:
            self.socket.close()
            self.fate = "closed"

    # What had to come of it.

    def had_to_be_heard(self):
        """Whether all that it said has to arrive, sooner or later."""
        if self.session is None or self.kind in ("silent", "chameleon"):
            return False
        if self.session.over:
            return self.session.reason in ("left", "answered", "no answer in time", "bye")
        return self.live and not self.has_more_to_say

    def check_said(self, shortest_cut, all_of_it):
        """What it said arrived whole, in order, once: all, or as far as it was read. No message
        that is shorter than `shortest_cut` may be cut, but for one that broke off."""
        if self.session is None or self.kind in ("silent", "chameleon"):
            return
        messages = self.session.messages
        if self.kind in JOINED:
            self._check_joined("".join(self.said), messages, all_of_it)
            return
        require(len(messages) <= len(self.said), self, "said", len(self.said), "and not", messages)
        for place, (text, cut) in enumerate(messages):
            said = self.said[place]
            last = place == len(messages) - 1 and self.fate != "open"
            whole = text == said
            if last and self.fate == "closed":  # it has left in the middle of it
                whole = said.startswith(text)
            if not cut:
                require(whole, self, "said", repr(said), "and not", repr(text))
                continue
            # One that broke off may have done so within a character.
            begun = text.removesuffix("\N{REPLACEMENT CHARACTER}") if last else text
            require(said.startswith(begun), self, "said", repr(said), "and not", repr(text))
            require(last or len(text.encode()) > shortest_cut - 5, self, "is cut early:", text)
        if all_of_it:
            require(len(messages) == len(self.said), self, "said more than", messages[-1:])

    def _check_joined(self, joined, messages, all_of_it):
        at, cut_before = 0, False
        for text, cut in messages:
            place = joined.find(text, at)
            require(
                place == at or (cut_before and place > at), self, "has not said", repr(text), at
            )
            at, cut_before = place + len(text), cut_before or cut
        if all_of_it and not cut_before:
            require(at == len(joined), self, "said more than", at, "of", len(joined))

    def tokens(self):
        """What it has heard from operators, in order and as they said it."""
        data = ANSWERS.sub(b"", self.heard) if self.kind in ("telnet", "chameleon") else self.heard
        texts = []
        for match in WHOLE.finditer(data):
            texts.append(match.group().replace(b"\r\n", b"\n").decode("utf-8", "replace"))
        rest = WHOLE.sub(b"", data)
        if self.in_room:
            self._check_talk(rest)
            rest = TALK.sub(b"", rest)
        rest = WORDS.sub(b"", rest).strip(b"\r\n\0")
        broken = self.ended not in (None, "end") or (self.session and self.session.over)
        partial = BEGUN.fullmatch(rest) or (self.in_room and TALK_BEGUN.fullmatch(rest))
        require(
            rest == b"" or partial or broken or self.kind == "chameleon" or not self.live,
            self, "has heard what nobody said to it:", rest[:500],
        )  # fmt: skip
        return texts

    def _check_talk(self, data):
        newest = {}
        for line in TALK.finditer(data):
            match = SAID.search(line.group().decode("utf-8", "replace"))
            if match is None or not line.group().startswith(b"<"):
                continue
            who, count = int(match[1]), int(match[2])
            require(who != self.number, self, "hears itself:", line.group())
            require(newest.get(who, 0) < count, self, "hears it twice, or late:", line.group())
            newest[who] = count

    def check_heard(self):
        """What operators said came whole, in order and once, or is counted as lost."""
        if self.session is None:
            return
        may = iter(self.session.tokens())
        heard = self.tokens()
        for text in heard:
            require(text in may, self, "heard out of turn:", text[:80], self.session.said[-9:])
        if self.must_have_heard():
            missing = len(self.session.tokens()) - len(heard)
            require(
                missing <= self.session.lost_at_end + len(self.session.held),
                self, f"has not heard {missing} of", [t[:20] for t in self.session.tokens()],
                "and only", self.session.lost_at_end, "are counted as lost; it heard",
                [t[:20] for t in heard],
            )  # fmt: skip

    def has_got_all(self):
        """Whether all has come to it that has to come, up to the end if there was one."""
        if self.session is None or not self.live:
            return True
        if self.session.over:
            return False  # until it has read the end
        return len(self.tokens()) >= len(self.session.tokens()) - len(self.session.held)

    def what_is_missing(self):
        said = [text[:9] for text in self.session.tokens()]
        held = [text[:9] for text in self.session.held.values()]
        heard = [text[:9] for text in self.tokens()]
        return f"{self} heard {heard} of {said}, of which {held} are held; {self.heard[-99:]!r}"

    def must_have_heard(self):
        """Whether it has read all that was for it, up to the end if there was one."""
        if self.fate not in ("open", "half") or not self.session:
            return False
        if self.session.over:
            reason = self.session.reason
            # Nobody looks at what the kernel had of one that is closed for not reading.
            away = ("does not read", "gave way", "connection", "sent more")
            return self.ended == "end" and not any(word in reason for word in away)
        return self.ended is None and self.reads > 0

    def __str__(self):
        who = f"session {self.session.id}" if self.session else "no session"
        why = f" {self.session.reason!r}" if self.session and self.session.reason else ""
        within = " in TLS" if self.tls else ""
        how = f"{self.kind}{within} at {self.listener}, {self.fate}, {self.ended}"
        return f"client {self.number} ({who}{why}, {how})"
