"""The operators of a world: requests on the control socket, well-formed or not, and what has
to hold of their answers. Nothing here blocks."""

import collections
import json
import socket

from ledger import check_stats, require

PAST = ("history", "search")  # their answers wait for the transcript
NO_SESSION, CLAIMED, NOT_ALLOWED, LIMIT, HAND_OVER, PARAMS = 1, 2, 3, 4, 5, -32602
ERRORS = (NO_SESSION, CLAIMED, NOT_ALLOWED, LIMIT, HAND_OVER, PARAMS)
UNKNOWN = "helo"  # a method that there is not


class Operator:
    """`on_event`: hears of every event; None: it does not subscribe. One that watches hears of
    them from the first on."""

    def __init__(self, number, path, name, on_event=None, watch=False, quiet=False):
        self.number, self.path, self.name, self.on_event = number, path, name, on_event
        self.watch = watch
        self.quiet = quiet
        self.count = 0  # texts
        self.next_id = 0
        self.last_seq = 0 if watch else None
        self.reads = True
        self.too_long = False  # a line was
        self.excused = False  # the daemon may end the connection
        self.socket = None
        self.attach()

    def attach(self):
        """Comes, or comes again."""
        self.order = collections.deque()  # ids whose answers are due, in order
        self.past = set()  # ids of questions about the past
        self.asked = {}  # (method, params, then) by id
        self.pending = self.out = b""
        self.ended = False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.setblocking(False)
        try:
            self.socket.connect(str(self.path))
        except OSError:  # the next process is not there yet
            self.socket.close()
            self.ended = True
            return
        self.ask("hello", {"name": self.name} | ({"quiet": True} if self.quiet else {}))
        if self.on_event is not None:
            since = {} if self.last_seq is None else {"since": self.last_seq}
            self.ask("subscribe", {"watch": self.watch} | since)

    def ask(self, method, params=None, then=lambda result, error: None):
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params or {}}
        self.asked[self.next_id] = (method, params, then)
        if method in PAST:
            self.past.add(self.next_id)
        else:
            self.order.append(self.next_id)
        self.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")

    def say_too_much(self):
        """A line that ends the connection."""
        self.excused = self.too_long = True
        self.write(b"x" * (1 << 20) + b"x\n")

    def say_garbage(self, data):
        """A line to which an error without an id is the answer."""
        self.order.append(None)
        self.write(data)

    def write(self, data):
        self.out += data
        self.flush()

    @property
    def has_to_write(self):
        return bool(self.out)

    def flush(self):
        if self.ended:
            return
        try:
            while self.out:
                self.out = self.out[self.socket.send(self.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self._read_rest()

    def text(self, dice, size):
        self.count += 1
        letters = dice.choice(("x", "y z", "é", "€", "a\nb"))
        return f"[o{self.number}.{self.count}:{(letters * size)[:size]}]"

    # What comes.

    def read(self):
        if self.ended or not self.reads:
            return
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
            self.socket.close()
            return
        self._take(data)

    def _read_rest(self):
        """The connection takes no more; what came before the end counts."""
        while not self.ended and self.reads:
            before = len(self.pending)
            self.read()
            if not self.ended and len(self.pending) == before:
                break
        if not self.ended:
            self.ended = True
            self.socket.close()

    def _take(self, data):
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "method" in message:
                self._event(message["method"], message["params"])
            else:
                self._answer(message)

    def _event(self, method, event):
        require(self.on_event is not None, self, "has not subscribed and hears", event)
        if method == "writing":
            require("seq" not in event and not self.watch, self, "hears of", event)
            return
        if self.last_seq is not None:
            require(event["seq"] > self.last_seq, self, "hears twice:", event, self.last_seq)
            whole = event["seq"] == self.last_seq + (event["lost"] if method == "lagged" else 1)
            require(whole, self, "after", self.last_seq, "hears", event)
        self.last_seq = event["seq"]
        self.on_event(method, event)

    def _answer(self, message):
        number = message.get("id")
        if number in self.past:
            self.past.remove(number)
        else:
            if number is None and self.too_long:
                # The error of the line that was too long comes before the answers that are due,
                # and looks like that of garbage.
                if self.order and self.order[0] is None:
                    self.order.popleft()
                return
            require(self.order and self.order[0] == number,
                    self, "waits for", list(self.order)[:3], "and gets", message)  # fmt: skip
            self.order.popleft()
        if number is None:
            require("error" in message, self, "garbage is taken:", message)
            return
        method, params, then = self.asked.pop(number)
        error = message.get("error")
        if error is not None:
            right = error["code"] == -32601 if method == UNKNOWN else error["code"] in ERRORS
            require(right and error["message"], method, str(params)[:300], message)
        if method == "stats" and error is None:
            check_stats(message["result"])
        if method == "subscribe" and error is None and self.last_seq is None:
            self.last_seq = message["result"]["seq"]
        then(message.get("result"), error)

    def leave(self):
        self.excused = True
        if not self.ended:
            self.socket.close()
            self.ended = True

    def __str__(self):
        return f"operator {self.number} ({self.name})"
