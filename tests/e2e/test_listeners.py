"""Where chatd listens: several addresses, both families, unix sockets, and what it
says when it cannot."""

import os
import re
import shutil
import socket
import stat
import subprocess

import pytest

from harness import (
    Client,
    Daemon,
    Home,
    RpcError,
    connect,
    hand_over,
    run_chatd,
    speaking,
    wait_until,
)
from harness.managers import Manager
from harness.network import free_port, in_network_of


def test_several_listeners_of_every_family_serve_the_same_chat():
    home = Home()
    config = {
        "listen": [
            {"address": "127.0.0.1", "port": 0},
            {"address": "::1", "port": 0},
            {"address": "127.0.0.2", "port": 0, "dialect": "line"},
            {"address": f"unix:{home.path}/clients.sock"},
        ]
    }
    home.write_config(config)
    try:
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            assert len(daemon.addresses()) == 4
            clients = []
            for number, address in enumerate(daemon.addresses(), 1):
                client = Client(address)
                clients.append(client)
                event = operator.wait_event("connected", session=number)
                client.send(b"hi\n")
                operator.wait_event("message", session=number, text="hi")
                assert event["listener"] == daemon.endpoints[number - 1]
                entry = operator.session(number)
                assert entry["listener"] == daemon.endpoints[number - 1]
                if isinstance(address, str):
                    assert entry["address"] == f"uid:{os.getuid()}"
                else:
                    assert entry["address"] == client.address
            operator.call("send", to="all", text="to everyone")
            for client in clients:
                client.expect(b"to everyone\n")
                client.close()
        assert not (home.path / "clients.sock").exists()
    finally:
        home.remove()


def test_ipv4_and_ipv6_of_any_address_stand_side_by_side_on_one_port():
    port = free_port()
    config = {"listen": [{"address": "::", "port": port}, {"address": "0.0.0.0", "port": port}]}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        for host in ("127.0.0.1", "::1"):
            with Client((host, port)) as client:
                operator.session_of(client)


def test_listen_replaces_every_configured_listener():
    args = ["--listen", "127.0.0.1:0", "--listen", "[::1]:0"]
    config = {"listen": [{"address": "127.0.0.3", "port": 0}] * 3}
    with Daemon(config, args=args, listeners=2) as daemon:
        operator = daemon.operator()
        hosts = []
        for address in daemon.addresses():
            with Client(address) as client:
                operator.session_of(client)
            hosts.append(address[0])
        assert sorted(hosts) == ["127.0.0.1", "::1"]
        assert "127.0.0.3" not in daemon.log()


def test_port_zero_is_a_free_port_and_the_real_one_is_said():
    with Daemon() as daemon:
        assert daemon.port > 0
        daemon.client().close()


def test_a_unix_socket_that_nobody_listens_on_is_reclaimed():
    home = Home()
    path = home.path / "clients.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    home.write_config({"listen": [{"address": f"unix:{path}"}]})
    try:
        with Daemon(home=home) as daemon:
            with daemon.client() as client:
                client.send(b"hi\n")
                daemon.operator(subscribe=0).wait_event("message", text="hi")
        assert not path.exists()
    finally:
        home.remove()


def test_a_unix_socket_that_somebody_listens_on_is_left_alone():
    home = Home()
    path = home.path / "clients.sock"
    try:
        with socket.socket(socket.AF_UNIX) as live:
            live.bind(str(path))
            live.listen()
            before = path.stat().st_ino
            home.write_config({"listen": [{"address": f"unix:{path}"}]})
            ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
            assert ended.returncode == 1
            assert str(path) in ended.stderr
            assert path.stat().st_ino == before
            connect(str(path)).close()
    finally:
        home.remove()


def test_a_unix_path_that_is_no_socket_is_left_alone():
    home = Home()
    path = home.path / "precious"
    path.write_text("data")
    try:
        home.write_config({"listen": [{"address": f"unix:{path}"}]})
        ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
        assert ended.returncode == 1
        assert str(path) in ended.stderr
        assert path.read_text() == "data"
    finally:
        home.remove()


def test_a_unix_path_that_is_too_long_is_an_error_and_not_cut():
    home = Home()
    path = str(home.path / ("x" * 120))
    try:
        home.write_config({"listen": [{"address": f"unix:{path}"}]})
        ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
        assert ended.returncode in (1, 78)
        assert "107" in ended.stderr or "long" in ended.stderr
        assert sorted(os.listdir(home.path)) in (["chatd.toml"], ["chatd.toml", "run"])
    finally:
        home.remove()


def test_an_address_in_use_is_said_in_one_clear_line_and_is_exit_code_1():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        home = Home()
        home.write_config({"listen": [{"address": "127.0.0.1", "port": port}]})
        try:
            ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
            assert ended.returncode == 1
            lines = [line for line in ended.stderr.splitlines() if f"127.0.0.1:{port}" in line]
            assert len(lines) == 1, ended.stderr
            assert "in use" in lines[0]
            # It is the last line of the log, where people look.
            assert ended.stderr.splitlines()[-1] == lines[0]
            assert ended.stdout == ""
            assert not home.control_path.exists()
        finally:
            home.remove()


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ip"), reason="only root can add one")
@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_that_is_not_there_yet_is_waited_for(address):
    """As at boot, where the network comes up later; even if there is no other listener."""
    config = {"listen": [{"address": address, "port": 8080}]}
    prefix = ["unshare", "--net", "/bin/sh", "-c", 'ip link set lo up && exec "$0" "$@"']
    shown = f"[{address}]" if ":" in address else address
    with Manager() as manager:
        with manager.start(config, listeners=0, prefix=prefix) as daemon:
            manager.wait_for(rf"^STATUS=0 sessions, .*; cannot listen on {re.escape(shown)}:8080$")
            operator = daemon.operator(subscribe=0)
            warning = operator.wait_event("warning")["text"]
            assert warning == f"listen on {shown}:8080: Cannot assign requested address"
            # A reload does not mind, nor does it say it again.
            assert operator.call("reload") == {"changed": [], "needs_restart": []}
            bits = 128 if ":" in address else 32
            how = f"ip addr add {address}/{bits} dev lo{' nodad' * (':' in address)}"
            subprocess.run(
                ["nsenter", "--net", f"--target={daemon.pid}", "/bin/sh", "-c", how], check=True
            )
            daemon.wait_log(f"listening on {re.escape(shown)}:8080")
            with in_network_of(daemon.pid, lambda: Client((address, 8080))) as client:
                client.send(b"hi\n")
                operator.wait_event("message", text="hi")
            manager.wait_for(r"^STATUS=\d sessions?, 1 operator$")
            assert len(re.findall("goes on without a listener", daemon.log())) == 1


def test_a_port_that_somebody_holds_costs_the_other_listeners_nothing():
    with socket.create_server(("127.0.0.1", 0)) as taken, Manager() as manager:
        port = taken.getsockname()[1]
        listen = [{"address": "127.0.0.1", "port": port}, {"address": "127.0.0.1", "port": 0}]
        with manager.start({"listen": listen}, listeners=1) as daemon:
            manager.wait_for(f"^READY=1\nSTATUS=.*; cannot listen on 127.0.0.1:{port}$")
            operator = daemon.operator(subscribe=0)
            warning = operator.wait_event("warning")["text"]
            assert warning == f"listen on 127.0.0.1:{port}: Address already in use"
            client, session = speaking(daemon, operator)
            # A reload of something else is not refused for it.
            daemon.home.write_config({"listen": listen, "session": {"greeting": "hello"}})
            assert operator.call("reload")["changed"] == ["session.greeting"]
            taken.close()
            daemon.wait_log(rf"listening on 127\.0\.0\.1:{port}")
            with Client(("127.0.0.1", port)) as late:
                operator.session_of(late)
            operator.call("send", to=session, text="still there")
            client.expect(b"still there\n")
            client.close()
            assert len(re.findall("goes on without a listener", daemon.log())) == 1


def test_an_address_that_is_not_ours_is_refused_by_a_reload():
    """There it is more likely to be a mistake, and the daemon goes on as it is."""
    with Daemon() as daemon:
        operator = daemon.operator()
        daemon.home.write_config({"listen": [{"address": "192.0.2.1", "port": 0}]})
        with pytest.raises(RpcError, match="listen on 192.0.2.1:0: Cannot assign"):
            operator.call("reload")
        daemon.client().close()


def test_a_restart_takes_the_same_port_again_at_once():
    """Connections of the daemon before linger in the kernel; they are no obstacle."""
    home = Home()
    try:
        with Daemon(home=home) as daemon:
            port = daemon.port
            client = daemon.client()
            client.send(b"hi\n")
            daemon.operator(subscribe=0).wait_event("message", text="hi")
        client.close()
        home.write_config({"listen": [{"address": "127.0.0.1", "port": port}]})
        with Daemon(home=home) as daemon:
            assert daemon.port == port
            daemon.client().close()
    finally:
        home.remove()


def test_clients_have_keepalive_and_no_delay():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            operator.session_of(client)
            filters = f"sport = :{daemon.port} and dport = :{client.socket.getsockname()[1]}"
            shown = wait_until(
                lambda: subprocess.run(
                    ["ss", "-Htno", "state", "established", filters],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout,
                "the connection shows",
            )
            assert "timer:(keepalive" in shown, shown


def test_a_unix_socket_for_clients_is_open_to_other_users():
    home = Home()
    path = home.path / "clients.sock"
    home.write_config({"listen": [{"address": f"unix:{path}"}]})
    try:
        with Daemon(home=home):
            assert stat.S_IMODE(path.stat().st_mode) == 0o666
    finally:
        home.remove()


def test_a_unix_socket_whose_file_was_removed_is_opened_again_by_a_reload():
    home = Home()
    path = home.path / "clients.sock"
    home.write_config({"listen": [{"address": f"unix:{path}"}]})
    try:
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            client, session = speaking(daemon, operator)
            before = daemon.fds()
            path.unlink()
            # Somebody else has its place: nothing changes, and what is there stays.
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(str(path))
                other.listen()
                with pytest.raises(RpcError, match="clients.sock"):
                    operator.call("reload")
                connect(str(path)).close()
                path.unlink()
            operator.call("reload")
            with daemon.client() as newcomer:
                operator.session_of(newcomer)
            assert stat.S_IMODE(path.stat().st_mode) == 0o666
            wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
            # A listener in its place stays, and so do its clients.
            inode = path.stat().st_ino
            operator.call("reload")
            assert path.stat().st_ino == inode
            operator.call("send", to=session, text="still there")
            client.expect(b"still there\n")
            client.close()
        assert not path.exists()
    finally:
        home.remove()


def test_an_address_is_changed_for_one_that_overlaps_by_a_reload():
    """From this machine alone to everybody, and back, on the same port."""
    with Daemon({"listen": [{"address": "127.0.0.1", "port": free_port()}]}) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        before = daemon.fds()
        for address in ("0.0.0.0", "127.0.0.1", "0.0.0.0"):
            daemon.home.write_config({"listen": [{"address": address, "port": daemon.port}]})
            operator.call("reload")
            daemon.wait_log(rf"listening on {address}:{daemon.port}\n(.*\n)*.*reloaded")
            with daemon.client() as newcomer:
                assert operator.wait_event("connected", address=newcomer.address)[
                    "listener"
                ] == f"{address}:{daemon.port}"
                newcomer.send(b"hi\n")
                newcomer.leave()
            wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
            # The port is nobody else's.
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with pytest.raises(OSError):
                    other.bind((address, daemon.port))
        # If another listener cannot be opened, all stays as it was.
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            taken = other.getsockname()[1]
            addresses = [("127.0.0.1", daemon.port), ("127.0.0.1", taken)]
            daemon.home.write_config({"listen": [{"address": a, "port": p} for a, p in addresses]})
            with pytest.raises(RpcError, match=f"127.0.0.1:{taken}: Address already in use"):
                operator.call("reload")
        with daemon.client() as newcomer:
            event = operator.wait_event("connected", address=newcomer.address)
            assert event["listener"] == f"0.0.0.0:{daemon.port}"
        operator.call("send", to=session, text="still there")
        client.expect(b"still there\n")
        client.close()


LINK_LOCAL = [
    "unshare",
    "--net",
    "/bin/sh",
    "-c",
    "ip link set lo up && ip link add desk type veth peer name far"
    " && ip link set desk up && ip link set far up"
    " && ip -6 addr add fe80::1/64 dev desk nodad"
    ' && exec "$0" "$@"',
]


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ip"), reason="only root can make a link")
def test_a_link_local_address_with_its_interface_is_listened_on_and_handed_over():
    config = {"listen": [{"address": "fe80::1%desk", "port": 0}]}
    with Daemon(config, prefix=LINK_LOCAL) as daemon:
        operator = daemon.operator()
        address, port = daemon.address[:2]
        assert address == "fe80::1%desk"

        def reach():
            (found, *_) = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
            return Client(found[4])

        with in_network_of(daemon.pid, reach) as client:
            client.send(b"hello\n")
            event = operator.wait_event("connected")
            assert event["listener"] == f"[fe80::1%desk]:{port}"
            assert event["address"].startswith("[fe80::1]:")
            operator.call("send", to=event["session"], text="you")
            client.expect(b"you\n")
            hand_over(daemon)
            daemon.operator().call("send", to=event["session"], text="still here")
            client.expect(b"still here\n")
            client.leave()
        with in_network_of(daemon.pid, reach) as late:
            late.leave()
