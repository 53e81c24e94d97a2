"""What chatd says to a service manager, and the sockets that it gets from one."""

import re
import signal
import socket

from harness import Client, Home
from harness.managers import Manager


def listening(address="127.0.0.1"):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.bind((address, 0))
    sock.listen()
    return sock


def test_it_says_ready_when_it_serves_and_stopping_when_it_stops():
    with Manager() as manager:
        with manager.start({}) as daemon:
            found, at = manager.wait_for("^READY=1$")
            assert daemon.endpoints
            manager.wait_for("^STATUS=0 sessions, 0 operators$")
            operator = daemon.operator()
            operator.call("hello")
            manager.wait_for("^STATUS=0 sessions, 1 operator$", after=at)
            _, at = manager.wait_for("^STATUS=", after=at)
        manager.wait_for("^STOPPING=1$", after=at)


def test_a_reload_is_announced_with_the_time_and_followed_by_ready():
    with Manager() as manager, manager.start({}) as daemon:
        _, at = manager.wait_for("^READY=1$")
        daemon.send_signal(signal.SIGHUP)
        found, at = manager.wait_for(r"^RELOADING=1\nMONOTONIC_USEC=(\d+)$", after=at)
        assert int(found.group(1)) > 1_000_000
        manager.wait_for("^READY=1$", after=at)


def test_the_status_says_where_a_refused_configuration_is_wrong_until_it_is_right():
    with Manager() as manager, manager.start({}) as daemon:
        _, at = manager.wait_for("^READY=1$")
        good = daemon.home.config_path.read_text()
        daemon.home.config_path.write_text(good + "\n[session]\nsettle = 3\n")
        daemon.send_signal(signal.SIGHUP)
        manager.wait_for(r"^STATUS=.*chatd\.toml:\d+:\d+: session\.settle", after=at)
        _, at = manager.wait_for(r"^READY=1", after=at)
        daemon.home.config_path.write_text(good)
        daemon.send_signal(signal.SIGHUP)
        _, at = manager.wait_for(r"^READY=1\nSTATUS=0 sessions, 0 operators$", after=at)


def test_the_watchdog_is_fed_while_the_loop_turns_and_not_while_it_hangs():
    with Manager(watchdog=300_000) as manager, manager.start({}) as daemon:
        at = 0
        for _ in range(5):
            _, at = manager.wait_for("^WATCHDOG=1$", after=at)
        daemon.send_signal(signal.SIGSTOP)
        hung = len(manager.messages())
        # Three times what would have been enough to be fed.
        manager.thread.join(0.9)
        assert len(manager.messages()) <= hung + 1
        daemon.send_signal(signal.SIGCONT)
        manager.wait_for("^WATCHDOG=1$", after=hung)


def test_a_manager_that_does_not_read_delays_nothing():
    home = Home()
    path = str(home.path / "deaf.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf, Manager() as manager:
        deaf.bind(path)
        with manager.start({}, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "6000"}) as daemon:
            operator = daemon.operator()
            with daemon.client() as client:
                for number in range(50):  # the manager's queue is long full then
                    client.send(b"%d\n" % number)
                    operator.wait_event("message", text=str(number))
                assert operator.call("stats")["longest_turn_ms"] < 900
    home.remove()


def test_passed_sockets_replace_the_configured_listeners_and_keep_their_dialects():
    with listening() as known, listening() as unknown, listening("::1") as six:
        config = {
            "listen": [
                {"address": "127.0.0.1", "port": known.getsockname()[1], "dialect": "line"},
                {"address": "127.0.0.9", "port": 0},
            ]
        }
        sockets = [("chatd.socket", unknown), ("other", six), ("chatd.socket", known)]
        with Manager() as manager:
            with manager.start(config, sockets, listeners=3) as daemon:
                daemon.wait_log(r"127\.0\.0\.9:0 is not listened on")
                operator = daemon.operator()
                for sock, dialect in ((known, "line"), (unknown, "undecided"), (six, "undecided")):
                    with Client(sock.getsockname()[:2]) as client:
                        session = operator.session_of(client)
                        assert operator.session(session)["dialect"] == dialect
                        client.send(b"hi\n")
                        operator.wait_event("message", session=session, text="hi")
                assert len(re.findall("listening on", daemon.log())) == 3
            # The sockets are the manager's: they listen on.
            Client(known.getsockname()).close()


def test_a_passed_unix_socket_keeps_its_file():
    with Manager() as manager, socket.socket(socket.AF_UNIX) as sock:
        path = manager.home.path / "clients.sock"
        sock.bind(str(path))
        sock.listen()
        with manager.start({}, [("chatd.socket", sock)]) as daemon:
            operator = daemon.operator()
            with Client(str(path)) as client:
                client.send(b"hi\n")
                operator.wait_event("message", text="hi")
        assert path.exists()


def test_a_reload_leaves_passed_sockets_alone_and_follows_their_dialect():
    with Manager() as manager, listening() as sock:
        address = {"address": "127.0.0.1", "port": sock.getsockname()[1]}
        with manager.start({"listen": [address]}, [("chatd.socket", sock)]) as daemon:
            operator = daemon.operator()
            daemon.home.write_config(
                {"listen": [{**address, "dialect": "telnet"}, {"address": "127.0.0.1", "port": 0}]}
            )
            assert "listen" in operator.call("reload")["changed"]
            daemon.wait_log("127.0.0.1:0 is not listened on")
            with Client(sock.getsockname()) as client:
                session = operator.session_of(client)
                assert operator.session(session)["dialect"] == "telnet"
