"""doc/protocol.md is true of clients, too: what it shows of proxies, TLS, HTTP, WebSockets and the
visitor's page is replayed byte by byte. Each block begins with a daemon of its own, to which the
operator ann has attached."""

import codecs
import json
import re
import struct
import tomllib

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, connect, hand_over
from harness.certificates import Authority
from harness.protocol_page import PAGE, WRITE, Line, blocks, shape
from harness.web import BINARY, CLOSE, PING, PONG, TEXT, WebSocket

OPCODES = {"continuation": 0, "text": TEXT, "binary": BINARY, "ping": PING, "pong": PONG}
KINDS = {TEXT: "text", PING: "ping", PONG: "pong", CLOSE: "close"}
OPENING = """GET /chat HTTP/1.1
Host: localhost
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13
"""


def unescaped(quoted):
    """The bytes that stand between quotes, with \\r, \\n, \\xFF."""
    assert quoted.startswith('"') and quoted.endswith('"'), quoted
    text = quoted[1:-1].encode().decode("latin-1")
    return codecs.decode(text, "unicode_escape").encode("latin-1")


def quoted(data):
    return '"' + data.decode().replace("\n", "\\n") + '"'


class Wire(WebSocket):
    """The end of a client, line by line of the page."""

    def __init__(self, address, context=None):
        sock = connect(address)
        self.socket = context.wrap_socket(sock, server_hostname="localhost") if context else sock
        self.pending = b""
        self.fields = None  # of the answer whose lines are being compared
        self.body = b""

    def send_line(self, line):
        """What the client does, as the page has it."""
        word, _, rest = line.partition(" ")
        if line.startswith("{"):
            self.send(line)
        elif line.startswith('"'):
            self.socket.sendall(unescaped(line))
        elif word == "bytes":
            self.socket.sendall(bytes.fromhex(rest))
        elif word == "close":
            code, _, reason = rest.partition(" ")
            payload = struct.pack(">H", int(code)) if code else b""
            self.send_frame(CLOSE, payload + (unescaped(reason) if reason else b""))
        elif word in OPCODES:
            payload, more, _ = rest.partition(", and more follows")
            self.send_frame(OPCODES[word], unescaped(payload), final=not more)
        else:  # a line of a request
            self.socket.sendall(line.encode() + b"\r\n")

    def next(self, wanted):
        """What comes, written as the page writes what is wanted."""
        if wanted.startswith('"'):
            return '"' + repr(self.take(len(unescaped(wanted))))[2:-1] + '"'
        if wanted.startswith("HTTP/"):
            return self.answer_begins()
        if self.fields is not None:
            return self.answer_goes_on(wanted)
        if wanted == "end":
            return self.end()
        frame = self.receive_frame()
        if frame is None:
            return "end"
        opcode, payload = frame
        if opcode == TEXT and payload.startswith(b"{"):
            return payload.decode()
        if opcode != CLOSE:
            return f"{KINDS[opcode]} {quoted(payload)}"
        code = f" {struct.unpack('>H', payload[:2])[0]}" if payload else ""
        return "close" + code + (f" {quoted(payload[2:])}" if payload[2:] else "")

    def take(self, count):
        """So many bytes, or what there was before the end."""
        while len(self.pending) < count and (piece := self.socket.recv(65536)):
            self.pending += piece
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def answer_begins(self):
        while b"\r\n\r\n" not in self.pending:
            piece = self.socket.recv(65536)
            assert piece, f"end of file after {self.pending!r}"
            self.pending += piece
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        first, *self.fields = head.decode("latin-1").split("\r\n")
        return first

    def answer_goes_on(self, wanted):
        if wanted == "":
            self.fields = None
            return ""
        return wanted if wanted in self.fields else "\n".join(self.fields)

    def end(self):
        assert not self.pending, self.pending
        try:
            return "end" if self.socket.recv(1) == b"" else "more"
        except ConnectionResetError:
            return "end"


class Block:
    """One block of the page: the daemon, the operators and the clients."""

    def __init__(self):
        self.config = {"limits": FOR_ONE_ORIGIN, "listen": [{"address": "127.0.0.1", "port": 0}]}
        self.daemon = None
        self.authority = None
        self.people = {}
        self.tokens = {}  # those of the page, and what they are now

    # --- what happens ---

    def has_key(self, name, value):
        for key, table in tomllib.loads(f"{name} = {value}").items():
            self.config[key] = self.config.get(key, {}) | table

    def listener_has(self, name, value):
        self.config["listen"][0] |= tomllib.loads(f"{name} = {value}")

    def listener_has_certificate(self):
        self.authority = Authority()
        self.config["listen"][0] |= self.authority.listener()

    def connects(self, name):
        self.people[name] = Wire(self.daemon.address)

    def connects_by_tls(self, name):
        self.people[name] = Wire(self.daemon.address, self.authority.client())

    def opens(self, name, more=""):
        self.connects(name)
        for line in (OPENING + more).split("\n"):
            self.people[name].send_line(line)
        assert self.people[name].answer_begins() == "HTTP/1.1 101 Switching Protocols"
        self.people[name].fields = None

    def opens_for_pages(self, name):
        self.opens(name, "Sec-WebSocket-Protocol: chat.chatd.v1\n")

    def closes(self, name):
        self.people.pop(name).close()

    def closes_sending(self, name):
        self.people[name].socket.shutdown(1)

    def hands_over(self):
        operators = [name for name, each in self.people.items() if isinstance(each, Line)]
        for name in operators:
            self.people.pop(name).close()
        hand_over(self.daemon)
        for name in operators:
            self.operator(name)

    def stops(self):
        self.daemon.send_signal(15)

    BEFORE = [
        (r"(\w+\.\w+) = (.*)", has_key),
        (r"the listener has (\w+) = (.*)", listener_has),
        (r"the listener has a certificate", listener_has_certificate),
    ]
    ACTIONS = [
        (r"(\w+) connects", connects),
        (r"(\w+) connects by TLS", connects_by_tls),
        (r"(\w+) opens a WebSocket", opens),
        (r"(\w+) opens a WebSocket for chat\.chatd\.v1", opens_for_pages),
        (r"(\w+) closes the connection", closes),
        (r"(\w+) closes its sending side", closes_sending),
        (r"another process takes over", hands_over),
        (r"the daemon is stopped", stops),
    ]

    def act(self, what):
        for pattern, action in self.BEFORE if self.daemon is None else self.ACTIONS:
            if match := re.fullmatch(pattern, what):
                return action(self, *match.groups())
        if self.daemon is None:
            self.begin()
            return self.act(what)
        raise AssertionError(f"the page says what this test cannot do: {what}")

    def begin(self):
        self.daemon = Daemon(self.config)
        self.operator("ann")

    def operator(self, name):
        if name not in self.people:
            self.people[name] = Line(self.daemon)
            for method, params in ("hello", {"name": name}), ("subscribe", {}):
                request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
                self.people[name].send(json.dumps(request))
                while '"id":0' not in self.people[name].line():
                    pass
        return self.people[name]

    # --- lines ---

    def play(self, line):
        """Does what the line says; returns it as it happened."""
        if line.startswith("# "):
            self.act(line[2:])
            return line
        match = re.fullmatch(r"(\w+)([<>]) ?(.*)", line)
        assert match, "what is this?"
        name, way, what = match.groups()
        what = re.sub(r'(?<="resume":")\w+', lambda it: self.tokens.get(it[0], it[0]), what)
        if name in ("ann", "bob"):
            who = self.operator(name)
            came = who.send(what) if way == ">" else who.expect(what, answers=True)
        else:
            who = self.people[name]
            came = who.send_line(what) if way == ">" else self.compare(who.next(what), what)
        return f"{name}{way} {came or what}".rstrip()

    def compare(self, came, wanted):
        here, there = (re.findall(r'"resume":"(\w+)"', each) for each in (wanted, came))
        if here and there:
            self.tokens[here[0]] = there[0]
            wanted = wanted.replace(here[0], there[0])
        if not WRITE:
            assert shape(came) == shape(wanted), f"it is\n{came}"
        return came

    def end(self, failed):
        for each in self.people.values():
            each.close()
        if failed:
            self.daemon and self.daemon.kill()
        elif self.daemon.process.poll() is None:
            self.daemon.stop()
        else:
            self.daemon.check_end()
        if self.authority:
            self.authority.folder.cleanup()


LINES = PAGE.read_text().split("\n")
BLOCKS = list(blocks(LINES, "wire"))


def heading_of(block):
    """The heading that the block stands under, and its line."""
    headings = [line for line in LINES[: block[0]] if line.startswith(("## ", "### "))]
    return f"{headings[-1].strip('# ')}, line {block[0]}"


@pytest.mark.parametrize("block", BLOCKS, ids=heading_of)
def test_what_the_page_shows_of_clients_happens_as_written(block):
    stage = Block()
    failed = True
    try:
        for number in block:
            try:
                LINES[number] = stage.play(LINES[number])
            except (AssertionError, OSError) as error:
                where = f"{PAGE.name}:{number + 1}: {LINES[number]}"
                raise AssertionError(f"{where}\n{error}") from error
        failed = False
    finally:
        stage.end(failed)
    if WRITE:
        PAGE.write_text("\n".join(LINES))
