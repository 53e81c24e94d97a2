"""A service manager that restarts chatd: what was left in its descriptor store goes to
the next process, and no client notices."""

import os
import re
import signal
import socket
import subprocess

import pytest

from harness import FOR_ONE_ORIGIN, SANITIZER, Client, speaking, wait_until
from harness.managers import Manager


def restart(manager, daemon, sockets=(), **how):
    """Restarts it as `systemctl restart` does; returns the next daemon."""
    daemon.stop()
    return manager.start(None, sockets, **how)


@pytest.mark.parametrize("job", ["restart", "try-restart", None])
def test_a_restart_goes_unnoticed(job):
    config = {"session": {"settle": "10s", "farewell": "farewell"}}
    with Manager(store=100, job=job) as manager:
        with manager.start(config) as daemon:
            operator = daemon.operator()
            line, line_id = speaking(daemon, operator)
            line.send(b"the beginning, ")
            telnet, telnet_id = speaking(daemon, operator, b"\xff\xfb\x01hi\r\n")
            telnet.expect(b"\xff\xfe\x01")
            operator.call("name", session=line_id, name="zwölf")
            seq = operator.call("hello")["seq"]
            address = daemon.endpoints
            daemon.stop()
            line.send(b"and more, ")  # while nobody is there
            waiting = Client(daemon.address)
            waiting.send(b"early\n")
        with manager.start() as daemon:
            assert daemon.endpoints == address
            daemon.wait_log("goes on with 2 sessions")
            # Those two are old enough to be kept for the case of a crash.
            kept = {"chatd-records", f"chatd-session-{line_id}", f"chatd-session-{telnet_id}"}
            wait_until(lambda: set(manager.stored()) <= kept, "the rest was taken out")
            operator = daemon.operator(subscribe=seq)
            assert operator.session(line_id)["name"] == "zwölf"
            line.send(b"and the end\n")
            operator.wait_event(
                "message", session=line_id, text="the beginning, and more, and the end"
            )
            telnet.send(b"more\r\n")
            operator.wait_event("message", session=telnet_id, text="more")
            operator.wait_event("message", session=telnet_id + 1, text="early")
            operator.call("send", to="all", text="to all")
            line.expect(b"to all\n")
            telnet.expect(b"to all\r\n")
            waiting.expect(b"to all\n")
            seqs = [event["seq"] for event in operator.events]
            assert seqs == list(range(seq + 1, seq + 1 + len(seqs)))


def test_a_restart_leaves_no_descriptor_behind():
    with Manager(store=100, job="restart") as manager:
        with manager.start({}) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            before = daemon.fds()
            daemon.stop()
        with manager.start() as daemon:
            operator = daemon.operator()
            assert len(operator.call("sessions")) == 1
            wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
        client.close()


@pytest.mark.parametrize("job", ["stop", ""])
def test_a_stop_says_goodbye(job):
    with Manager(store=100, job=job) as manager:
        with manager.start({"session": {"farewell": "farewell"}}) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            daemon.stop()
            client.expect(b"farewell\n")
            client.expect_end()
        assert manager.stored() == []


def test_a_bus_that_does_not_answer_delays_a_restart_by_less_than_a_second():
    with Manager(store=100, job="deaf") as manager:
        with manager.start({}) as daemon:
            client, session = speaking(daemon, daemon.operator())
            daemon.stop()
        with manager.start() as daemon:
            client.send(b"more\n")
            operator = daemon.operator(subscribe=0)
            operator.wait_event("message", session=session, text="more")


def test_without_a_store_a_restart_is_a_stop():
    with Manager(store=0, job="restart") as manager:
        with manager.start({"session": {"farewell": "farewell"}}) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            daemon.stop()
            client.expect(b"farewell\n")
            client.expect_end()


def test_a_manager_that_does_not_take_them_gets_a_stop():
    with Manager(store=100, job="restart") as manager:
        with manager.start({"session": {"farewell": "farewell"}}) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            manager.deafen()
            daemon.stop()
            assert "ends all sessions: the service manager does not take" in daemon.log()
            client.expect(b"farewell\n")
            client.expect_end()


def test_a_configuration_that_the_next_process_would_refuse_gets_a_stop():
    with Manager(store=100, job="restart") as manager:
        with manager.start({"session": {"farewell": "farewell"}}) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            daemon.home.config_path.write_text("[session]\nsettle = 50\n")
            daemon.stop()
            daemon.wait_log("ends all sessions: the next process would not start: .*:2:10")
            client.expect(b"farewell\n")
            client.expect_end()
        assert manager.stored() == []


def test_thousands_of_sessions_go_on():
    with Manager(store=100, job="restart") as manager:
        config = {"limits": FOR_ONE_ORIGIN, "session": {"settle": "10s"}}
        with manager.start(config) as daemon:
            operator = daemon.operator()
            clients = [daemon.client() for _ in range(2000)]
            for number, client in enumerate(clients):
                client.send(b"client %d " % number)
            wait_until(lambda: operator.call("stats")["sessions"] == 2000, "all are there")
            daemon.stop()
            assert len(manager.stored()) <= 80
        with manager.start() as daemon:
            operator = daemon.operator()
            assert operator.call("stats")["sessions"] == 2000
            for client in clients:
                client.send(b"goes on\n")
            for number, _ in enumerate(clients):
                operator.wait_event("message", text=f"client {number} goes on")
            for client in clients:
                client.close()


def calls_in(table):
    """{system call: how often}, from what strace -c has written."""
    found = re.findall(r"^\s*(\d+)\s+(\w+)\s*$", table.read_text(), re.MULTILINE)
    return {name: int(count) for count, name in found if name != "total"}


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer makes calls of its own")
def test_a_session_costs_a_restart_few_system_calls(tmp_path):
    """The pause in which nobody is served grows with them, on every machine."""
    count, least = 1800, 300
    strace = ["strace", "-f", "-c", "-U", "calls,name", "-o"]
    with Manager(store=100, job="restart") as manager:
        with manager.start({"limits": FOR_ONE_ORIGIN}) as daemon:
            operator = daemon.operator()
            clients = [daemon.client() for _ in range(count)]
            wait_until(lambda: operator.call("stats")["sessions"] == count, "all are there")
            leaves = tmp_path / "leaves"
            tracer = subprocess.Popen(
                [*strace, leaves, "-p", str(daemon.pid)], stderr=subprocess.PIPE, text=True
            )
            while "attached" not in tracer.stderr.readline():
                assert tracer.poll() is None
            daemon.stop()
            tracer.communicate()
        comes = tmp_path / "comes"
        # Itself a child of what it looks at: that is the daemon, for who waits for it.
        daemon = manager.start(prefix=[*strace, comes, "-D"])
        assert daemon.operator().call("stats")["sessions"] == count
        daemon.kill()
        wait_until(lambda: comes.exists() and calls_in(comes), "it is told")
        for client in clients:
            client.close()
    calls = calls_in(leaves)
    assert sum(calls.values()) <= least + count / 10, calls
    calls = calls_in(comes)
    # Each is watched, and the table of descriptors, which has 2,048 places then, is looked
    # through.
    assert calls.pop("epoll_ctl") <= count + least
    assert calls.pop("fcntl") <= 2048 + least
    # How often the store's file is used, and its thread woken, varies with how busy the machine is.
    assert sum(calls.pop(name, 0) for name in ("futex", "pread64", "pwrite64")) <= 2 * least
    assert sum(calls.values()) <= 4 * least + count / 10, calls


def test_those_who_were_there_take_no_room_from_those_who_come():
    """The limit of descriptors does not count those of passed-on sessions twice."""
    limit = ["prlimit", "--nofile=400:400"]
    with Manager(store=100, job="restart") as manager:
        with manager.start({}, prefix=limit) as daemon:
            room = [int(daemon.wait_log(r"leaves room for (\d+)")[1])]
            clients = [daemon.client() for _ in range(60)]
            operator = daemon.operator()
            wait_until(lambda: operator.call("stats")["sessions"] == 60, "all are there")
            daemon.stop()
        with manager.start(prefix=limit) as daemon:
            room.append(int(daemon.wait_log(r"leaves room for (\d+)")[1]))
            before = len(daemon.log())
            daemon.send_signal(signal.SIGUSR2)
            again = wait_until(
                lambda: re.search(r"leaves room for (\d+)", daemon.log()[before:]), "another one"
            )
            room.append(int(again[1]))
            for client in clients:
                client.close()
        assert max(room) - min(room) < 10, room


@pytest.fixture
def passed():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def damage(manager, change):
    """Changes the document that was left for the next process."""
    (fd,) = [fd for name, fd in manager.store if name == "chatd-document"]
    change(fd)


@pytest.mark.parametrize(
    "change, why",
    [
        (lambda fd: os.pwrite(fd, b"\x63", 8), "of version 99|its head is damaged"),
        (lambda fd: os.pwrite(fd, b"x" * 40, 0), "not the document of a chatd"),
        (lambda fd: os.pwrite(fd, b"x", 60), "damaged"),
        (lambda fd: os.truncate(fd, 50), "damaged"),
        (lambda fd: os.truncate(fd, 0), "not the document of a chatd"),
    ],
)
def test_what_cannot_be_read_costs_the_sessions_and_not_the_service(passed, change, why):
    with Manager(store=100, job="restart") as manager:
        sockets = [("chatd.socket", passed)]
        with manager.start({}, sockets) as daemon:
            client, _ = speaking(daemon, daemon.operator())
            daemon.stop()
        damage(manager, change)
        with manager.start(None, sockets) as daemon:
            daemon.wait_log(f"the sessions .* are lost: .*({why})")
            client.expect_end()
            wait_until(lambda: manager.stored() == ["chatd-records"], "the rest was taken out")
            operator = daemon.operator()
            with Client(passed.getsockname()) as client:
                client.send(b"hi\n")
                operator.wait_event("message", text="hi")
                assert len(operator.call("sessions")) == 1


def test_ten_restarts_in_a_row_with_sockets_of_the_manager(passed):
    with Manager(store=100, job="restart") as manager:
        sockets = [("chatd.socket", passed)]
        daemon = manager.start({}, sockets)
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for number in range(10):
            daemon.send_signal(15)
            client.send(b"%d" % number)
            daemon.check_end()
            daemon = manager.start(None, sockets)
            client.send(b"!\n")
            operator = daemon.operator(subscribe=0)
            operator.wait_event("message", session=session, text=f"{number}!")
            operator.call("send", to=session, text=f"answer {number}")
            client.expect(b"answer %d\n" % number)
            assert len(daemon.endpoints) == 1
        daemon.stop()
