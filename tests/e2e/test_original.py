"""The original client, which blocks, reads 1024 bytes at once and decodes them
strictly. What it prints is compared byte for byte with what it prints against the
original server; for that, the server's side of the conversation is played here."""

import os
import random
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness import FIRST_WORDS, GUARD, ORIGINAL_CLIENT, READ_SIZE, Daemon, scaled

FAST = {"messages_per_second": 100000, "messages_burst": 100000}
"""For tests in which the limit on a client's messages is not the matter."""

CONVERSATIONS = {
    "the client says bye": [
        (FIRST_WORDS, "Good morning"),
        ("Guten Morgen, schön", "你好, 世界 — 🦊"),
        ("two  blanks\tand a tab ", " leading blank"),
        ("Bye", "no, that was not it"),
        (" bye", "nor that"),
        ("bye bye", "nor that"),
        ("bye", None),
    ],
    "the operator says bye, and the client too": [
        (FIRST_WORDS, "We are closing"),
        ("oh", "bye"),
        ("bye", None),
    ],
    "an answer of exactly what is read at once": [
        (FIRST_WORDS, "x" * READ_SIZE),
        ("ok", "é" * (READ_SIZE // 2)),
        ("bye", None),
    ],
    "a long question": [
        (FIRST_WORDS, "tell me"),
        ("é" * 500, "that was 1000 bytes"),
        ("bye", None),
    ],
    "an answer of two reads": [
        # The client hears the second half without a new answer.
        (FIRST_WORDS, "a" * READ_SIZE + "b" * 476),
        ("one", ""),
        ("two", "and now this"),
        ("bye", None),
    ],
}


def converse_as_the_original_server(listener, conversation):
    """The loop of the original: what a read returns is the message; an answer is sent
    without a delimiter; `bye` ends it. A read that returned two messages is treated as
    the person at that server would treat it."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(GUARD)
        for question, answer in conversation:
            wanted, heard = question.encode(), b""
            while len(heard) < len(wanted):
                data = connection.recv(min(1024, len(wanted) - len(heard)))
                assert data, "the client left"
                heard += data
            assert heard == wanted
            if answer:
                connection.sendall(answer.encode())


def start_client(script, port):
    """Starts a client: our own, or a file like the original with its address in it."""
    argv = [sys.executable, str(script)]
    if script == ORIGINAL_CLIENT:
        argv += ["127.0.0.1", str(port)]
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def what_the_client_typed(conversation):
    return "".join(question + "\n" for question, _ in conversation[1:]).encode()


def printed_against_the_original_server(script_for, conversation):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(GUARD)
        port = listener.getsockname()[1]
        server = threading.Thread(
            target=converse_as_the_original_server, args=(listener, conversation)
        )
        server.start()
        client = start_client(script_for(port), port)
        out, err = client.communicate(what_the_client_typed(conversation), GUARD)
        server.join()
    return client.returncode, out, err


def printed_against_chatd(script_for, conversation):
    with Daemon() as daemon:
        operator = daemon.operator()
        client = start_client(script_for(daemon.port), daemon.port)
        session = operator.wait_event("connected")["session"]
        client.stdin.write(what_the_client_typed(conversation))
        client.stdin.close()
        client.stdin = None
        for question, answer in conversation:
            if question != "bye":
                assert operator.wait_event("message", session=session)["text"] == question
            if answer == "bye":
                operator.call("bye", session=session)
            elif answer:
                operator.call("send", to=session, text=answer)
        out, err = client.communicate(timeout=GUARD)
        operator.wait_event("disconnected", session=session)
    return client.returncode, out, err


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_our_client_prints_what_it_prints_against_the_original_server(name):
    conversation = CONVERSATIONS[name]
    expected = printed_against_the_original_server(lambda port: ORIGINAL_CLIENT, conversation)
    assert expected[0] == 0, expected
    assert printed_against_chatd(lambda port: ORIGINAL_CLIENT, conversation) == expected


@pytest.mark.skipif(
    "CHATD_SEED_CLIENT" not in os.environ, reason="CHATD_SEED_CLIENT names the original client"
)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_original_client_prints_what_it_prints_against_the_original_server(name, tmp_path):
    source = Path(os.environ["CHATD_SEED_CLIENT"]).read_text()

    def script_for(port):
        """The same file, except for the port, which is hard-wired in it."""
        text, count = re.subn(r"(?m)^PORT = 8080$", f"PORT = {port}", source)
        assert count == 1
        script = tmp_path / "client.py"
        script.write_text(text)
        return script

    conversation = CONVERSATIONS[name]
    expected = printed_against_the_original_server(script_for, conversation)
    assert expected[0] == 0, expected
    assert printed_against_chatd(script_for, conversation) == expected
    # And our own client is a fair stand-in for it.
    assert printed_against_the_original_server(lambda port: ORIGINAL_CLIENT, conversation) == expected


def test_a_thousand_turns_with_multi_byte_text_lose_and_split_nothing():
    """The operator's messages are in guillemets and without LF, so that whatever the
    client hears can be taken apart again. Several wait at a time, some of 5,000
    bytes; the client hears at most 1024 bytes a turn and decodes strictly."""
    turns = scaled(1000)
    chance = random.Random(2)
    alphabet = "aé€🦊ß漢字 \u0301ж"

    def text_of(size):
        text = ""
        while len(text.encode()) < size - 8:
            text += chance.choice(alphabet)
        return text

    spoken = []  # by the operator
    heard = []  # by the client, one entry a read
    asked = []  # by the client
    with Daemon({"session": {"original_hold": "0s"}, "limits": FAST}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            said = FIRST_WORDS
            for turn in range(turns):
                asked.append(said)
                assert operator.wait_event("message", session=session)["text"] == said
                held = operator.session(session)["held"]
                if turn % 50 == 7:
                    sizes = [5000, 1024, 1025]
                elif not held:
                    sizes = [chance.randrange(1, 1100) for _ in range(chance.randrange(1, 4))]
                else:
                    sizes = []
                for size in sizes:
                    spoken.append(f"«{text_of(size)}»")
                    answer = operator.call("send", to=session, text=spoken[-1])
                    assert answer["refused"] == []
                heard.append(client.hear())
                assert 0 < len(heard[-1].encode()) <= READ_SIZE
                said = f"turn {turn} " + text_of(chance.randrange(9, 1000))
                client.say(said)
            asked.append(said)
            operator.wait_event("message", session=session, text=said)
            # What is held still goes out, a turn at a time.
            while operator.session(session)["held"] or len("".join(heard).replace("\n", "")) < len(
                "".join(spoken)
            ):
                heard.append(client.hear())
                client.say("more")
                operator.wait_event("message", session=session, text="more")
            client.say("bye")
            assert client.hear() == ""
        operator.wait_event("disconnected", session=session)
        assert [e["text"] for e in operator.events_of("message") if e["text"] != "more"] == asked

    assert "".join(heard).replace("\n", "") == "".join(spoken)
    for text in heard:
        assert "»«" not in text, "two messages in one turn are joined by LF"
        assert re.fullmatch(r"\n?[^\n]*(»\n«[^\n]*)*\n?", text), text


def test_messages_sent_while_the_client_does_not_listen_are_held_and_joined_by_lf():
    with Daemon({"session": {"original_hold": "0s"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            assert operator.call("send", to=session, text="first")["delivered"] == [session]
            for text in ("second", "third", "fourth"):
                assert operator.call("send", to=session, text=text) == {
                    "delivered": [],
                    "held": [session],
                    "refused": [],
                }
            sent = [(e["text"], e["state"]) for e in operator.events_of("sent")]
            assert sent == [
                ("first", "sent"),
                ("second", "held"),
                ("third", "held"),
                ("fourth", "held"),
            ]
            assert operator.session(session)["held"] == 3
            assert client.hear() == "first"
            client.say("next")
            assert client.hear() == "second\nthird\nfourth"
            for event in operator.events_of("sent", state="held"):
                operator.wait_event("delivered", session=session, ref=event["seq"])
            assert operator.session(session)["held"] == 0


def test_an_operator_that_writes_first_is_heard_after_the_first_words():
    listen = [{"address": "127.0.0.1", "port": 0, "dialect": "original"}]
    with Daemon({"listen": listen}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            answer = operator.call("send", to=session, text="early")
            assert answer["held"] == [session]
            client.send(FIRST_WORDS.encode())
            client.expect(b"early")


def test_at_most_1024_bytes_go_out_in_one_turn_cut_between_characters():
    with Daemon({"session": {"original_hold": "0s"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            text = "a" + "€" * 1000  # 3001 bytes; 1024 is inside a character
            operator.call("send", to=session, text=text)
            turns = []
            while sum(map(len, turns)) < len(text):
                turns.append(client.hear())
                client.say("go on")
            assert "".join(turns) == text
            # 1 + 341 * 3 = 1024 in the first; then 341 * 3 = 1023 fit.
            assert [len(turn.encode()) for turn in turns] == [1024, 1023, 954]


def test_a_held_message_goes_out_after_original_hold_to_someone_who_pressed_enter():
    with Daemon({"session": {"original_hold": "300ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("send", to=session, text="are you there?")
            assert client.hear() == "are you there?"
            client.say("")  # Enter on an empty line: nothing is sent, and it listens.
            answer = operator.call("send", to=session, text="hello?")
            assert answer["held"] == [session]
            assert client.hear() == "hello?"
            operator.wait_event("delivered", session=session)


def test_what_goes_out_unanswered_stays_within_one_read():
    """A client that types for long hears later all that went out meanwhile in one
    read, or a character would be split."""
    with Daemon({"session": {"original_hold": "100ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            texts = ["a" * 600, "é" * 200, "z" * 600]
            operator.call("send", to=session, text=texts[0])
            operator.call("send", to=session, text=texts[1])
            operator.wait_event("delivered", session=session)
            operator.call("send", to=session, text=texts[2])
            heard = client.hear()
            assert heard.replace("\n", "").startswith(texts[0] + texts[1])
            assert len(heard.encode()) <= READ_SIZE
            # Part of the third may have gone too, as far as it fitted.
            client.say("go on")
            heard += client.hear()
            assert heard.replace("\n", "") == "".join(texts)


@pytest.mark.parametrize("size", [1024, 1025, 4096, 8192])
def test_a_long_message_in_pieces_is_one_message(size):
    with Daemon({"session": {"settle": "300ms"}, "limits": FAST}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text=FIRST_WORDS)
            text = ("0123456789abcde€" * 600).encode()[:size].decode(errors="ignore")
            text += "." * (size - len(text.encode()))
            data = text.encode()
            client.socket.sendall(data[:1025])
            for start in range(1025, size, 1000):
                client.socket.sendall(data[start : start + 1000])
            assert operator.wait_event("message", session=session)["text"] == text
            assert operator.session(session)["dialect"] == "original"


def test_a_character_in_two_pieces_is_waited_for_and_an_incomplete_one_is_not_for_ever():
    with Daemon({"session": {"settle": "20ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send("drôle".encode())
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text="drôle")
            data = "naïve €".encode()
            client.send(data[:-1])
            client.expect_silence(0.2)  # far more than settle, less than the wait
            assert operator.events_of("message", session=session, text="naïve \ufffd") == []
            client.send(data[-1:])
            operator.wait_event("message", session=session, text="naïve €")
            client.send(data[:-1])
            operator.wait_event("message", session=session, text="naïve \ufffd")


def test_only_exactly_bye_ends_an_original_session():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            for text in ("Bye", " bye", "bye ", "BYE", "byebye", "good bye"):
                client.say(text)
                operator.wait_event("message", session=session, text=text)
            client.say("bye")
            assert client.hear() == ""
        operator.wait_event("disconnected", session=session)
        assert operator.session(session) is None
        assert operator.events_of("message", text="bye") == []


def test_a_client_whose_first_word_is_bye_leaves():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            client.send(b"bye")
            session = operator.session_of(client)
            client.expect_end()
        operator.wait_event("disconnected", session=session)
        assert operator.events_of("message") == []


def test_the_operators_bye_is_heard_as_bye_and_waits_for_the_clients_own():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            assert operator.call("bye", session=session) == {"parting": True}
            assert client.hear() == "bye"
            assert operator.session(session)["state"] == "parting"
            client.say("bye")
            assert client.hear() == ""
        operator.wait_event("disconnected", session=session)


def test_the_operators_bye_waits_at_most_bye_grace():
    with Daemon({"session": {"bye_grace": "300ms"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("bye", session=session)
            assert client.hear() == "bye"
            assert client.hear() == ""
        operator.wait_event("disconnected", session=session)


def test_the_operators_bye_ends_with_the_clients_end_of_file_too():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("bye", session=session)
            assert client.hear() == "bye"
            client.socket.shutdown(socket.SHUT_WR)
            assert client.hear() == ""
        operator.wait_event("disconnected", session=session)


def test_the_operators_bye_comes_after_all_that_was_held():
    with Daemon({"session": {"original_hold": "0s"}}) as daemon:
        operator = daemon.operator()
        with daemon.original() as client:
            session = operator.session_of(client)
            operator.wait_event("message", session=session)
            operator.call("send", to=session, text="one")
            operator.call("send", to=session, text="two")
            operator.call("bye", session=session)
            heard = client.hear()
            while not heard.endswith("bye"):
                client.say("yes?")
                heard += "|" + client.hear()
            assert re.fullmatch(r"one\|two[\n|]bye", heard), heard
            client.say("bye")
            assert client.hear() == ""


def test_a_client_that_leaves_without_bye_is_gone():
    with Daemon() as daemon:
        operator = daemon.operator()
        client = daemon.original()
        session = operator.session_of(client)
        operator.wait_event("message", session=session)
        operator.call("send", to=session, text="hi")
        assert client.hear() == "hi"
        client.close()
        operator.wait_event("disconnected", session=session)
        assert operator.call("sessions") == []
