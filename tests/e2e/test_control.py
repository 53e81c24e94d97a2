"""The methods of the control protocol: what each does and answers."""

import os
import re

import pytest

from harness import Daemon, RpcError, speaking, taking_turns

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def refusal(operator, method, /, **params):
    with pytest.raises(RpcError) as refused:
        operator.call(method, **params)
    return refused.value


def test_hello_says_who_is_who():
    with Daemon() as daemon:
        with daemon.operator(name="anna", subscribe=False) as operator:
            assert operator.welcome["protocol"] == 1
            assert operator.welcome["operator"] == "anna"
            assert isinstance(operator.welcome["version"], str)
            assert isinstance(operator.welcome["seq"], int)


def test_operators_without_a_name_have_that_of_their_user_and_are_one():
    import pwd

    user = pwd.getpwuid(os.getuid()).pw_name
    with Daemon() as daemon:
        operators = [daemon.operator() for _ in range(3)]
        assert [each.name for each in operators] == [user] * 3
        (listed,) = operators[0].call("operators")
        assert (listed["name"], listed["connections"]) == (user, 3)
        operators[0].call("ops", text="that is all")
        operators[2].wait_event("ops")
        assert operators[2].events_of("operator", state="attached") == []



def test_sessions_shows_every_field():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with client:
            (entry,) = operator.call("sessions")
            assert set(entry) == {
                "session",
                "name",
                "address",
                "listener",
                "dialect",
                "state",
                "since",
                "idle_ms",
                "unread",
                "held",
                "claimed_by",
                "waiting_since",
                "last_text",
                "last_operator",
                "answered_by",
                "notes",
            }
            assert entry["session"] == session
            assert entry["name"] is None
            assert entry["address"] == client.address
            assert entry["listener"] == daemon.endpoints[0]
            assert entry["dialect"] == "line"
            assert entry["state"] == "open"
            assert TIME.fullmatch(entry["since"])
            assert {operator.call("sessions")[0]["since"] for _ in range(200)} == {entry["since"]}
            assert isinstance(entry["idle_ms"], int) and entry["idle_ms"] >= 0
            assert (entry["unread"], entry["held"], entry["claimed_by"]) == (1, 0, None)
            assert TIME.fullmatch(entry["waiting_since"])
            assert (entry["last_text"], entry["last_operator"]) == ("hi", None)
            assert (entry["answered_by"], entry["notes"]) == (None, 0)


def test_unread_counts_up_to_an_operators_answer_and_held_counts_what_waits():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = taking_turns(daemon, operator)
        with client:
            for text in "one", "two":
                operator.call("send", to=session, text=text)
            assert operator.session(session)["dialect"] == "original"
            assert operator.session(session)["held"] == 2
            client.send(b"\na\nb\nc\n")
            operator.wait_event("message", text="c")
            entry = operator.session(session)
            assert (entry["unread"], entry["held"]) == (3, 0)
            operator.call("send", to=session, text="answer")
            assert operator.session(session)["unread"] == 0


def test_send_to_one_to_some_and_to_all():
    with Daemon() as daemon:
        operator = daemon.operator()
        pairs = [speaking(daemon, operator) for _ in range(3)]
        (a, first), (b, second), (c, third) = pairs
        assert operator.call("send", to=second, text="one") == {
            "delivered": [second],
            "held": [],
            "refused": [],
        }
        answer = operator.call("send", to=[first, 999, third], text="two")
        assert (answer["delivered"], answer["held"]) == ([first, third], [])
        assert [entry["session"] for entry in answer["refused"]] == [999]
        assert answer["refused"][0]["reason"]
        answer = operator.call("send", to="all", text="three")
        assert sorted(answer["delivered"]) == [first, second, third]
        a.expect(b"two\nthree\n")
        b.expect(b"one\nthree\n")
        c.expect(b"two\nthree\n")
        for client, _ in pairs:
            client.close()


def test_send_to_nobody_is_an_error_and_to_all_of_nobody_is_not():
    with Daemon() as daemon:
        operator = daemon.operator()
        refused = refusal(operator, "send", to=7, text="hello?")
        assert refused.code == 1 and "7" in refused.message
        assert operator.call("send", to="all", text="anyone?") == {
            "delivered": [],
            "held": [],
            "refused": [],
            "left_out": [],
        }


def test_every_method_on_a_session_that_is_not_there_is_error_1():
    with Daemon() as daemon:
        operator = daemon.operator()
        for method, params in {
            "send": {"text": "x", "to": 4},
            "bye": {"session": 4},
            "kick": {"session": 4, "reason": "x"},
            "name": {"session": 4, "name": "x"},
        }.items():
            refused = refusal(operator, method, **params)
            assert refused.code == 1, method
            assert "4" in refused.message


def test_a_name_is_shown_to_every_operator():
    with Daemon() as daemon:
        operator = daemon.operator(name="anna")
        other = daemon.operator()
        client, session = speaking(daemon, operator)
        with client:
            assert operator.call("name", session=session, name="Zoë") == {}
            event = other.wait_event("named", session=session)
            assert (event["name"], event["operator"]) == ("Zoë", "anna")
            assert operator.session(session)["name"] == "Zoë"


def test_stats_are_numbers_that_add_up():
    with Daemon() as daemon:
        operator = daemon.operator()
        clients = [speaking(daemon, operator)[0] for _ in range(3)]
        operator.call("send", to="all", text="x")
        clients.pop().leave()
        operator.wait_event("disconnected")
        listening, session = taking_turns(daemon, operator)
        operator.call("send", to=session, text="held")
        stats = operator.call("stats")
        assert all(isinstance(v, (int, float)) for v in stats.values()), stats
        expected = {
            "sessions": 3,
            "accepted": 4,
            "refused": 0,
            "messages_in": 4,
            "held": 1,
            "lost": 0,
            "operators": 1,
        }
        assert {key: stats[key] for key in expected} == expected
        assert stats["messages_out"] == 5  # one of them held
        assert stats["queued_bytes"] >= 0 and stats["longest_turn_ms"] >= 0
        for client in [*clients, listening]:
            client.close()


def test_stop_stops_the_daemon():
    with Daemon() as daemon:
        operator = daemon.operator()
        assert operator.call("stop") == {}
        daemon.check_end()


def test_an_unknown_method_is_refused():
    with Daemon() as daemon:
        operator = daemon.operator()
        for method in ("claims", "Send", "no such thing", ""):
            assert refusal(operator, method).code == -32601
