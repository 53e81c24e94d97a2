"""doc/protocol.md is true: every exchange in it is replayed against the daemon, and every
method and event that the daemon knows is in one.

With CHATD_PROTOCOL_WRITE=1 the page is written anew with what came. A new exchange may
have `?` there for the next answer, and `?NAME` for the next event of that name."""

import codecs
import json
import re
import sqlite3

from harness import REPOSITORY, Client, Daemon, wait_until
from harness.protocol_page import PAGE, WRITE, Line, blocks


class Stage:
    """The daemon, clients and operators of the page's exchanges, which come in its order."""

    def __init__(self):
        self.daemon = None
        self.begin()

    def begin(self, **config):
        if self.daemon is not None:
            self.end()
        self.operators = {}
        self.clients = {}
        self.lock = None
        # The page says what happens; nothing else may happen by itself.
        self.config = {
            "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
            "transcript": {"path": "@HOME@/transcript.db"},
            "session": {"original_hold": "0s"},
        } | config
        self.daemon = Daemon(self.config)

    def end(self, stopped=False):
        for each in [*self.operators.values(), *self.clients.values()]:
            each.close()
        if stopped:
            self.daemon.check_end()
        else:
            self.daemon.stop()

    def operator(self, name):
        if name not in self.operators:
            self.operators[name] = Line(self.daemon)
        return self.operators[name]

    def act(self, what):
        for pattern, action in self.ACTIONS:
            match = re.fullmatch(pattern, what)
            if match:
                action(self, *match.groups())
                return
        raise AssertionError(f"the page says what this test cannot do: {what}")

    def connects(self, number):
        # Who is silent is announced a second later, and says no more what it could have said at once.
        self.clients[number] = Client(self.daemon.address)

    def stats(self):
        """Asks as an operator who is not announced, which would change the page's numbers."""
        operator = Line(self.daemon)
        operator.send('{"jsonrpc":"2.0","id":1,"method":"stats"}')
        answer = json.loads(operator.file.readline())
        operator.close()
        return answer["result"]

    def says(self, number, text):
        self.clients[number].send(codecs.decode(text, "unicode_escape").encode())

    def floods(self, number):
        self.clients[number].send((b"x" * 1000 + b"\n") * 3000)
        wait_until(lambda: self.stats()["messages_in"] == 3000, "all was heard")

    def closes_sending(self, number):
        self.clients[number].close_sending()

    def gets(self, number, text):
        self.clients[number].expect(codecs.decode(text, "unicode_escape").encode())

    def leaves(self, name):
        self.operators.pop(name).close()

    def configure(self, keys):
        text = self.daemon.home.config_path.read_text()
        for key, value in re.findall(r'(\w+\.\w+) = ("[^"]*"|\d+)', keys):
            table, name = key.split(".")
            text = re.sub(rf"(\[{table}\]\n(?:\w.*\n)*?){name} = .*\n", r"\1", text)
            text = text.replace(f"[{table}]\n", f"[{table}]\n{name} = {value}\n")
        self.daemon.home.config_path.write_text(text)

    def lock_transcript(self):
        self.lock = sqlite3.connect(self.daemon.home.path / "transcript.db", isolation_level=None)
        self.lock.execute("BEGIN IMMEDIATE")

    def unlock_transcript(self):
        self.lock.execute("ROLLBACK")
        self.lock.close()

    def without_transcripts(self):
        self.begin(transcript={"enabled": False})

    def with_room(self):
        self.begin(listen=[{"address": "127.0.0.1", "port": 0, "room": "lab"}])

    ACTIONS = [
        (r"client (\d+) connects", connects),
        (r'client (\d+) says "(.*)"', says),
        (r"client (\d+) says a thousand bytes, 3000 times", floods),
        (r'client (\d+) gets "(.*)"', gets),
        (r"client (\d+) closes its sending side", closes_sending),
        (r"(\w+) leaves", leaves),
        (r"the configuration gets (.*)", configure),
        (r"the transcript cannot be written", lock_transcript),
        (r"the transcript can be written", unlock_transcript),
        (r"another daemon, without transcripts", without_transcripts),
        (r"another daemon, with a room", with_room),
    ]


def exchanges(lines):
    """The line numbers of the exchanges."""
    return [number for block in blocks(lines, "exchange") for number in block]


def test_every_exchange_of_the_page_happens_as_written():
    lines = PAGE.read_text().split("\n")
    stage = Stage()
    try:
        for number in exchanges(lines):
            line = lines[number]
            try:
                if line.startswith("# "):
                    stage.act(line[2:])
                elif match := re.fullmatch(r"(\w+)> (.*)", line):
                    stage.operator(match.group(1)).send(match.group(2))
                elif match := re.fullmatch(r"(\w+)< (.*)", line):
                    came = stage.operator(match.group(1)).expect(match.group(2))
                    lines[number] = f"{match.group(1)}< {came}"
                else:
                    raise AssertionError("what is this?")
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"{PAGE.name}:{number + 1}: {line}\n{error}") from error
    except BaseException:
        stage.daemon.kill()
        raise
    stage.end(stopped=True)
    if WRITE:
        PAGE.write_text("\n".join(lines))


def known(files, pattern):
    """What the pattern finds in the daemon's source."""
    text = "".join(path.read_text() for path in sorted((REPOSITORY / "daemon").glob(files)))
    found = re.findall(pattern, text)
    assert found, f"{files} does not look as it did"
    return found


def test_the_page_has_every_method_and_every_event():
    lines = PAGE.read_text().split("\n")
    asked, done, heard = {}, set(), []
    for number in exchanges(lines):
        match = re.fullmatch(r"(\w+)([<>]) (\{.*)", lines[number])
        if match is None:
            continue
        document = json.loads(match.group(3))
        if match.group(2) == ">":
            asked[match.group(1), document["id"]] = document["method"]
        elif "result" in document:
            done.add(asked[match.group(1), document["id"]])
        elif "method" in document:
            heard.append(document)
    methods = known("operators/requests.cpp", r'Method\{"(\w+)", ask_')
    assert len(methods) > 18 and set(methods) == done
    rows = known("base/event_kinds.hpp", r'EventWord\{EventKind::\w+,\s*"(\w+)",\s*"([^"]*)"')
    members = {word: text.split() for word, text in rows}
    assert len(members) > 12 and members.keys() == {event["method"] for event in heard}
    for event in heard:
        row = members[event["method"]]
        has = event["params"].keys() - {"seq", "time"}
        assert has <= {member.rstrip("?") for member in row}, event
        assert has >= {member for member in row if not member.endswith("?")}, event
