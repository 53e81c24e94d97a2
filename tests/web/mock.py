#!/usr/bin/env python3
"""A daemon for the tests of the visitor's page, and for trying the page without one: serves
web/ with the daemon's headers and speaks chat.chatd.v1, badly if it is told to.

    mock.py            serves until standard input ends; tells what happens in lines of JSON

Standard input takes commands, one JSON object a line: {"do": NAME, ...}. Each is answered by
{"done": NAME, ...} after it has been carried out. The commands are the methods `do_NAME` of
Mock. A second server, on a port of its own and so another origin, is somebody's site with
the widget on it. It uses the standard library alone, and binds to loopback, ports 0.
"""

import asyncio
import base64
import hashlib
import json
import re
import secrets
import struct
import sys
from datetime import datetime, timezone
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
PROTOCOL = "chat.chatd.v1"


def packed(path):
    """The file as the daemon embeds it: without lines that are comments, and indentation."""
    text = path.read_text()
    if path.suffix == ".js":
        text = re.sub(r"(?m)^ *//.*\n", "", text)
    if path.suffix in (".js", ".css", ".html"):
        text = re.sub(r"(?m)^ +", "", text)
    return text.encode()


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tell(**what):
    print(json.dumps(what), flush=True)


class Session:
    """What the daemon remembers of one visitor."""

    def __init__(self):
        self.token = secrets.token_hex(8)
        self.seq = 0
        self.messages = []  # all frames of type message, the visitor's own included
        self.taken = {}  # id: frame
        self.connection = None

    def record(self, **message):
        self.seq += 2  # with gaps
        message = {"type": "message", "seq": self.seq, "time": now(), **message}
        self.messages.append(message)
        return message


class Connection:
    """One WebSocket: frames in and out, no extensions."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        self.session = None
        self.open = True

    def send(self, frame):
        self.send_raw(1, json.dumps(frame, ensure_ascii=False).encode())

    def send_raw(self, opcode, payload):
        if not self.open:
            return
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([size])
        elif size < 65536:
            head += b"\x7e" + struct.pack("!H", size)
        else:
            head += b"\x7f" + struct.pack("!Q", size)
        self.writer.write(head + payload)

    def close(self, code, reason=""):
        self.send_raw(8, struct.pack("!H", code) + reason.encode())
        self.open = False

    def cut(self):
        self.open = False
        self.writer.transport.abort()

    async def message(self):
        """The next text, or None at the end."""
        whole = b""
        while True:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            mask = await self.reader.readexactly(4)
            data = await self.reader.readexactly(size)
            data = (int.from_bytes(data, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big")).to_bytes(size, "big")
            opcode = first & 0x0F
            if opcode == 8:
                self.send_raw(8, data[:2])
                return None
            if opcode == 9:
                self.send_raw(10, data)
            elif opcode in (0, 1):
                whole += data
                if first & 0x80:
                    return whole.decode()


class Mock:
    def __init__(self):
        self.sessions = {}
        self.connections = []
        self.requests = []
        self.server = None
        self.port = 0
        self.site_port = 0
        self.settings = {}
        self.packed = True
        self.welcome = {}  # members that the next welcomes have besides
        self.deny = None  # (code, reason) for whoever connects
        self.cuts = []  # at which steps the connection is cut, once each
        self.refusal = None
        self.holding = False  # take no text, answer nothing
        self.silent = False  # answer no ping
        self.mute = False  # answer no hello
        self.away = None

    # ---- HTTP

    async def serve(self, reader, writer):
        try:
            await self.request(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def request(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields if f)}
        self.requests.append({"target": target, "origin": headers.get("origin"), "cookie": headers.get("cookie")})
        if headers.get("upgrade", "").lower() == "websocket" and target == "/chat":
            return await self.websocket(reader, writer, headers)
        path = target.split("?")[0]
        if path == "/settings.json":
            return self.answer(writer, method, 200, ".json", json.dumps(self.settings).encode(), headers)
        file = WEB / ("index.html" if path == "/" else path[1:])
        if "/" in path[1:] or not file.is_file():
            return self.answer(writer, method, 404, ".html", b"<!doctype html><title>404</title>", headers)
        body = packed(file) if self.packed else file.read_bytes()
        return self.answer(writer, method, 200, file.suffix, body, headers)

    def answer(self, writer, method, status, kind, body, headers):
        host = headers.get("host", "")
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'self' http://localhost:{self.site_port}"
        )
        self.write(writer, method, status, body, {
            "Content-Type": TYPES[kind],
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cache-Control": "no-cache",
        })

    @staticmethod
    def write(writer, method, status, body, fields):
        lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + (body if method == "GET" else b""))

    async def serve_site(self, reader, writer):
        """Somebody's site: /N is a page of it that loads the widget N times."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (OSError, asyncio.IncompleteReadError):
            return writer.close()
        path = head.split(" ")[1].split("?")[0]
        times = int(path[1:]) if path[1:].isdigit() else 0
        script = f'<script src="http://127.0.0.1:{self.port}/widget.js" async></script>\n'
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A site</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="icon" href="data:,"><main><h1>A site</h1><a href="/{times}">Next page</a></main>\n' + script * times
        )
        # As strict as a site can be that wants the widget at all.
        policy = (
            f"default-src 'none'; script-src http://127.0.0.1:{self.port}; "
            "frame-src http://127.0.0.1:*; img-src data:"
        )
        self.write(writer, "GET", 200, page.encode(), {"Content-Type": TYPES[".html"], "Content-Security-Policy": policy})
        writer.close()

    # ---- chat.chatd.v1

    async def websocket(self, reader, writer, headers):
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        writer.write((
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
        ).encode())
        connection = Connection(reader, writer)
        self.connections.append(connection)
        tell(event="open")
        if self.deny:
            connection.close(*self.deny)
        try:
            while (text := await connection.message()) is not None:
                if connection.open:
                    frame = json.loads(text)
                    tell(event="frame", frame=frame)
                    self.take(connection, frame)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            connection.open = False
            self.connections.remove(connection)
            if connection.session and connection.session.connection is connection:
                connection.session.connection = None
            tell(event="closed")

    def cut_at(self, connection, step):
        if step not in self.cuts:
            return False
        self.cuts.remove(step)
        connection.cut()
        return True

    def take(self, connection, frame):
        kind = frame["type"]
        if kind == "hello":
            self.hello(connection, frame)
        elif kind == "say" and not self.holding:
            self.say(connection, frame)
        elif kind == "ping" and not self.silent:
            connection.send({"type": "pong"})
        elif kind == "bye":
            self.sessions.pop(connection.session.token, None)
            connection.send({"type": "bye", "text": ""})
            connection.close(1000)

    def hello(self, connection, frame):
        if self.mute or self.cut_at(connection, "hello"):
            return
        session = self.sessions.get(frame.get("resume"))
        resumed = session is not None
        if not resumed:
            session = Session()
            self.sessions[session.token] = session
        elif session.connection:
            session.connection.close(4001, "the session goes on elsewhere")
        session.connection = connection
        connection.session = session
        connection.send({
            "type": "welcome", "resume": session.token, "resumed": resumed, "for": 600, "max_text": 65536, **self.welcome,
        })
        if self.cut_at(connection, "welcome"):
            return
        if self.away:
            connection.send({"type": "away", "text": self.away})
        for message in session.messages:
            if not resumed or message["seq"] > frame["seen"]:
                connection.send(message)
        tell(event="welcomed", resumed=resumed)

    def say(self, connection, frame):
        session = connection.session
        if self.cut_at(connection, "say"):
            return
        if self.refusal:
            connection.send({"type": "refused", "id": frame["id"], "reason": self.refusal})
            self.refusal = None
            return
        taken = session.taken.get(frame["id"])
        if not taken:
            message = session.record(**{"from": "visitor"}, id=frame["id"], text=frame["text"])
            taken = {"type": "taken", "id": frame["id"], "seq": message["seq"], "time": message["time"]}
            session.taken[frame["id"]] = taken
        if self.cut_at(connection, "taken"):
            return
        connection.send(taken)

    # ---- What a test tells it to do

    def live(self):
        return [connection for connection in self.connections if connection.session and connection.open]

    def do_set(self, **values):
        """Sets members of this object by their names."""
        for name, value in values.items():
            setattr(self, name, value)

    def do_say(self, text, times=1, **more):
        """An operator says it to all sessions, whether their pages are there or not."""
        for number in range(times):
            for session in self.sessions.values():
                message = session.record(**{"from": "operator", **more}, text=text.replace("{number}", str(number)))
                if session.connection:
                    session.connection.send(message)

    def do_tell(self, frame):
        """Sends a frame as it is."""
        for connection in self.live():
            connection.send(frame)

    def do_again(self):
        """Sends everything again, as a daemon with a fault might."""
        for connection in self.live():
            for message in connection.session.messages:
                connection.send(message)

    def do_close(self, code, reason=""):
        for connection in self.live():
            connection.close(code, reason)

    def do_cut(self):
        for connection in self.live():
            connection.cut()

    async def do_stop(self):
        self.server.close()
        for connection in list(self.connections):
            connection.cut()

    async def do_start(self, forget=False):
        if forget:
            self.sessions.clear()
        await self.listen()

    def do_state(self):
        return {
            "requests": self.requests,
            "open": len(self.live()),
            "sessions": [
                {"token": session.token, "said": [m["text"] for m in session.messages if m["from"] == "visitor"]}
                for session in self.sessions.values()
            ],
        }

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=2**20)
        self.port = self.server.sockets[0].getsockname()[1]


async def main():
    mock = Mock()
    await mock.listen()
    site = await asyncio.start_server(mock.serve_site, "127.0.0.1", 0)
    mock.site_port = site.sockets[0].getsockname()[1]
    tell(event="ready", page=f"http://127.0.0.1:{mock.port}/", site=f"http://localhost:{mock.site_port}/")
    commands = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command = json.loads(line)
        name = command.pop("do")
        result = getattr(mock, f"do_{name}")(**command)
        if asyncio.iscoroutine(result):
            result = await result
        tell(done=name, **(result or {}))


if __name__ == "__main__":
    asyncio.run(main())
