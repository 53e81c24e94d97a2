"""A system bus on which there is only systemd, which can be asked for the job of a unit.
Knows only the part of D-Bus that this takes."""

import socket
import struct
import threading

UNIT = "/org/freedesktop/systemd1/unit/chatd_2eservice"
JOB = "/org/freedesktop/systemd1/job/7"
METHOD_CALL, METHOD_RETURN, ERROR = 1, 2, 3
REPLY_SERIAL, SENDER, SIGNATURE = 5, 7, 8


def pad(data, to):
    return data + b"\0" * (-len(data) % to)


def string(text):
    return struct.pack("<I", len(text)) + text.encode() + b"\0"


def signature(text):
    return struct.pack("<B", len(text)) + text.encode() + b"\0"


def message(kind, serial, reply_to, types, body):
    fields = b""
    for code, kind_of, value in (
        (REPLY_SERIAL, "u", struct.pack("<I", reply_to)),
        (SENDER, "s", string("org.freedesktop.systemd1")),
        (SIGNATURE, "g", signature(types)),
    ):
        fields = pad(fields, 8) + struct.pack("<B", code) + signature(kind_of)
        fields = (pad(fields, 4) if kind_of != "g" else fields) + value
    head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), serial, len(fields))
    return pad(head + fields, 8) + body


class Bus:
    """`job` is the unit's: "restart", "stop", ...; "": it has none; "deaf": the bus never
    answers."""

    def __init__(self, path, job):
        self.path = path
        self.job = job
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.connections = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            if self.job != "deaf":
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, connection.makefile("rb") as stream:
            stream.read(1)
            answers = {b"AUTH": b"DATA", b"DATA": b"OK " + b"0" * 32}
            while (line := stream.readline()) not in (b"BEGIN\r\n", b""):
                word = line.split()[0]
                connection.sendall(answers.get(word, b"ERROR") + b"\r\n")
            while head := stream.read(16):
                order, kind, _, _, size, serial, fields_size = struct.unpack("<cBBBIII", head)
                assert order == b"l"
                rest = stream.read((fields_size + 7) // 8 * 8 + size)
                if kind == METHOD_CALL:
                    types, body = self._answer(rest)
                    kind = METHOD_RETURN if types else ERROR
                    connection.sendall(message(kind, serial + 1000, serial, types or "s", body))

    def _answer(self, call):
        if b"\0Hello\0" in call:
            return "s", string(":1.1")
        if b"GetUnitByPID" in call:
            return "o", string(UNIT)
        if UNIT.encode() in call and b"\0Job\0" in call:
            value = pad(struct.pack("<I", 7 if self.job else 0), 4)
            return "v", pad(signature("(uo)"), 8) + value + string(JOB if self.job else "/")
        if JOB.encode() in call and b"JobType" in call:
            return "v", pad(signature("s"), 4) + string(self.job)
        return None, string("what?")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()
