"""Notes, and what the list says of a conversation."""

import pytest

from harness import Daemon, RpcError, hand_over, speaking


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
