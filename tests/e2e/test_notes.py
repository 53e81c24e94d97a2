"""Notes, and what the list says of a conversation."""

import json
import re

import pytest

from harness import Daemon, RpcError, hand_over, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, RULE, arrive, chatctl, connected, leave, prompt_of


def test_a_note_is_seen_by_all_operators_and_kept_with_the_session():
    with Daemon() as daemon:
        ann, bob = daemon.operator(name="ann"), daemon.operator(name="bob")
        client, session = speaking(daemon, ann)
        with client:
            assert ann.call("note", session=session, text="a regular\nlikes tea") == {}
            heard = bob.wait_event("noted")
            assert (heard["session"], heard["operator"]) == (session, "ann")
            assert heard["text"] == "a regular\nlikes tea"
            (note,) = bob.call("notes", session=session)
            assert (note["operator"], note["text"]) == ("ann", "a regular\nlikes tea")
            for i in range(8):
                bob.call("note", session=session, text=f"note {i}")
            assert ann.session(session)["notes"] == 8
            notes = ann.call("notes", session=session)
            assert [each["text"] for each in notes] == [f"note {i}" for i in range(8)]
            # It is an event as others are: it can be had again, and the client gets nothing of it.
            last = ann.wait_event("noted", text="note 7")
            late = daemon.operator(name="eve", subscribe=heard["seq"] - 1)
            assert late.wait_event("noted", text="a regular\nlikes tea") == heard
            assert late.wait_event("noted", text="note 7") == last
            ann.call("send", to=session, text="hello")
            client.expect(b"hello\n")


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "text must not be blank"),
        (" \n\t", "text must not be blank"),
        ("x" * 1025, "text of a note must have at most 1024 bytes"),
    ],
)
def test_a_note_says_something_short(text, fault):
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with client:
            with pytest.raises(RpcError) as refused:
                operator.call("note", session=session, text=text)
            assert (refused.value.code, refused.value.message) == (-32602, fault)
            operator.call("note", session=session, text="x" * 1024)


@pytest.mark.parametrize("keys", ["/focus 2\r", "\x1b2", "\x1ba"])
def test_whoever_turns_to_a_client_sees_its_notes_before_what_was_said(keys):
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon, b"hello there\n")
        ann, bob = daemon.operator(name="ann"), daemon.operator(name="bob")
        ann.call("note", session=2, text="a regular\nlikes tea")
        bob.call("name", session=2, name="Eve")
        bob.call("note", session=2, text="pays late")
        desk.wait(r"^\[2 Eve\]\* note by bob: pays late$")
        rows = arrive(desk, keys, 2)
        assert rows[:4] == [
            f"{RULE} [2 Eve] {RULE}",
            "[2 Eve]* note by ann: a regular",
            "[2 Eve]* note by ann: likes tea",
            "[2 Eve]* note by bob: pays late",
        ]
        assert re.fullmatch(rf"{RULE} 1 new since \d\d:\d\d {RULE}", rows[4])
        assert len(rows) == 6 and re.fullmatch(r"\[2( Eve)?\]\|? hello there", rows[5])
        # Of a client of whom nothing is noted nothing is told; nor do notes go elsewhere.
        assert arrive(desk, "\x1b1", 1) == [f"{RULE} [1] {RULE}", "[1] hi"]
        for client in first, second:
            assert client.leave() == b""
        leave(desk)


def test_a_console_that_came_later_is_told_of_the_notes_as_well():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann, b"hello?\n")
        with client:
            for i in range(9):
                ann.call("note", session=session, text=f"note {i}")
            desk = chatctl(daemon)
            kept = [f"[1]* note by ann: note {i}" for i in range(1, 9)]
            assert arrive(desk, "\x1b1", session)[1:9] == kept
            hand_over(daemon)
            desk.wait("attached again$")
            rows = arrive(desk, "\x1b1", session)
            assert rows == [f"{RULE} [1] {RULE}", *kept, "[1] hello?"]
            leave(desk)


def test_without_transcripts_the_notes_are_shown_all_the_same():
    with Daemon(CONSOLE_CONFIG | {"transcript": {"enabled": False}}) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann, b"hello?\n")
        with client:
            ann.call("note", session=session, text="a regular")
            desk = chatctl(daemon)
            rows = arrive(desk, "\x1b1", session)
            assert rows[:2] == [f"{RULE} [1] {RULE}", "[1]* note by ann: a regular"]
            leave(desk)


def test_a_command_without_a_text_shows_what_is_noted():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        other, another = speaking(daemon, ann)
        ann.call("note", session=session, text="a regular\nlikes \x1b[2J tea")
        ann.call("note", session=session, text="pays late")
        texts = ["a regular", r"likes \x1b[2J tea", "pays late"]
        noted = [f"[1]* note by ann: {text}" for text in texts]
        desk = chatctl(daemon)
        arrive(desk, f"/focus {session}\r", session)
        for typed in f"/note {session}", "/note":
            before = desk.text().count(noted[-1])
            desk.enter(typed)
            wait_until(lambda: desk.text().count(noted[-1]) > before, f"notes by {typed}")
            wait_until(lambda: prompt_of(desk), "the prompt")
            assert desk.text().splitlines()[-4:-1] == noted
        desk.enter(f"/note {another}")
        desk.wait(r"^\[2\]\* nothing is noted$")
        desk.enter("/note 99")
        desk.wait("no such session: 99")
        leave(desk)

        done = daemon.chatctl("note", str(session))
        assert (done.returncode, done.stderr) == (0, "")
        stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
        told = "".join(f"{stamp}{re.escape(row)}\n" for row in noted)
        assert re.fullmatch(told, done.stdout), done.stdout
        done = daemon.chatctl("--json", "note", str(session))
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert told == ann.call("notes", session=session)
        for options in [], ["--json"]:
            done = daemon.chatctl(*options, "note", str(another))
            nothing = (0, "", "chatctl: nothing is noted\n")
            assert (done.returncode, done.stdout, done.stderr) == nothing
        assert daemon.chatctl("note", "99").returncode == 4
        # A variable of a script that is not set is no question, and nothing is kept of it.
        done = daemon.chatctl("note", str(another), "")
        assert done.returncode == 2 and "the text is empty" in done.stderr
        assert ann.call("notes", session=another) == []
        for each in client, other:
            assert each.leave() == b""


def test_the_list_says_who_waits_since_when_and_who_answered():
    with Daemon() as daemon:
        operator = daemon.operator(name="ann")
        with daemon.client() as client:
            session = operator.session_of(client)
            entry = operator.session(session)
            members = ("waiting_since", "last_text", "last_operator", "answered_by")
            assert [entry[name] for name in members] == [None] * 4
            client.send(b"anybody?\nhello?\n")
            first = operator.wait_event("message", text="anybody?")
            operator.wait_event("message", text="hello?")
            entry = operator.session(session)
            assert abs(seconds(entry["waiting_since"]) - seconds(first["time"])) < 1
            assert (entry["last_text"], entry["last_operator"]) == ("hello?", None)
            # An announcement answers nobody.
            operator.call("send", to="all", text="lunch")
            assert operator.session(session)["waiting_since"] == entry["waiting_since"]
            assert operator.session(session)["last_text"] == "hello?"
            operator.call("send", to=session, text="I am here")
            entry = operator.session(session)
            assert [entry[name] for name in members] == [None, "I am here", "ann", "ann"]
            client.send(b"x" * 300 + b"\n")
            operator.wait_event("message")
            operator.call("note", session=session, text="types a lot")
            before = operator.session(session)
            assert (before["last_text"], before["answered_by"]) == ("x" * 100, "ann")
            hand_over(daemon)
            operator = daemon.operator()
            after = operator.session(session)
            same = ("last_text", "last_operator", "answered_by")
            assert [after[name] for name in same] == [before[name] for name in same]
            assert abs(seconds(after["waiting_since"]) - seconds(before["waiting_since"])) < 1
            assert after["notes"] == 1
            (note,) = operator.call("notes", session=session)
            assert (note["operator"], note["text"]) == ("ann", "types a lot")


def seconds(time):
    """Within a day."""
    hours, minutes, rest = time.split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)
