"""Clients that close their sending side and go on listening: `echo question | nc -N`."""

import pytest

from harness import Daemon, taking_turns, wait_until

FOREVER = {"settle": "10s"}


@pytest.mark.parametrize(
    "question, answer",
    [
        (b"question\n", b"answer\n"),
        (b"a\r\nquestion\r\n", b"answer\n"),
        (b"\xff\xf1question\r\n", b"answer\r\n"),
        (b"one\nquestion", b"answer\n"),
    ],
    ids=["line", "two lines", "telnet", "the last without LF"],
)
def test_a_client_that_closes_its_sending_side_after_a_question_gets_one_answer(question, answer):
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(question)
            session = operator.session_of(client)
            client.close_sending()
            operator.wait_event("message", session=session, text="question")
            wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
            client.expect_silence(0.2)
            result = operator.call("send", to=session, text="answer")
            assert result["delivered"] == [session]
            assert client.take_all() == answer
        operator.wait_event("disconnected", session=session)
        assert operator.call("sessions") == []


def test_a_question_without_a_newline_is_a_message_as_soon_as_the_input_ends():
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"question")
            session = operator.session_of(client)
            client.close_sending()
            operator.wait_event("message", session=session, text="question")
            operator.call("send", to=session, text="answer")
            assert client.take_all().rstrip(b"\n") == b"answer"
        operator.wait_event("disconnected", session=session)


def test_an_end_of_input_right_after_the_question_is_seen_even_when_both_come_at_once():
    """Many times, because whether they come in one turn of the loop is chance."""
    with Daemon() as daemon:
        operator = daemon.operator()
        for _ in range(30):
            with daemon.client() as client:
                client.send(b"deploy?\n")
                client.close_sending()
                session = operator.wait_event("message", text="deploy?")["session"]
                operator.call("send", to=session, text="yes")
                assert client.take_all() == b"yes\n"
            operator.wait_event("disconnected", session=session)


def test_an_answer_longer_than_any_buffer_arrives_whole():
    text = "0123456789abcdef" * 12_000
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client(receive_buffer=4096) as client:
            client.send(b"the whole story, please\n")
            client.close_sending()
            session = operator.wait_event("message")["session"]
            wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
            operator.call("send", to=session, text=text)
            assert client.take_all() == text.encode() + b"\n"
        operator.wait_event("disconnected", session=session)


def test_a_client_that_closes_with_nothing_unanswered_is_gone():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"question\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("send", to=session, text="answer")
            client.expect(b"answer\n")
            client.close_sending()
            client.expect_end()
        operator.wait_event("disconnected", session=session)


def test_a_client_that_closes_without_a_word_is_gone():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            client.close_sending()
            client.expect_end()
        operator.wait_event("disconnected", session=session)
        assert operator.events_of("message") == []


def test_an_answer_is_waited_for_no_longer_than_answer_timeout():
    with Daemon({"session": {"answer_timeout": "300ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"question\n")
            session = operator.session_of(client)
            client.close_sending()
            operator.wait_event("message", session=session)
            client.expect_end()
        assert operator.wait_event("disconnected", session=session)["reason"]


def test_what_was_held_for_an_asker_from_before_arrives_too():
    with Daemon({"session": FOREVER}) as daemon:
        operator = daemon.operator()
        client, session = taking_turns(daemon, operator)
        with client:
            assert operator.call("send", to=session, text="hello there")["held"] == [session]
            client.send(b"\nquestion\n")
            client.close_sending()
            operator.wait_event("message", text="question")
            client.expect(b"hello there\n")
            operator.call("send", to=session, text="answer")
            assert client.take_all() == b"answer\n"
        operator.wait_event("disconnected", session=session)


def test_the_operators_bye_and_kick_end_an_asker_too():
    with Daemon() as daemon:
        operator = daemon.operator()
        for method in ("bye", "kick"):
            with daemon.client() as client:
                client.send(b"question\n")
                session = operator.session_of(client)
                client.close_sending()
                operator.wait_event("message", session=session)
                wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
                operator.call(method, session=session)
                assert client.take_all() in (b"", b"bye\n")
            operator.wait_event("disconnected", session=session)


def test_an_announcement_before_the_end_of_file_is_not_the_answer_that_is_waited_for():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"deploy?\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("send", to="all", text="lunch")
            client.close_sending()
            operator.wait_event("asking", session=session)
            assert operator.call("send", to="all", text="coffee")["left_out"] == [session]
            operator.call("send", to=session, text="yes")
            assert client.take_all() == b"lunch\nyes\n"
        operator.wait_event("disconnected", session=session, reason="answered")
