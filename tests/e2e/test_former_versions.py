"""Sessions of a former version of chatd go on in this one. former/ has what they have left, written by
`PYTHONPATH=tests /usr/bin/python3 -m harness.former CHATD FILE` with the chatd of that version."""

import json
from pathlib import Path

import pytest

from harness.former import take_over
from harness.managers import Manager

FORMER = Path(__file__).with_name("former")


@pytest.mark.parametrize("file", sorted(path.name for path in FORMER.glob("*.json")))
def test_sessions_of_a_former_version_go_on(file):
    left = json.loads((FORMER / file).read_text())
    with Manager(store=100, job="restart") as manager:
        clients = take_over(manager, left)
        with manager.start({"session": {"original_hold": "0s"}}) as daemon:
            daemon.wait_log("goes on with 4 sessions")
            operator = daemon.operator()
            entries = {entry["name"]: entry for entry in operator.call("sessions")}
            assert set(entries) == set(clients)
            for name, dialect, state in (
                ("line", "line", "open"),
                ("telnet", "telnet", "open"),
                ("original", "original", "open"),
                ("asker", "line", "asking"),
            ):
                assert (entries[name]["dialect"], entries[name]["state"]) == (dialect, state), name
                assert "tls" not in entries[name] and "via" not in entries[name]
            session = {name: entry["session"] for name, entry in entries.items()}
            assert entries["original"]["held"] == 1

            clients["line"].send(b"and the end\n")
            operator.wait_event("message", session=session["line"], text="the beginning, and the end")
            clients["telnet"].send(b"more\r\n")
            operator.wait_event("message", session=session["telnet"], text="and more")
            clients["original"].send(b"more")
            operator.wait_event("message", session=session["original"], text="more")
            clients["original"].expect(b"held")
            operator.call("send", to=session["line"], text="answer")
            clients["line"].expect(b"answer\n")
            operator.call("send", to=session["telnet"], text="answer")
            clients["telnet"].expect(b"answer\r\n")
            operator.call("send", to=session["asker"], text="yes")
            clients["asker"].expect(b"yes\n")
            clients["asker"].expect_end()
            # The listener goes on, and its clients are found out anew: no id comes twice.
            with daemon.client() as late:
                late.send(b"late\n")
                assert operator.wait_event("message", text="late")["session"] == max(session.values()) + 1
            for name in "line", "telnet", "original":
                clients[name].close()
