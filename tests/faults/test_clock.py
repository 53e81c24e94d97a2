"""The clock is set, an hour forward and back: what is due is due when it was, and numbers
and order stay."""

import re
import sqlite3

import pytest
from harness import Daemon, wait_until
from witness import Witness

HOUR = 3600


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_clock_that_is_set_ends_nothing_and_loses_nothing(hours, faulty):
    config = {
        "session": {"idle_timeout": "20m", "answer_timeout": "20m", "original_hold": "1s"},
        "transcript": {"keep": "7d"},
    }
    with Daemon(config, env=faulty.env) as daemon:
        witness = Witness(daemon)
        asking = daemon.client()
        asking.send(b"question\n")
        asking_id = witness.operator.session_of(asking)
        witness.operator.wait_event("message", text="question")
        asking.close_sending()
        original = daemon.original()
        session = witness.operator.session_of(original)
        witness.operator.wait_event("message", session=session)
        witness.operator.call("send", to=session, text="first")
        assert original.hear() == "first"
        witness.operator.call("send", to=session, text="held for a second")

        faulty.clock_shift_s = hours * HOUR
        witness.is_served()
        # A hold of a second is one still, and an idle timeout of 20 minutes has not passed.
        assert original.hear() == "held for a second"
        witness.operator.call("send", to=asking_id, text="answer")
        assert asking.take_all() == b"answer\n"
        witness.is_served()
        faulty.clock_shift_s = 0
        witness.is_served()
        assert {s["session"] for s in witness.operator.call("sessions")} == {
            witness.session,
            session,
        }
        for entry in witness.operator.call("sessions"):
            assert 0 <= entry["idle_ms"] < 60_000

        seqs = [event["seq"] for event in witness.operator.events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        wait_until(lambda: witness.operator.recorded() >= seqs[-1], "all is recorded")
        messages = witness.operator.call("history", limit=1000)["messages"]
        assert [m["seq"] for m in messages] == sorted(m["seq"] for m in messages)
        texts = [m["text"] for m in messages if m["session"] == witness.session]
        assert [t for t in texts if t.startswith("question")] == [
            f"question {n}" for n in range(1, witness.number + 1)
        ]
        times = [event["time"] for event in witness.operator.events]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", t) for t in times)
        assert len({t[:13] for t in times}) >= 2, "the clock was never set"
        with daemon.operator(subscribe=0) as late:
            late.wait_event("message", text=f"question {witness.number}")
            replayed = [e["seq"] for e in late.events if e["method"] != "lagged"]
            assert replayed[: len(seqs)] == list(range(1, len(seqs) + 1))
        original.close()
        asking.close()
        wait_until(lambda: witness.operator.session(session) is None, "it has left")
        witness.all_is_back()


def test_what_is_younger_than_keep_stays_when_the_clock_comes_back(faulty):
    """The daemon starts with a clock that is an hour ahead, and then the clock is set right."""
    faulty.clock_shift_s = HOUR
    with Daemon({"transcript": {"keep": "2h"}}, env=faulty.env) as daemon:
        witness = Witness(daemon)
        faulty.clock_shift_s = 0
        witness.is_served()
        wait_until(
            lambda: len(witness.operator.call("history", limit=100)["messages"]) >= 5,
            "all is in the transcript",
        )
        witness.all_is_back()


def test_what_a_clock_that_jumps_would_make_old_stays(faulty):
    with Daemon({"transcript": {"keep": "2h"}}, env=faulty.env) as daemon:
        witness = Witness(daemon)
        said = witness.number
        wait_until(lambda: witness.operator.recorded() >= 4, "it is recorded")
        faulty.clock_shift_s = 40 * 24 * HOUR
        # The clock is looked at with the new rule.
        daemon.home.write_config({"transcript": {"keep": "1h"}})
        assert "transcript.keep" in witness.operator.call("reload")["changed"]
        path = daemon.home.path / "chatd" / "transcript.db"

        def is_doubted():
            with sqlite3.connect(path) as database:
                rows = database.execute("SELECT value FROM meta WHERE name = 'clock_doubted'")
                return [value for (value,) in rows if value >= 0]

        wait_until(is_doubted, "the clock is doubted")
        witness.is_served()
        texts = [m["text"] for m in witness.operator.call("history", limit=100)["messages"]]
        assert [f"question {n}" for n in range(1, said + 2)] == [
            text for text in texts if text.startswith("question")
        ]
        witness.all_is_back()
