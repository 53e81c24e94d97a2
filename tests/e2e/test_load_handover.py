"""500 clients that talk all the time while the process is replaced again and again: the
ledgers of both ends agree to the byte. CHATD_HANDOVERS says how often (50)."""

import json
import os
import selectors
import signal
import socket
import threading

import pytest

from harness import scaled, wait_until
from harness.clients import connect
from harness.managers import Manager

HANDOVERS = int(os.environ.get("CHATD_HANDOVERS", scaled(50)))
CLIENTS = 500


class Herd(threading.Thread):
    """Each client says a line, waits for its answer, says the next one, until it is told
    that it is enough; anything but that answer is an error, and named."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address = address
        self.enough = threading.Event()
        self.errors = []
        self.said = [0] * CLIENTS
        self.sockets = []

    def line(self, number):
        return f"client {number} line {self.said[number]} " + "x" * (self.said[number] % 200)

    def say(self, number):
        self.said[number] += 1
        data = self.line(number).encode() + b"\n"
        # In two parts, so that messages are cut by a hand-over.
        self.sockets[number].sendall(data[:9])
        self.sockets[number].sendall(data[9:])

    def run(self):
        waiting = {}
        with selectors.DefaultSelector() as selector:
            for number in range(CLIENTS):
                client = connect(self.address, source=f"127.0.0.{number // 60 + 1}")
                self.sockets.append(client)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(client, selectors.EVENT_READ, number)
                self.say(number)
                waiting[number] = b""
            while waiting:
                ready = selector.select(60)
                if not ready:
                    self.errors.append(f"nothing more came; {len(waiting)} wait")
                for key, _ in ready:
                    number = key.data
                    try:
                        data = key.fileobj.recv(65536)
                    except OSError as error:
                        data = repr(error).encode()
                    waiting[number] = waiting.get(number, b"") + data
                    expected = f"re: {self.line(number)}\n".encode()
                    if not data or not expected.startswith(waiting[number]):
                        self.errors.append(f"{number} got {waiting[number]!r}, not {expected!r}")
                    elif waiting[number] != expected:
                        continue
                    elif not self.enough.is_set():
                        waiting[number] = b""
                        self.say(number)
                        continue
                    del waiting[number]
                    if self.errors:
                        return
                if self.errors:
                    return


class Answerer(threading.Thread):
    """An operator who answers each message once, attaches again when the process is
    another, and goes on from where it was. What it had asked for is known from the events:
    an answer that was sent is a `sent` event."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = str(path)
        self.seq = 0
        self.heard = {}  # by session
        self.answered = 0
        self.open = {}  # by session, the message that waits for its answer
        self.attached = 0
        self.errors = []
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            try:
                with connect(self.path) as control:
                    self.attached += 1
                    self.attend(control)
            except (ConnectionError, FileNotFoundError):
                pass

    def attend(self, control):
        upto = None
        request = {"jsonrpc": "2.0", "id": 0, "method": "subscribe", "params": {"since": self.seq}}
        control.sendall(json.dumps(request).encode() + b"\n")
        pending = b""
        while not self.stopped.is_set():
            data = control.recv(1 << 20)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            fresh = []
            for line in lines:
                message = json.loads(line)
                if message.get("id") == 0:
                    upto = message["result"]["seq"]
                elif "method" in message:
                    self.take(message["method"], message["params"], fresh)
                elif "error" in message or len(message["result"]["delivered"]) != 1:
                    self.errors.append(message)
            if upto is None or self.seq < upto:
                continue
            if upto >= 0:  # all is known of what was before
                fresh = list(self.open)
                upto = -1
            out = b""
            for session in fresh:
                params = {"to": session, "text": "re: " + self.open[session]}
                call = {"jsonrpc": "2.0", "id": 1, "method": "send", "params": params}
                out += json.dumps(call).encode() + b"\n"
            control.sendall(out)

    def take(self, method, event, fresh):
        if event["seq"] != self.seq + 1 or method == "lagged":
            self.errors.append(f"{method} {event} after {self.seq}")
        self.seq = event["seq"]
        session = event.get("session")
        if method == "message":
            heard = self.heard.setdefault(session, [])
            heard.append(event["text"].split()[3])
            self.open[session] = event["text"]
            fresh.append(session)
        elif method == "sent":
            if event["text"] != "re: " + self.open.pop(session):
                self.errors.append(f"{event} was not asked for")
            self.answered += 1
        elif method == "disconnected":
            self.errors.append(f"{event}")


class SignalUser2:
    """The same process, another program."""

    def __init__(self):
        self.manager = Manager()
        self.daemon = None

    def next(self):
        before = len(self.daemon.log())
        self.daemon.send_signal(signal.SIGUSR2)
        wait_until(
            lambda: "listening on" in self.daemon.log()[before:], "the new process serves"
        )


class Restart:
    """Another process, after `systemctl restart`."""

    def __init__(self):
        self.manager = Manager(store=1024, job="restart")
        self.daemon = None

    def next(self):
        self.daemon.stop()
        self.daemon = self.manager.start()


@pytest.mark.parametrize("way", [SignalUser2, Restart])
@pytest.mark.parametrize("transcripts", [True, False])
def test_nobody_notices(way, transcripts):
    config = {
        "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
        "session": {"settle": "10s"},
        "transcript": {"enabled": transcripts},
    }
    chat = way()
    with chat.manager as manager:
        chat.daemon = manager.start(config)
        herd = Herd(chat.daemon.address)
        answerer = Answerer(chat.daemon.control_path)
        try:
            answerer.start()
            herd.start()
            wait_until(lambda: min(herd.said[:CLIENTS]) > 1 or herd.errors, "all are served")
            for _ in range(HANDOVERS):
                said = sum(herd.said)
                chat.next()
                wait_until(
                    lambda: sum(herd.said) > said + CLIENTS or herd.errors or answerer.errors,
                    "they talk on",
                )
            herd.enough.set()
            herd.join(60)
            assert not herd.is_alive()
            assert (herd.errors, answerer.errors) == ([], [])
            total = sum(herd.said)
            wait_until(lambda: answerer.answered == total, "all is known")
            # Each client's lines once and in order, and nobody has come or gone.
            assert sorted(answerer.heard) == list(range(1, CLIENTS + 1))
            assert sorted(map(len, answerer.heard.values())) == sorted(herd.said)
            for heard in answerer.heard.values():
                assert heard == [str(number) for number in range(1, len(heard) + 1)]
            stats = chat.daemon.operator().call("stats")
            assert stats["messages_in"] == stats["messages_out"] == stats["delivered"] == total
            assert (stats["held"], stats["lost"], stats["sessions"]) == (0, 0, CLIENTS)
            if transcripts:
                assert stats["recording_lost"] == 0
            operator = chat.daemon.operator()
            with chat.daemon.client() as late:
                assert operator.session_of(late) == CLIENTS + 1
        finally:
            answerer.stopped.set()
            for client in herd.sockets:
                client.close()
            if chat.daemon.alive():
                chat.daemon.stop()
        answerer.join(60)
