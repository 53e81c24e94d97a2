"""The libraries by which programs speak WebSocket, Debian's of Python and of Node: a conversation,
in clear and within TLS, and the codes by which either side ends it."""

import json
import os
import shutil

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, hand_over
from harness.certificates import Authority
from harness.programs import Program
from harness.web import PAGE

PYTHON = """
import asyncio, json, sys
import websockets

async def main(url, protocols):
    def tell(**what):
        print(json.dumps(what), flush=True)

    async def hear():
        try:
            async for message in ws:
                tell(message=message)
        except websockets.ConnectionClosed:
            pass
        tell(closed=[ws.close_code, ws.close_reason])

    try:
        ws = await websockets.connect(url, subprotocols=protocols or None)
    except Exception as error:
        tell(refused=type(error).__name__)
        return
    tell(open=ws.subprotocol)
    hearing = asyncio.create_task(hear())
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():
        [(what, value)] = json.loads(line).items()
        if what in ("say", "parts"):
            await ws.send(value)
        elif what == "binary":
            await ws.send(value.encode())
        elif what == "ping":
            await (await ws.ping(value))
            tell(pong=value)
        elif what == "close":
            await ws.close(*value)
    await hearing

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"""

NODE = """
const { WebSocket } = require('ws');
const readline = require('readline');
const tell = what => process.stdout.write(JSON.stringify(what) + '\\n');
const ws = new WebSocket(process.argv[1], process.argv.slice(2));
ws.on('error', error => tell({ refused: error.name }));
ws.on('open', () => {
  tell({ open: ws.protocol || null });
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', line => {
    const [[what, value]] = Object.entries(JSON.parse(line));
    if (what === 'say') ws.send(value);
    else if (what === 'parts')
      value.forEach((part, i) => ws.send(part, { fin: i === value.length - 1 }));
    else if (what === 'binary') ws.send(Buffer.from(value));
    else if (what === 'ping') ws.ping(value);
    else if (what === 'close') ws.close(...value);
  });
});
ws.on('message', data => tell({ message: data.toString() }));
ws.on('pong', data => tell({ pong: data.toString() }));
ws.on('close', (code, reason) => {
  tell({ closed: [code, reason.toString()] });
  process.stdin.destroy();
});
"""

NODE_WS = "/usr/share/nodejs/ws"

LIBRARIES = [
    "python3-websockets",
    pytest.param(
        "node-ws",
        marks=pytest.mark.skipif(
            shutil.which("node") is None or not os.path.exists(NODE_WS),
            reason="node-ws is not installed, a runtime of `./test.sh all`",
        ),
    ),
]


@pytest.fixture
def daemon(authority):
    with Daemon({"limits": FOR_ONE_ORIGIN, "listen": [authority.listener()]}) as daemon:
        yield daemon


class Peer(Program):
    """A program of that library: it is told what to do, and says what it hears."""

    def __init__(self, library, daemon, authority, scheme="ws", protocols=()):
        url = f"{scheme}://{'localhost' if scheme == 'wss' else '127.0.0.1'}:{daemon.port}/chat"
        trusted = str(authority.certificate)
        if library == "node-ws":
            command = ["node", "-e", NODE, url, *protocols]
        else:
            command = ["/usr/bin/python3", "-c", PYTHON, url, *protocols]
        environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        environment |= {"SSL_CERT_FILE": trusted, "NODE_EXTRA_CA_CERTS": trusted}
        super().__init__(command, env=environment | {"NODE_PATH": "/usr/share/nodejs"})

    def do(self, what, value):
        self.say(json.dumps({what: value}))

    def hear(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def expect_heard(self, **what):
        heard = self.hear()
        assert heard == what, heard


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_conversation(daemon, authority, library, scheme):
    operator = daemon.operator()
    with Peer(library, daemon, authority, scheme) as peer:
        peer.expect_heard(open=None)
        session = operator.wait_event("connected")["session"]
        assert operator.session(session)["dialect"] == "websocket"
        assert operator.session(session).get("tls", "").startswith("TLSv1.3") == (scheme == "wss")
        for text in "hello", "schöne Grüße 🦊", "two\nlines", "x" * 8000:
            peer.do("say", text)
            assert operator.wait_event("message", session=session)["text"] == text
            operator.call("send", to=session, text=f"to {text}")
            peer.expect_heard(message=f"to {text}")
        peer.do("parts", ["in ", "three ", "parts"])
        operator.wait_event("message", session=session, text="in three parts")
        peer.do("ping", "there?")
        peer.expect_heard(pong="there?")
        operator.close()
        hand_over(daemon)
        operator = daemon.operator()
        operator.call("send", to=session, text="still here")
        peer.expect_heard(message="still here")
        peer.do("say", "so am I")
        operator.wait_event("message", session=session, text="so am I")
        peer.do("say", "bye")
        peer.expect_heard(closed=[1000, ""])
        operator.wait_event("disconnected", session=session, reason="bye")
        assert peer.finish() == ""


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_code_of_a_client_comes_back(daemon, authority, library, scheme):
    operator = daemon.operator()
    for code, reason in (1000, ""), (1000, "that is all"), (4321, "grüße"), (3000, "x" * 123):
        with Peer(library, daemon, authority, scheme) as peer:
            peer.expect_heard(open=None)
            peer.do("close", [code, reason])
            closed = peer.hear()["closed"]
            assert closed[0] == code, closed
            assert peer.finish() == ""
        assert operator.wait_event("disconnected")["reason"] == "left"


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_code_of_the_daemon_says_why(daemon, authority, library):
    operator = daemon.operator()

    def ended(how, *expected):
        with Peer(library, daemon, authority, "wss") as peer:
            peer.expect_heard(open=None)
            how(peer, operator.wait_event("connected")["session"])
            peer.expect_heard(closed=list(expected))
            assert peer.finish() == ""

    ended(lambda peer, session: operator.call("bye", session=session), 1000, "")
    ended(lambda peer, session: operator.call("kick", session=session), 1008, "kicked")
    ended(
        lambda peer, session: operator.call("kick", session=session, reason="enough"),
        1008, "kicked: enough",
    )  # fmt: skip
    for what, value, code in ("say", "x" * 9000, 1009), ("binary", "x", 1003):
        with Peer(library, daemon, authority) as peer:
            peer.expect_heard(open=None)
            peer.do(what, value)
            closed = peer.hear()["closed"]
            assert closed[0] == code and closed[1], closed
    with Peer(library, daemon, authority) as peer:
        peer.expect_heard(open=None)
        operator.close()
        daemon.stop()
        peer.expect_heard(closed=[1001, "the daemon stops"])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_program_may_speak_the_protocol_of_the_page(daemon, authority, library):
    operator = daemon.operator()
    with Peer(library, daemon, authority, "wss", ["unknown.protocol", PAGE]) as peer:
        peer.expect_heard(open=PAGE)
        peer.do("say", json.dumps({"type": "hello", "seen": 0}))
        welcome = json.loads(peer.hear()["message"])
        assert welcome["type"] == "welcome" and not welcome["resumed"]
        peer.do("say", json.dumps({"type": "say", "id": "1", "text": "hello"}))
        session = operator.wait_event("message", text="hello")["session"]
        assert json.loads(peer.hear()["message"])["type"] == "taken"
        operator.call("send", to=session, text="hi")
        assert json.loads(peer.hear()["message"])["text"] == "hi"
        peer.do("say", json.dumps({"type": "bye"}))
        assert json.loads(peer.hear()["message"])["type"] == "bye"
        peer.expect_heard(closed=[1000, ""])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_certificate_of_nobody_is_no_conversation(daemon, library):
    operator = daemon.operator()
    with Authority() as other, Peer(library, daemon, other, "wss") as peer:
        assert "refused" in peer.hear()
    assert operator.events == []
