"""The clients of a soak, all in one thread, and what each of them said and got. Knows
nothing of operators; what is sent to a client are tokens like <b12>, so that they can be
counted however they arrive: as lines, joined, or cut into turns. A token is the end of
its message, so whoever has it has all of it."""

import random
import re
import selectors
import socket
import struct

ORIGINS = [f"127.0.1.{number}" for number in range(1, 251)]
TOKEN = re.compile(rb"<[a-z]\d+>")


class Client:
    """A client that comes, talks and goes. `how` it goes: "bye", "reset", "half" (it closes its
    sending side and waits for one answer). It comes from any address of `ORIGINS`."""

    def __init__(self, soak, address, now):
        self.soak = soak
        self.socket = socket.socket()
        self.socket.settimeout(10)
        self.socket.bind((random.choice(ORIGINS), 0))
        self.socket.connect(address)
        self.socket.setblocking(False)
        host, port = self.socket.getsockname()
        self.name = f"{host}:{port}"
        self.original = random.random() < 0.05
        self.how = random.choices(["bye", "reset", "half"], [8, 1, 1])[0]
        if self.original:
            self.how = "bye"
        self.leaves_at = now + random.uniform(5, 30)
        self.said = 0  # messages
        self.waiting = False  # for an answer to the last of them
        self.leaving = False
        self.received = b""
        self.got = []  # tokens, in order
        soak.poll.register(self.socket, selectors.EVENT_READ, self.on_readable)

    def act(self, now):
        """Says something, or goes. Returns when it is to be called again, None for never."""
        if self.leaving:
            return None
        # Without line ends two texts that are read at once are one, on a busy machine.
        if self.original and (self.waiting or self.soak.ledger.heard_of(self.name) < self.said):
            return now + 0.1
        # Who goes without a word was nobody.
        if now >= self.leaves_at and not self.waiting and self.said > 0:
            return self.leave()
        last = now >= self.leaves_at - 1
        # Who will leave in a way that loses what is under way waits for an answer first.
        question = self.original or (last and self.how == "reset") or random.random() < 0.05
        # Several at once, as a paste is: most of what this costs is the occasion.
        words = [] if self.original else [self.say(".") for _ in range(random.randrange(4))]
        self.waiting = question
        words.append(self.say("?" if question else "."))
        self.send("\n".join(words).encode() + (b"" if self.original else b"\n"))
        return now + random.uniform(0.25, 0.75)

    def say(self, mark):
        self.said += 1
        return f"{mark}{self.said} {'talk ' * random.randint(1, 12)}"

    def send(self, data):
        sent = self.socket.send(data)
        assert sent == len(data), "a client's words do not fit into an empty buffer"

    def leave(self):
        self.leaving = True
        if self.how == "bye":
            self.send(b"bye" if self.original else b"bye\n")
        elif self.how == "half":
            self.said += 1
            self.send(b"?%d last question\n" % self.said)
            self.socket.shutdown(socket.SHUT_WR)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.end()
        return None

    def on_readable(self):
        try:
            data = self.socket.recv(1024 if self.original else 65536)
        except ConnectionResetError:
            data = None
        assert data is not None, f"{self.name}: reset by the daemon"
        if not data:
            assert self.leaving, f"{self.name}: the daemon ended it"
            self.end()
            return
        if self.original:
            data.decode()  # strictly: that is what the original client does
            self.waiting = False  # and it takes whatever it gets for its answer
        self.received += data
        place = 0
        for token in TOKEN.finditer(self.received):
            self.got.append(token.group().decode())
            self.waiting = self.waiting and self.got[-1][1] != "r"
            place = token.end()
        self.received = self.received[place:]

    def end(self):
        self.soak.poll.unregister(self.socket)
        self.socket.close()
        self.soak.on_left(self)


class Deaf:
    """A client that says hello and never reads; the daemon closes it, and it comes again."""

    def __init__(self, address):
        self.address = address
        self.comes = 0
        self.said = 0
        self.names = []
        self.socket = None

    def come(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.socket.settimeout(10)
        self.socket.connect(self.address)
        self.names.append("%s:%d" % self.socket.getsockname())
        self.comes += 1
        self.socket.sendall(b".1 I never read\n")
        self.said += 1
