"""An operator: JSON-RPC over the control socket, as doc/protocol.md defines it. Knows the
protocol, not the daemon behind it."""

import collections
import json
import socket
import threading
import time

from harness.clients import connect
from harness.waiting import GUARD, wait_until


class RpcError(Exception):
    """The daemon refused a call."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]


class Operator:
    """An operator on the control socket. A thread reads all the time, so the daemon
    never has a reason to detach it; events wait here until a test asks for them.

    `subscribe`: True for events from now on, a number for `since`, False for none."""

    def __init__(self, path, name=None, subscribe=True, hello=True):
        self.socket = connect(str(path))
        self.socket.settimeout(None)
        self.events = []  # every event so far
        self.unread = collections.deque()  # those that no wait has taken
        self.answers = {}
        self.strays = []  # answers that belong to no call of ours
        self.ended = False
        self.next_id = 0
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            if hello:
                self.welcome = self.call("hello", **({} if name is None else {"name": name}))
                self.name = self.welcome["operator"]
            if subscribe is True:
                self.call("subscribe")
            elif subscribe is not False:
                self.call("subscribe", since=subscribe)
        except BaseException:
            self.close()
            raise

    def _read(self):
        with self.socket.makefile("rb") as lines:
            try:
                for line in lines:
                    if line.endswith(b"\n"):  # Else it was cut off by the end.
                        self._take(json.loads(line))
            except OSError:
                pass
        try:  # The daemon has closed its side, and waits for us to close ours.
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _take(self, message):
        with self.changed:
            if "method" in message:
                event = {"method": message["method"], **message["params"]}
                self.events.append(event)
                self.unread.append(event)
            elif isinstance(message.get("id"), int):
                self.answers[message["id"]] = message
            else:
                self.strays.append(message)
            self.changed.notify_all()

    def _wait(self, condition, what, timeout):
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                value = condition()
                if value is not None:
                    return value
                assert not self.ended, f"the control connection ended, waiting for {what}"
                left = deadline - time.monotonic()
                assert left > 0, f"no {what}; the last events: {self.events[-8:]}"
                self.changed.wait(left)

    def send_raw(self, data):
        self.socket.sendall(data)

    def begin(self, method, /, **params):
        """Sends a request and returns its id without waiting for the answer."""
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        self.send_raw(json.dumps(request).encode() + b"\n")
        return self.next_id

    def finish(self, request_id, timeout=GUARD):
        """The result of that request; a refusal is raised as RpcError."""
        answer = self._wait(
            lambda: self.answers.pop(request_id, None), f"answer {request_id}", timeout
        )
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def call(self, method, /, **params):
        return self.finish(self.begin(method, **params))

    def wait_event(self, method, /, timeout=GUARD, **fields):
        """Waits for an event of that name with those fields. Each event is returned once; those
        that do not match are kept for later waits."""

        def find():
            for event in self.unread:
                if event["method"] == method and all(
                    event.get(key) == value for key, value in fields.items()
                ):
                    self.unread.remove(event)
                    return event
            return None

        return self._wait(find, f"event {method} {fields}", timeout)

    def next_event(self, timeout=GUARD):
        """Waits for the next event that no wait has returned, whatever it is."""
        return self._wait(lambda: self.unread.popleft() if self.unread else None, "event", timeout)

    def wait_end(self, timeout=GUARD):
        """Waits until the daemon has closed this connection."""
        wait_until(lambda: self.ended, "the daemon closes the control connection", timeout)

    def events_of(self, method, /, **fields):
        """Every event so far with that name and those fields."""
        with self.changed:
            return [
                event
                for event in self.events
                if event["method"] == method
                and all(event.get(key) == value for key, value in fields.items())
            ]

    def session_of(self, client):
        """The session id of a Client or an OriginalClient that just connected."""
        return self.wait_event("connected", address=client.address)["session"]

    def session(self, session_id):
        """What `sessions` says about that session; None if it has ended."""
        for entry in self.call("sessions"):
            if entry["session"] == session_id:
                return entry
        return None

    def recorded(self):
        """How many events are in the transcript, of those of this daemon."""
        return self.call("stats")["recorded"]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawControl:
    """The control connection as bytes, for input that an Operator would not send."""

    def __init__(self, daemon):
        self.socket = connect(str(daemon.control_path))
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        line = self.lines.readline()
        assert line.endswith(b"\n"), f"the connection ended: {line!r}"
        return json.loads(line)

    def ask(self, data):
        self.send(data)
        return self.answer()

    def expect_end(self):
        try:
            assert self.lines.read() == b""
        except ConnectionResetError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()


def code_of(answer):
    assert answer["jsonrpc"] == "2.0"
    assert isinstance(answer["error"]["message"], str) and answer["error"]["message"]
    return answer["error"]["code"]
