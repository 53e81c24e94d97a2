"""The tables of bench/search.sh: what a search takes among many messages, and what the index of
words costs. The messages are written as chatd 0.1.0 wrote them, so that any chatd takes them."""

import argparse
import json
import os
import socket
import sqlite3
import statistics
import time

from servers import Chatd

RARE = 977  # one message in so many has the same rare word
CLIENTS = 10
SPEAKER, SILENT = 4, CLIENTS + 1
CHINESE = 5  # one in so many is in Chinese, and ends with an emoji

TABLES = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, session INTEGER NOT NULL,
  kind INTEGER NOT NULL, state INTEGER NOT NULL, outcome INTEGER, ref INTEGER,
  operator TEXT, text TEXT, extra BLOB);
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'events', content_rowid = 'seq',
  columnsize = 0);
CREATE TABLE by_session (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE held (session INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (session, seq)) WITHOUT ROWID;
CREATE TABLE outcomes (seq INTEGER NOT NULL, session INTEGER NOT NULL,
  outcome INTEGER NOT NULL, PRIMARY KEY (seq, session)) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE bans (address TEXT PRIMARY KEY, until INTEGER, since INTEGER NOT NULL,
  operator TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 3;
"""
STEP = 8192  # events that 0.1.0 indexed together

QUESTIONS = [
    ("a word of every message", {"text": "common", "limit": 20}),
    ("two such words", {"text": "about common", "limit": 200}),
    ("a word of one in 977", {"text": "item400", "limit": 200}),
    ("that word, one session", {"text": "item400", "session": SPEAKER, "limit": 200}),
    ("a common word, of one who never said it", {"text": "common", "session": SILENT}),
    ("a word of none", {"text": "neverthere common"}),
    ("words that begin so", {"text": "ite*", "limit": 20}),
    ("two characters of Chinese", {"text": "快乐", "limit": 20}),
    ("an emoji", {"text": "🚀", "limit": 20}),
    ("64 words of every message", {"text": " ".join(["about", "common"] * 32), "limit": 20}),
    ("64 characters of Chinese, nowhere", {"text": "祝你们新年快乐" * 9 + "祝"}),
]


def text_of(number):
    text = f"line {number} is about item{number % RARE} and nothing common {number % 7}"
    return text + " 祝你们新年快乐🚀" if number % CHINESE == 0 else text


def fill(path, messages):
    """Returns the bytes of the index of 0.1.0, and the µs of CPU for each message in it."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(TABLES)
    now = int(time.time() * 1000)
    database.execute(
        "INSERT INTO events (seq, time, session, kind, state, text) VALUES (1, ?, ?, 1, 0, 'hello')",
        (now, SILENT),
    )
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO events (seq, time, session, kind, state, text) VALUES (?, ?, ?, 1, 0, ?)",
        ((n + 2, now, n // 100 % CLIENTS + 1, text_of(n)) for n in range(messages)),
    )
    database.execute("INSERT INTO by_session SELECT session, seq FROM events ORDER BY 1, 2")
    database.execute("COMMIT")
    before = time.thread_time()
    for begin in range(0, messages + 2, STEP):
        database.execute(
            "INSERT INTO words (rowid, text) SELECT seq, text FROM events"
            " WHERE seq > ? AND seq <= ?",
            (begin, begin + STEP),
        )
    took = time.thread_time() - before
    database.execute("INSERT INTO meta SELECT 'indexed', max(seq) FROM events")
    size = bytes_of(database)
    database.close()
    return size, took / messages * 1e6


def bytes_of(database):
    return database.execute("SELECT sum(length(block)) FROM words_data").fetchone()[0]


def worded(path):
    """How far the index of words has come; None where it needs no other one."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found = database.execute("SELECT value FROM meta WHERE name = 'worded'").fetchone()
    size = bytes_of(database)
    database.close()
    return found and found[0], size


def others_ns(pid):
    """The CPU time of all threads but the loop's."""
    spent = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            spent += int(file.read().split()[0]) if int(thread) != pid else 0
    return spent


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def ask(self, params):
        request = {"jsonrpc": "2.0", "id": 1, "method": "search", "params": params}
        began = time.monotonic()
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        return len(answer["result"]["messages"]), (time.monotonic() - began) * 1000


def measure(messages, rounds):
    with Chatd(transcripts=True) as server:
        path = server.folder / "transcript.db"
        server.stop()
        for file in server.folder.glob("transcript.db*"):
            file.unlink()
        size, cost = fill(path, messages)
        began = time.monotonic()
        server.start(server.command, server.listening)
        started = time.monotonic() - began
        control = Control(server.control)
        if worded(path)[0] is not None:
            print(f"\nThe start took {started * 1000:.0f} ms. Not one word was indexed then:\n")
            print("| question | found | ms | CPU ms |\n| --- | --: | --: | --: |")
            for name, params in QUESTIONS[:1] + QUESTIONS[5:6]:
                before = others_ns(server.pid)
                found, took = control.ask(params)
                cpu = (others_ns(server.pid) - before) / 1e6
                print(f"| {name} | {found} | {took:.1f} | {cpu:.1f} |")
            while worded(path)[0] < messages + 1:
                time.sleep(0.2)
            indexed = time.monotonic() - began
            time.sleep(1)  # its pieces are joined
            new_cost = others_ns(server.pid) / messages / 1000
            new_size = worded(path)[1]
            print(f"\nIndexing all took {indexed:.1f} s. The index of words, a message:\n")
            print("| | bytes | CPU µs |\n| --- | --: | --: |")
            print(f"| of 0.1.0 | {size / messages:.1f} | {cost:.2f} |")
            print(f"| now | {new_size / messages:.1f} | {new_cost:.2f} |")
        print(f"\n| among {messages:,} messages | found | p50 ms | max | CPU ms |")
        print("| --- | --: | --: | --: | --: |")
        for name, params in QUESTIONS:
            before = others_ns(server.pid)
            asked = [control.ask(params) for _ in range(rounds)]
            cpu = (others_ns(server.pid) - before) / rounds / 1e6
            took = sorted(ms for _, ms in asked)
            print(
                f"| {name} | {asked[0][0]} | {statistics.median(took):.2f} | {took[-1]:.2f}"
                f" | {cpu:.3f} |"
            )


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--messages", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=100)
    wish = arguments.parse_args()
    measure(wish.messages, wish.rounds)


main()
