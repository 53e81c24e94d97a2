"""How chatd stops: in time, with a last word, with everything delivered."""

import signal
import subprocess
import time

import pytest

from harness import Daemon, speaking


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_stops_it_with_a_last_word_to_those_who_read_lines(number):
    with Daemon({"session": {"farewell": "We close. Good bye!"}}) as daemon:
        operator = daemon.operator()
        line, _ = speaking(daemon, operator)
        telnet, _ = speaking(daemon, operator, text=b"\xff\xf1hi\r\n")
        original = daemon.original()
        operator.wait_event("message", text="This is from Client")
        silent = daemon.client()
        operator.session_of(silent)
        daemon.send_signal(number)
        assert line.take_all() == b"We close. Good bye!\n"
        assert telnet.take_all() == b"We close. Good bye!\r\n"
        assert original.hear() == ""
        assert silent.take_all() in (b"", b"We close. Good bye!\n")
        operator.wait_end()
        daemon.check_end()
        for client in (line, telnet, original, silent):
            client.close()


def test_clients_that_never_leave_are_waited_for_no_longer_than_stop_grace():
    with Daemon({"service": {"stop_grace": "500ms"}}) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)  # It gets the end and stays connected.
        daemon.send_signal(signal.SIGTERM)
        daemon.check_end()
        client.close()


def test_what_is_queued_for_a_slow_reader_still_arrives_when_it_stops():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, receive_buffer=4096)
        text = "0123456789" * 100
        for _ in range(200):
            assert operator.call("send", to=session, text=text)["delivered"] == [session]
        daemon.send_signal(signal.SIGTERM)
        assert client.take_all() == (text.encode() + b"\n") * 200
        client.close()
        daemon.check_end()


def test_no_new_client_is_taken_while_it_stops():
    with Daemon({"service": {"stop_grace": "3s"}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, receive_buffer=4096)
        for _ in range(230):
            operator.call("send", to=session, text="x" * 1000)
        daemon.send_signal(signal.SIGTERM)
        # While the slow one still reads, nobody else gets in.
        client.take(1000)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                daemon.client(timeout=5).close()
            except OSError:
                break
        else:
            raise AssertionError("new clients were accepted all the time")
        client.take_all()
        client.close()
        daemon.check_end()


def test_operators_hear_that_sessions_ended_because_it_stops():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        daemon.send_signal(signal.SIGTERM)
        assert operator.wait_event("disconnected", session=session)["reason"]
        client.expect_end()
        client.close()
        daemon.check_end()


def test_a_second_signal_does_no_harm():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.send_signal(signal.SIGTERM)
            daemon.send_signal(signal.SIGINT)
        except ProcessLookupError:
            pass
        client.take_all()
        client.close()
        assert daemon.wait() in (0, 1)


def test_signals_up_to_its_end_do_no_harm():
    """Without its handlers, a signal would kill a process that has ended well already."""
    for _ in range(10):
        with Daemon() as daemon:
            daemon.send_signal(signal.SIGTERM)
            while daemon.alive():
                for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR2):
                    daemon.send_signal(number)
            assert daemon.wait() in (0, 1), daemon.log()


def test_a_stop_with_nobody_connected_is_at_once_and_leaves_nothing():
    with Daemon() as daemon:
        home = daemon.home
        daemon.send_signal(signal.SIGTERM)
        daemon.check_end()
        assert not home.control_path.exists()


def test_chatctl_stop_stops_it():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        assert daemon.chatctl("stop").returncode == 0
        client.take_all()
        client.close()
        daemon.check_end()


@pytest.mark.parametrize("console", ["on", "off"])
def test_nothing_but_a_client_makes_it_wait(console):
    """Neither the console nor an operator does, or this would take ten minutes."""
    config = {"service": {"stop_grace": "600s"}}
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Daemon(config, console=console, **how) as daemon:
        operator = daemon.operator()
        speaking(daemon, operator)[0].leave()
        daemon.send_signal(signal.SIGTERM)
        daemon.check_end()
