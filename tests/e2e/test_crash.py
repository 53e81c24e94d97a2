"""SIGKILL at any moment, under load: the transcript opens again with all that was
confirmed, and no number comes twice. 25 times; 200 times with CHATD_TEST_LONG=1."""

import random
import sqlite3
import threading
import time

from harness import LONG, Daemon, Home, scaled

CRASHES = 200 if LONG else scaled(25)
CONFIG = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}


class Talk:
    """Clients who come, talk and go, until the daemon has gone."""

    def __init__(self, daemon, count=4):
        self.daemon = daemon
        self.threads = [threading.Thread(target=self._talk, args=(n,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def _talk(self, who):
        try:
            while True:
                with self.daemon.client() as client:
                    for i in range(50):
                        client.send(b"client %d says %d\n" % (who, i))
                        time.sleep(0.0005)
                    client.send(b"bye\n")
                    client.take_all()
        except (OSError, AssertionError):
            pass

    def join(self):
        for thread in self.threads:
            thread.join()


def check_file(path):
    """Asserts that the file is whole, with its index of words."""
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        database.rollback()
    database.close()


def test_killed_at_any_moment_it_has_what_it_confirmed():
    home = Home()
    numbers = random.Random(CRASHES)
    confirmed = {}  # messages by number, as history told of them
    last_seq = last_session = 0
    path = home.path / "chatd" / "transcript.db"
    try:
        for crash in range(CRASHES):
            daemon = Daemon(CONFIG, home=home)
            operator = daemon.operator(name="anna")
            assert operator.welcome["seq"] > last_seq
            talk = Talk(daemon)
            deadline = time.monotonic() + numbers.uniform(0, 0.3)
            first = operator.welcome["seq"]
            recorded = []  # what the operator heard and the daemon says that it has
            while True:
                for message in operator.call("history", limit=20)["messages"]:
                    confirmed[message["seq"]] = message["text"]
                recorded.append(operator.recorded())
                if time.monotonic() >= deadline:
                    break
            daemon.kill()
            talk.join()
            events = operator.events
            if events:
                assert events[0]["seq"] > last_seq
                last_seq = max(last_seq, events[-1]["seq"])
            sessions = [e["session"] for e in events if e["method"] == "connected"]
            assert all(session > last_session for session in sessions)
            assert sessions == sorted(set(sessions))
            last_session = max([last_session, *sessions])
            check_file(path)
            with sqlite3.connect(path) as database:
                rows = database.execute(
                    "SELECT seq FROM events WHERE seq >= ? ORDER BY seq", (first,)
                ).fetchall()
                # There is no gap, and nothing is missing that it confirmed.
                assert [row[0] for row in rows] == list(range(first, first + len(rows)))
                assert len(rows) >= recorded[-1] - 1
            database.close()
        with Daemon(CONFIG, home=home) as daemon:
            operator = daemon.operator()
            known, before = {}, None
            while True:
                page = operator.call(
                    "history", limit=1000, **({"before": before} if before else {})
                )
                known |= {m["seq"]: m["text"] for m in page["messages"]}
                if not page["more"]:
                    break
                before = page["messages"][0]["seq"]
            assert confirmed.items() <= known.items()
            assert len(confirmed) > CRASHES
    finally:
        home.remove()
