"""SIGUSR2: another process goes on in the place of this one, and no client notices."""

import os
import re
import shutil
import signal
import socket
import stat
import threading

import pytest

from harness import (
    CHATD,
    FOR_ONE_ORIGIN,
    Client,
    Daemon,
    Home,
    RpcError,
    hand_over,
    speaking,
    wait_until,
)
from harness.network import free_port


def test_the_process_is_another_and_its_clients_the_same():
    with Daemon({"session": {"settle": "10s"}}) as daemon:
        operator = daemon.operator()
        line, line_id = speaking(daemon, operator)
        line.send(b"the beginning, ")
        telnet, telnet_id = speaking(daemon, operator, b"\xff\xfb\x01hi\r\n")
        telnet.expect(b"\xff\xfe\x01")
        telnet.send(b"\xff\xfd")
        undecided = daemon.client()
        undecided.send(b"no end yet")
        undecided_id = operator.session_of(undecided)
        operator.call("name", session=line_id, name="zwölf")
        wait_until(lambda: operator.session(undecided_id)["idle_ms"] >= 0, "it was read")
        started = os.stat(f"/proc/{daemon.pid}/exe").st_ino
        hand_over(daemon)
        assert daemon.alive() and started == os.stat(f"/proc/{daemon.pid}/exe").st_ino
        after = daemon.operator()
        assert after.session(line_id)["name"] == "zwölf"
        line.send(b"and the end\n")
        after.wait_event("message", session=line_id, text="the beginning, and the end")
        telnet.send(b"\x03more\r\n")
        telnet.expect(b"\xff\xfc\x03")
        after.wait_event("message", session=telnet_id, text="more")
        undecided.send(b", now\n")
        after.wait_event("message", session=undecided_id, text="no end yet, now")
        after.call("send", to="all", text="to all")
        line.expect(b"to all\n")
        telnet.expect(b"to all\r\n")
        undecided.expect(b"to all\n")
        with daemon.client() as late:
            assert after.session_of(late) > undecided_id


def test_an_original_client_keeps_its_turn_and_what_is_held_for_it():
    with Daemon({"session": {"original_hold": "0s"}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"hello")
        hand_over(daemon)
        operator = daemon.operator()
        assert operator.session(session)["dialect"] == "original"
        assert operator.call("send", to=session, text="one")["delivered"] == [session]
        client.expect(b"one")
        assert operator.call("send", to=session, text="x" * 2000)["held"] == [session]
        held = operator.wait_event("sent", state="held")["seq"]
        hand_over(daemon)
        operator = daemon.operator()
        assert operator.session(session)["held"] == 1
        client.send(b"next")
        client.expect(b"x" * 1024)
        hand_over(daemon)
        operator = daemon.operator()
        client.send(b"next")
        client.expect(b"x" * 976)
        assert operator.wait_event("delivered", session=session)["ref"] == held
        stats = daemon.operator().call("stats")
        assert (stats["messages_out"], stats["delivered"], stats["held"]) == (2, 2, 0)


def test_megabytes_that_wait_for_clients_arrive_once_and_in_order():
    with Daemon({"limits": {"output_hard": "16MiB", "output_soft": "0B"}}) as daemon:
        operator = daemon.operator()
        slow = [speaking(daemon, operator, receive_buffer=4096) for _ in range(3)]
        expected = b""
        for number in range(100):
            text = f"{number} " + "x" * 60_000
            operator.call("send", to="all", text=text)
            expected += text.encode() + b"\n"
        assert operator.call("stats")["queued_bytes"] > 4_000_000
        hand_over(daemon)
        assert daemon.operator().call("stats")["queued_bytes"] > 4_000_000
        for client, _ in slow:
            assert client.take(len(expected)) == expected
        stats = daemon.operator().call("stats")
        assert stats["messages_out"] == stats["delivered"] == 300


def test_a_client_that_asked_and_closed_its_sending_side_gets_its_answer():
    with Daemon({}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"question\n")
        client.close_sending()
        wait_until(lambda: operator.session(session)["state"] == "asking", "it asks")
        hand_over(daemon)
        daemon.operator().call("send", to=session, text="answer")
        assert client.take_all() == b"answer\n"


def test_an_address_may_be_changed_for_one_that_overlaps():
    with Daemon({"listen": [{"address": "127.0.0.1", "port": free_port()}]}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        daemon.home.write_config({"listen": [{"address": "0.0.0.0", "port": daemon.port}]})
        hand_over(daemon)
        daemon.wait_log(rf"listening on 0\.0\.0\.0:{daemon.port}")
        after = daemon.operator()
        after.call("send", to=session, text="still there")
        client.expect(b"still there\n")
        with daemon.client() as late:
            after.session_of(late)
        client.close()


def test_a_listener_that_cannot_be_opened_costs_no_session_and_is_tried_again():
    with Daemon({"transcript": {"enabled": False}}) as daemon, socket.socket() as somebody:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        listen = [{"address": "127.0.0.1", "port": port} for port in (daemon.port, taken)]
        daemon.home.write_config({"listen": listen})
        hand_over(daemon)
        after = daemon.operator(subscribe=0)
        warning = after.wait_event("warning")
        assert f"listen on 127.0.0.1:{taken}: Address already in use" in warning["text"]
        after.call("send", to=session, text="still there")
        client.expect(b"still there\n")
        assert after.call("reload") == {"changed": [], "needs_restart": []}
        somebody.close()
        daemon.wait_log(rf"listening on 127\.0\.0\.1:{taken}")
        with Client(("127.0.0.1", taken)) as late:
            after.session_of(late)
        assert after.call("reload") == {"changed": [], "needs_restart": []}
        assert len(re.findall("goes on without a listener", daemon.log())) == 1
        client.close()


def test_a_session_that_ends_meanwhile_gets_all_that_was_queued_and_an_end_of_file():
    with Daemon({"limits": {"output_hard": "16MiB", "output_soft": "0B"}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, receive_buffer=4096)
        operator.call("send", to=session, text="x" * 900_000)
        operator.call("send", to=session, text="y" * 900_000)
        operator.call("bye", session=session)
        lingering, other = speaking(daemon, operator)
        operator.call("kick", session=other)
        lingering.expect_end()
        hand_over(daemon)
        assert client.take_all() == b"x" * 900_000 + b"\n" + b"y" * 900_000 + b"\n"
        lingering.close()


def test_an_operator_resumes_from_its_cursor_without_a_gap():
    with Daemon({"transcript": {"enabled": False}}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for number in range(20):
            client.send(b"%d\n" % number)
        last = operator.wait_event("message", text="9")["seq"]
        operator.wait_event("message", text="19")
        hand_over(daemon)
        client.send(b"20\n")
        after = daemon.operator(subscribe=last)
        texts = [after.wait_event("message")["text"] for _ in range(11)]
        assert texts == [str(number) for number in range(10, 21)]


def test_what_an_operator_asked_for_is_answered_or_was_not_done():
    with Daemon({}) as daemon:
        client, session = speaking(daemon, daemon.operator())
        answered = []
        for _ in range(3):
            operator = daemon.operator(subscribe=False)
            thread = threading.Thread(target=hand_over, args=(daemon,))
            thread.start()
            with pytest.raises((AssertionError, OSError)):
                while True:
                    text = f"number {len(answered)}"
                    operator.call("history", limit=1)
                    operator.call("send", to=session, text=text)
                    answered.append(text)
            thread.join()
        daemon.operator().call("send", to=session, text="end")
        for text in [*answered, "end"]:
            client.expect(text.encode() + b"\n")


def test_the_count_of_refused_connections_goes_on():
    with Daemon({"limits": {"sessions": 1}}) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        with daemon.client() as other:
            other.expect_end()
        assert operator.call("stats")["refused"] == 1
        hand_over(daemon)
        operator = daemon.operator()
        with daemon.client() as other:
            other.expect_end()
        assert operator.call("stats")["refused"] == 2
        client.close()


@pytest.mark.parametrize("how", [signal.SIGUSR2, signal.SIGTERM])
def test_ids_go_on_without_a_gap(how):
    home = Home()
    home.write_config({})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        client.leave()
        operator.wait_event("disconnected")
        if how == signal.SIGUSR2:
            hand_over(daemon)
            hand_over(daemon)
            with daemon.client() as client:
                assert daemon.operator(subscribe=0).session_of(client) == session + 1
    if how == signal.SIGTERM:
        with Daemon(home=home) as daemon, daemon.client() as client:
            assert daemon.operator(subscribe=0).session_of(client) == session + 1
    home.remove()


def test_listeners_are_never_closed_and_those_who_connect_meanwhile_are_served():
    home = Home()
    path = f"unix:{home.path}/clients.sock"
    listen = [{"address": "127.0.0.1", "port": 0}, {"address": path}]
    home.write_config({"listen": listen, "limits": FOR_ONE_ORIGIN})
    with Daemon(home=home) as daemon:
        stop = threading.Event()
        failed = []

        def connect():
            while not stop.is_set():
                for address in daemon.addresses():
                    try:
                        with Client(address) as client:
                            client.send(b"bye\n")
                            assert client.take_all() == b""
                    except Exception as error:
                        failed.append(error)
                        return

        threads = [threading.Thread(target=connect) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                hand_over(daemon)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert failed == []
        assert stat.S_ISSOCK(os.stat(home.path / "clients.sock").st_mode)
    assert not (home.path / "clients.sock").exists()
    assert not home.control_path.exists()
    home.remove()


@pytest.fixture
def program(tmp_path):
    """A copy of chatd that may be replaced."""
    copy = tmp_path / "chatd"
    shutil.copy(CHATD, copy)
    return copy


def replace(program, text):
    new = program.with_suffix(".new")
    new.write_text(text)
    new.chmod(0o755)
    new.rename(program)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("#!/bin/sh\necho no good >&2; exit 78\n", "ended with 78: no good"),
        ("#!/bin/sh\nkill -9 $$\n", "was killed"),
        ("no program", "ended with 127"),
        (None, "no such file"),
    ],
)
def test_a_new_program_that_is_no_good_changes_nothing(program, text, complaint):
    with Daemon({}, program=str(program)) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        if text is None:
            program.unlink()
        else:
            replace(program, text)
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log(f"(?i)does not hand over: .*{complaint}")
        client.send(b"still here\n")
        operator.wait_event("message", session=session, text="still here")


def test_a_program_that_cannot_be_run_after_all_changes_nothing(program):
    """The file goes after the check went well."""
    with Daemon({}, program=str(program)) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        replace(program, '#!/bin/sh\nrm "$0"\n')
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("does not hand over: run .*: No such file")
        client.send(b"still here\n")
        operator.wait_event("message", session=session, text="still here")
        operator.call("send", to=session, text="and here")
        client.expect(b"and here\n")


def test_a_bad_configuration_changes_nothing_and_is_named():
    with Daemon({}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        daemon.home.config_path.write_text("[session]\nsettle = 3\n")
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log(r"does not hand over: .*chatd\.toml:2:10: session\.settle")
        client.send(b"still here\n")
        operator.wait_event("message", session=session, text="still here")


@pytest.mark.parametrize("broken", ["no TOML", "", "gone"])
def test_a_configuration_that_is_made_wrong_after_the_check_costs_nothing(program, broken):
    with Daemon({"session": {"greeting": "hello"}}, program=str(program)) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        path = daemon.home.config_path
        good = path.read_text()
        # The text is complete, whatever comes into the file.
        break_it = f"rm {path}" if broken == "gone" else f"printf '%s' '{broken}' >{path}"
        real = program.with_name("real")
        shutil.copy(CHATD, real)
        replace(
            program,
            "#!/bin/sh\n"
            f'case "$*" in *--check-config) {real} "$@" || exit; {break_it};;\n'
            f'*) exec {real} "$@";; esac\n',
        )
        hand_over(daemon)
        operator = daemon.operator()
        client.send(b"still here\n")
        operator.wait_event("message", session=session, text="still here")
        with daemon.client() as late:  # and so is the configuration
            operator.session_of(late)
            late.expect(b"hello\n")
        # From now on the file counts again.
        if broken != "":
            with pytest.raises(RpcError, match="chatd.toml"):
                operator.call("reload")
        path.write_text(good.replace("hello", "good day"))
        assert operator.call("reload")["changed"] == ["session.greeting"]
        client.close()


def test_what_is_checked_is_what_was_there_when_the_hand_over_began(program):
    """The file becomes right while the program that would take over starts."""
    with Daemon({}, program=str(program)) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        path = daemon.home.config_path
        good = path.read_text()
        path.write_text("no TOML")
        real = program.with_name("real")
        shutil.copy(CHATD, real)
        (path.parent / "good").write_text(good)
        replace(program, f'#!/bin/sh\ncp {path.parent}/good {path}\nexec {real} "$@"\n')
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log(r"does not hand over: .*chatd\.toml:1:")
        client.send(b"still here\n")
        operator.wait_event("message", session=session, text="still here")
        client.close()


def test_a_program_that_never_answers_is_given_up(program):
    with Daemon({}, program=str(program)) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        replace(program, "#!/bin/sh\nexec sleep 1000\n")
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("hands over to")
        client.send(b"meanwhile\n")
        operator.wait_event("message", session=session, text="meanwhile")
        daemon.wait_log("does not hand over: .* was killed")


def test_what_cannot_be_read_costs_the_sessions_and_not_the_service(program):
    home = Home()
    home.write_config({"listen": [{"address": f"unix:{home.path}/clients.sock"}]})
    with Daemon(home=home, program=str(program)) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        before = daemon.fds()
        newer = program.with_name("newer")
        shutil.copy(CHATD, newer)
        # A document of a version that is not known yet.
        replace(
            program,
            "#!/usr/bin/python3\n"
            "import os, sys\n"
            "if '--check-config' not in sys.argv:\n"
            "    fd = int(os.environ['CHATD_HANDOVER'].split(':')[1])\n"
            "    os.pwrite(fd, b'\\x63', 8)\n"
            f"    os.execv({str(newer)!r}, sys.argv)\n",
        )
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("the sessions of the process before this one are lost")
        client.expect_end()
        operator = daemon.operator()
        kept, _ = speaking(daemon, operator)
        assert len(operator.call("sessions")) == 1
        wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
        kept.close()
    home.remove()


def test_signals_that_come_while_the_process_is_replaced_wait_for_the_new_one():
    with Daemon({}) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        for _ in range(5):
            hand_over(daemon)
            for _ in range(20):
                daemon.send_signal(signal.SIGHUP)
        daemon.send_signal(signal.SIGUSR2)
        daemon.send_signal(signal.SIGTERM)
        daemon.check_end()
        client.expect_end()
