"""Who may be an operator: too many operators, one who does not read, another user, a second
daemon; and the socket by which operators come."""

import json
import os
import socket
import stat
import subprocess
import sys

import pytest

from harness import (
    CHATCTL,
    GUARD,
    Daemon,
    Home,
    RawControl,
    RpcError,
    run_chatd,
    speaking,
    wait_until,
)


def test_an_operator_who_does_not_read_is_detached_and_resumes_where_it_was():
    limits = {"messages_per_second": 1000000, "messages_burst": 1000000}
    with Daemon({"limits": limits}) as daemon:
        live = daemon.operator()
        lazy = RawControl(daemon)
        lazy.ask(b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"name":"lazy"}}\n')
        lazy.ask(b'{"jsonrpc":"2.0","id":2,"method":"subscribe"}\n')
        live.wait_event("operator", name="lazy", state="attached")
        with daemon.client() as client, daemon.client() as other:
            session = live.session_of(client)
            # Until it is detached; 1 MiB and what the kernel takes is soon reached.
            sent = 0
            while not live.events_of("operator", name="lazy", state="detached"):
                client.send(b"x" * 4000 + b"\n")
                sent += 1
                wait_until(
                    lambda: len(live.events_of("message", session=session)) == sent,
                    "routing goes on",
                )
                assert sent < 5000, "nobody was detached"
            other.send(b"and the others are served\n")
            live.wait_event("message", text="and the others are served")
            client.send(b"the last\n")
            live.wait_event("message", text="the last")
            # What the lazy one finds: events, all in order, then the end.
            seqs = []
            try:
                for line in lazy.lines:
                    if line.endswith(b"\n"):
                        seqs.append(json.loads(line)["params"]["seq"])
            except ConnectionResetError:
                pass
            lazy.__exit__()
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
            with daemon.operator(subscribe=seqs[-1], name="lazy") as back:
                back.wait_event("message", text="the last")
                again = [event["seq"] for event in back.events]
                lost = sum(event["lost"] for event in back.events_of("lagged"))
                if not lost:
                    assert again == list(range(seqs[-1] + 1, seqs[-1] + 1 + len(again)))


def test_more_operators_than_max_operators_are_refused_and_a_freed_place_is_used_again():
    with Daemon({"control": {"max_operators": 3}}) as daemon:
        operators = [daemon.operator() for _ in range(3)]
        with pytest.raises(RpcError, match="the limit of operators is reached") as refused:
            daemon.operator()
        assert refused.value.code == 4
        done = daemon.chatctl()
        assert done.returncode != 0 and "the limit of operators is reached" in done.stderr
        # Commands have room all the same.
        assert daemon.chatctl("list").returncode == 0
        assert daemon.chatctl("send", "all", "x").returncode == 0
        daemon.wait_log("refused 1 operator, the last one because the limit of operators is reached")
        operators[0].call("stats")
        operators[1].close()
        wait_until(lambda: operators[0].call("stats")["operators"] == 2, "a place is free")
        daemon.operator().call("stats")


def test_the_socket_is_0660_and_its_folder_0750():
    with Daemon() as daemon:
        assert stat.S_IMODE(daemon.control_path.stat().st_mode) == 0o660
        assert stat.S_IMODE(daemon.control_path.parent.stat().st_mode) == 0o750


def test_the_modes_do_not_depend_on_the_umask():
    with Daemon(prefix=["sh", "-c", 'umask 0; exec "$0" "$@"']) as daemon:
        assert stat.S_IMODE(daemon.control_path.stat().st_mode) == 0o660
        assert stat.S_IMODE(daemon.control_path.parent.stat().st_mode) == 0o750
    with Daemon(prefix=["sh", "-c", 'umask 077; exec "$0" "$@"']) as daemon:
        assert stat.S_IMODE(daemon.control_path.stat().st_mode) == 0o660
        assert stat.S_IMODE(daemon.control_path.parent.stat().st_mode) == 0o750


AS_SOMEBODY_ELSE = """
import os, socket, sys
os.setgroups([int(g) for g in sys.argv[3:]]); os.setgid(int(sys.argv[2])); os.setuid(65534)
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
try:
    s.connect(sys.argv[1])
    requests = sys.stdin.buffer.readlines()
    s.sendall(b"".join(requests))
    answers = s.makefile()
    print("".join(answers.readline() for _ in requests))
except OSError as error:
    print(type(error).__name__)
"""


def request(method, /, **params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n"


def ask_as_somebody_else(daemon, gid=65534, groups=(), requests=request("stats")):
    """What user 65534 reads on the control socket, or the error it gets."""
    argv = [sys.executable, "-c", AS_SOMEBODY_ELSE, str(daemon.control_path), str(gid)]
    argv += map(str, groups)
    done = subprocess.run(
        argv, input=requests, capture_output=True, text=True, timeout=GUARD, check=True
    )
    return done.stdout.strip()


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


@needs_root
def test_another_user_is_refused_by_the_modes():
    with Daemon() as daemon:
        assert ask_as_somebody_else(daemon) == "PermissionError"


@needs_root
def test_another_user_is_refused_by_its_credentials_where_the_modes_let_it_in():
    with Daemon() as daemon:
        operator = daemon.operator()
        daemon.control_path.parent.chmod(0o755)
        daemon.control_path.chmod(0o666)
        answer = ask_as_somebody_else(daemon)
        assert "result" not in answer, answer
        assert answer in ("", "ConnectionResetError", "BrokenPipeError") or (
            json.loads(answer)["error"]["code"] == 3
        )
        operator.call("stats")


@needs_root
def test_a_member_of_the_control_group_is_an_operator():
    import grp

    group = grp.getgrnam("games")
    with Daemon({"control": {"group": "games"}}) as daemon:
        assert daemon.control_path.stat().st_gid == group.gr_gid
        assert daemon.control_path.parent.stat().st_gid == group.gr_gid
        assert '"result"' in ask_as_somebody_else(daemon, gid=group.gr_gid)
        assert ask_as_somebody_else(daemon) == "PermissionError"


@needs_root
def test_another_user_does_not_become_the_operator_whose_name_it_says():
    import grp

    group = grp.getgrnam("games")
    with Daemon({"control": {"group": "games"}}) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        ann.call("claim", session=session)
        requests = request("hello", name="ann", quiet=True) + request("send", to=session, text="x")
        answers = ask_as_somebody_else(daemon, gid=group.gr_gid, requests=requests).splitlines()
        hello, send = map(json.loads, answers)
        assert hello["result"]["operator"] == "ann-2"
        assert send["error"]["message"] == f"session {session} is claimed by ann"
        client.leave()


def test_a_control_group_that_does_not_exist_is_a_clear_error():
    home = Home()
    try:
        home.write_config({"control": {"group": "no-such-group"}})
        ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
        assert ended.returncode in (1, 78)
        assert "no-such-group" in ended.stderr
    finally:
        home.remove()


def test_a_stale_control_socket_is_reclaimed():
    home = Home()
    try:
        home.control_path.parent.mkdir(mode=0o750)
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(home.control_path))
        with Daemon(home=home) as daemon:
            daemon.operator().call("stats")
        assert not home.control_path.exists()
    finally:
        home.remove()


def test_a_daemon_that_was_killed_leaves_nothing_in_the_way():
    home = Home()
    try:
        first = Daemon(home=home)
        first.kill()
        assert home.control_path.exists()
        with Daemon(home=home) as daemon:
            daemon.operator().call("stats")
    finally:
        home.remove()


def test_a_second_daemon_is_refused_and_the_first_is_not_harmed():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        before = daemon.control_path.stat().st_ino
        ended = run_chatd("--config", daemon.home.config_path, "--console", "off", home=daemon.home)
        assert ended.returncode == 1
        assert str(daemon.control_path) in ended.stderr
        assert daemon.control_path.stat().st_ino == before
        operator.call("send", to=session, text="still here")
        client.expect(b"still here\n")
        client.close()
        daemon.operator().call("stats")


def test_the_default_path_is_under_the_runtime_directory_when_systemd_gives_one():
    home = Home()
    try:
        home.write_config('[[listen]]\naddress = "127.0.0.1"\nport = 0\n')
        home.control_path = home.path / "rt" / "control.sock"
        (home.path / "rt").mkdir(mode=0o750)
        env = {"RUNTIME_DIRECTORY": str(home.path / "rt")}
        with Daemon(home=home, env=env) as daemon:
            daemon.operator().call("stats")
            done = subprocess.run(
                [CHATCTL, "--json", "stats"],
                env=home.env | {"CHATD_SOCKET": str(home.control_path)},
                capture_output=True,
                text=True,
                timeout=GUARD,
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["operators"] >= 1
    finally:
        home.remove()


def test_the_socket_is_gone_when_the_daemon_is():
    home = Home()
    try:
        with Daemon(home=home):
            assert home.control_path.exists()
        assert not home.control_path.exists()
    finally:
        home.remove()
