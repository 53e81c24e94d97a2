"""The operators of a soak: JSON-RPC over the control socket, and a ledger of all that
they heard and were told. Knows clients by the address that events name."""

import collections
import json
import selectors
import socket

NO_SUCH_SESSION = 1
LIMIT = 4


class Operator:
    """One connection. `on_event` hears of every event; answers go to whoever asked."""

    def __init__(self, soak, path, since, on_event):
        self.soak = soak
        self.on_event = on_event
        self.pending = b""
        self.outgoing = b""
        self.next_id = 0
        self.asked = {}
        self.last_seq = since
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)
        soak.poll.register(self.socket, selectors.EVENT_READ, self.on_readable)
        self.ask("subscribe", {} if since is None else {"since": since})

    def ask(self, method, params=None, then=lambda result: None):
        self.next_id += 1
        self.asked[self.next_id] = then
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params or {}}
        self.outgoing += json.dumps(request).encode() + b"\n"
        self.flush()

    def flush(self):
        while self.outgoing:
            try:
                self.outgoing = self.outgoing[self.socket.send(self.outgoing) :]
            except BlockingIOError:
                return

    def on_readable(self):
        data = self.socket.recv(1 << 18)
        assert data, "the daemon has detached an operator who reads"
        *lines, self.pending = (self.pending + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "method" in message:
                self.take(message["method"], message["params"])
            else:
                then = self.asked.pop(message["id"])
                if "result" in message:
                    then(message["result"])
                else:  # They may have left while they were spoken to, or do not read.
                    assert message["error"]["code"] in (NO_SUCH_SESSION, LIMIT), message
        self.flush()

    def take(self, method, event):
        # Every event once and in order: that is the whole promise.
        assert method != "lagged", f"an operator who reads has missed {event}"
        if method == "writing":  # it has no number
            return
        if self.last_seq is not None:
            assert event["seq"] == self.last_seq + 1, f"{event} after {self.last_seq}"
        self.last_seq = event["seq"]
        self.on_event(method, event)

    def leave(self):
        self.soak.poll.unregister(self.socket)
        self.socket.close()


class Ledger:
    """What one operator who is always there heard, by session."""

    def __init__(self):
        self.session_of = {}  # by address, the last one
        self.heard = collections.Counter()  # messages
        self.last_number = {}
        self.told = collections.defaultdict(list)  # tokens that were taken, in order
        self.lost = collections.Counter()
        self.ended = {}  # reasons
        self.messages = 0

    def heard_of(self, address):
        """How many messages of the client that has this address."""
        return self.heard[self.session_of.get(address)]

    def on_event(self, method, event):
        session = event.get("session")
        if method == "connected":
            self.session_of[event["address"]] = session
        elif method == "message":
            self.messages += 1
            self.heard[session] += 1
            number = int(event["text"][1:].split()[0])
            assert number == self.heard[session], f"{event}: message {self.heard[session]} of it"
        elif method == "sent" and event["state"] != "lost":
            sessions = session if isinstance(session, list) else [session]
            for one in sessions:
                self.told[one].append(event["text"])
        elif method == "disconnected":
            self.ended[session] = event["reason"]
            self.lost[session] += event.get("lost", 0)
