"""chatd is killed, and started again by a service manager that kept the descriptors of its
sessions: they go on."""

import os
import signal
import socket

import pytest

from harness import Client, speaking, wait_until
from harness.managers import Manager, crash, wait_stored
from harness.web import PING, PONG, TEXT, WebSocket


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGABRT])
@pytest.mark.parametrize("transcripts", [True, False])
def test_sessions_outlive_a_crash(how, transcripts):
    config = {
        "session": {"settle": "10s", "original_hold": "0s"},
        "transcript": {"enabled": transcripts},
    }
    with Manager(store=100) as manager:
        daemon = manager.start(config)
        operator = daemon.operator()
        line, line_id = speaking(daemon, operator)
        telnet, telnet_id = speaking(daemon, operator, b"\xff\xfb\x01hi\r\n")
        telnet.expect(b"\xff\xfe\x01")
        telnet.send(b"\xff\xfd")
        asking, asking_id = speaking(daemon, operator, b"question\n")
        asking.close_sending()
        undecided = daemon.client()
        undecided.send(b"no end yet")
        undecided_id = operator.session_of(undecided)
        wait_stored(manager, 4)
        line.send(b"the beginning, ")
        wait_until(lambda: operator.session(line_id)["idle_ms"] < 500, "it was read")
        operator.call("name", session=line_id, name="zwölf")
        wait_until(lambda: operator.session(asking_id)["state"] == "asking", "it asks")
        seq = operator.call("hello")["seq"]
        stats = operator.call("stats")
        crash(daemon, how)
        line.send(b"and more, ")  # while nobody is there
        with manager.start() as daemon:
            daemon.wait_log("had ended without warning, and goes on with 4 of 4 sessions")
            operator = daemon.operator(subscribe=seq)
            warning = operator.wait_event("warning")
            assert warning["seq"] > seq
            assert operator.session(line_id)["name"] == "zwölf"
            line.send(b"and the end\n")
            operator.wait_event(
                "message", session=line_id, text="the beginning, and more, and the end"
            )
            telnet.send(b"\x03more\r\n")
            telnet.expect(b"\xff\xfc\x03")
            operator.wait_event("message", session=telnet_id, text="more")
            undecided.send(b", now\n")
            operator.wait_event("message", session=undecided_id, text="no end yet, now")
            operator.call("send", to="all", text="to all")
            line.expect(b"to all\n")
            telnet.expect(b"to all\r\n")
            undecided.expect(b"to all\n")
            operator.call("send", to=asking_id, text="the answer")
            assert asking.take_all() == b"the answer\n"
            with daemon.client() as late:
                assert operator.session_of(late) > undecided_id
            after = operator.call("stats")
            assert after["messages_in"] == stats["messages_in"] + 3
            assert after["messages_out"] == after["delivered"] + after["held"] + after["lost"]
            assert after["delivered"] == stats["delivered"] + 4


def test_an_original_client_keeps_its_turn_over_a_crash():
    with Manager(store=100) as manager:
        daemon = manager.start({"session": {"original_hold": "0s"}})
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"hello")
        wait_stored(manager, 1)
        crash(daemon)
        daemon = manager.start()
        operator = daemon.operator()
        assert operator.session(session)["dialect"] == "original"
        assert operator.call("send", to=session, text="one")["delivered"] == [session]
        client.expect(b"one")
        assert operator.call("send", to=session, text="two")["held"] == [session]
        held = operator.wait_event("sent", state="held")["seq"]
        assert operator.call("send", to=session, text="x" * 3000)["held"] == [session]
        crash(daemon)
        with manager.start() as daemon:
            # What was held is in the record as far as it fits; the rest is known as lost.
            operator = daemon.operator()
            assert operator.session(session)["held"] == 1
            stats = operator.call("stats")
            assert (stats["messages_out"], stats["delivered"], stats["held"]) == (3, 1, 1)
            assert stats["lost"] == 1
            client.send(b"next")
            client.expect(b"two")
            assert operator.wait_event("delivered", session=session)["ref"] == held
            with daemon.operator() as other:
                assert other.call("send", to=session, text="four")["held"] == [session]


@pytest.mark.parametrize("said", [0, 1, 5, 9, 20])
def test_a_websocket_goes_on_wherever_in_a_frame_it_was(said):
    frame = WebSocket.frame(TEXT, b"a text in one frame")
    with Manager(store=100) as manager:
        daemon = manager.start({})
        operator = daemon.operator()
        with WebSocket(daemon.address) as client:
            client.send("hello")
            session = operator.wait_event("message", text="hello")["session"]
            wait_stored(manager, 1)
            # Nobody sees that a part has come: what is answered behind it, has.
            client.send("and")
            client.socket.sendall(frame[:said])
            operator.wait_event("message", text="and")
            crash(daemon)
            client.socket.sendall(frame[said:])  # while nobody is there
            with manager.start() as daemon:
                operator = daemon.operator(subscribe=0)
                operator.wait_event("message", session=session, text="a text in one frame")
                assert operator.session(session)["dialect"] == "websocket"
                operator.call("send", to=session, text="hi")
                client.expect("hi")
                client.send_frame(PING, b"still there?")
                assert client.receive_frame() == (PONG, b"still there?")


def test_one_crash_after_the_other_and_restarts_between():
    with Manager(store=100, job="restart") as manager:
        daemon = manager.start({})
        operator = daemon.operator()
        clients = [speaking(daemon, operator) for _ in range(10)]
        wait_stored(manager, 10)
        for number in range(6):
            if number % 3 == 2:
                daemon.stop()
            else:
                crash(daemon)
            daemon = manager.start()
            operator = daemon.operator()
            for client, session in clients:
                client.send(b"%d\n" % number)
                operator.wait_event("message", session=session, text=str(number))
                operator.call("send", to=session, text=f"answer {number}")
                client.expect(b"answer %d\n" % number)
            wait_stored(manager, 10)
            # SIGUSR2 in between: the same process, another program.
            before = len(daemon.log())
            daemon.send_signal(signal.SIGUSR2)
            wait_until(lambda: "listening on" in daemon.log()[before:], "the new process serves")
        daemon.stop()


def test_a_session_that_ends_leaves_the_store_and_short_visits_never_get_there():
    with Manager(store=100) as manager:
        with manager.start({}) as daemon:
            operator = daemon.operator()
            first, first_id = speaking(daemon, operator)
            second, second_id = speaking(daemon, operator)
            assert sorted(wait_stored(manager, 2)) == [
                f"chatd-session-{first_id}",
                f"chatd-session-{second_id}",
            ]
            operator.call("kick", session=first_id)
            first.expect_end()
            assert wait_stored(manager, 1) == [f"chatd-session-{second_id}"]
            second.send(b"bye\n")
            second.expect_end()
            wait_stored(manager, 0)
            for _ in range(20):
                with daemon.client() as visitor:
                    visitor.send(b"hi\nbye\n")
                    visitor.take_all()
            stored = [text for text in manager.messages() if "FDSTORE=1" in text]
            assert len(stored) == 3  # the records and two sessions


def test_there_is_room_for_some_and_others_move_up():
    with Manager(store=36) as manager:
        daemon = manager.start({})
        operator = daemon.operator()
        clients = [speaking(daemon, operator) for _ in range(6)]
        ids = [session for _, session in clients]
        assert {int(name.split("-")[2]) for name in wait_stored(manager, 4)} == set(ids[:4])
        clients[0][0].leave()
        wait_until(lambda: f"chatd-session-{ids[4]}" in manager.stored(), "the fifth is in")
        wait_stored(manager, 4)
        crash(daemon)
        with pytest.raises((AssertionError, OSError)):
            clients[5][0].take(1)
        with manager.start() as daemon:
            daemon.wait_log("goes on with 4 of 5 sessions")
            operator = daemon.operator()
            assert [entry["session"] for entry in operator.call("sessions")] == ids[1:5]


@pytest.mark.parametrize(
    "place, bytes_, complaint",
    [
        (8, b"\x63\0\0\0", "they are of version 99"),
        (0, b"garbage!", "these are no records of a chatd"),
        (12, b"\x01\0\0\0", "they are damaged"),
        (4096, b"\0\0\0\0", "0 of 0 sessions"),
    ],
)
def test_records_that_cannot_be_read_cost_the_sessions_and_not_the_service(
    place, bytes_, complaint
):
    with Manager(store=100) as manager, socket.socket() as passed:
        passed.bind(("127.0.0.1", 0))
        passed.listen()
        sockets = [("chatd.socket", passed)]
        daemon = manager.start({}, sockets)
        client, _ = speaking(daemon, daemon.operator())
        wait_stored(manager, 1)
        crash(daemon)
        (records,) = [fd for name, fd in manager.store if name == "chatd-records"]
        os.pwrite(records, bytes_, place)
        with manager.start(None, sockets) as daemon:
            daemon.wait_log(complaint)
            client.expect_end()
            operator = daemon.operator()
            with Client(passed.getsockname()) as other:
                session = operator.session_of(other)
                wait_stored(manager, 1)
                assert f"chatd-session-{session}" in manager.stored()


def test_a_stop_leaves_nothing_behind():
    with Manager(store=100, job="stop") as manager:
        with manager.start({}) as daemon:
            speaking(daemon, daemon.operator())
            wait_stored(manager, 1)
        wait_until(lambda: manager.stored() == [], "the store is empty")
