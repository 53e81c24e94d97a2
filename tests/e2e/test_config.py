"""The command line, the configuration file, the environment, and reload."""

import os
import pty
import re
import signal
import socket
import subprocess
import tomllib

import pytest

from harness import (
    CHATD,
    Client,
    Daemon,
    Home,
    RpcError,
    parse_endpoint,
    run_chatd,
    speaking,
    to_toml,
    wait_until,
)

FAULTY = """\
[session]
settle = 50
colour = "red"
max_message = "8 parsecs"

[[listen]]
address = "localhost"
port = 99999
dialect = "klingon"

[limit]
sessions = 5
"""


@pytest.fixture
def home():
    made = Home()
    yield made
    made.remove()


def test_check_config_says_nothing_about_a_good_file(home):
    home.write_config({"session": {"settle": "20ms"}})
    checked = run_chatd("--config", home.config_path, "--check-config", home=home)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert not home.control_path.exists()


def test_check_config_says_that_a_file_is_right_on_a_terminal(home):
    home.write_config({})

    def said(*args):
        master, slave = pty.openpty()
        try:
            ended = subprocess.run(
                [CHATD, *map(str, args)], env=home.env, stdout=slave, stderr=subprocess.PIPE
            )
            os.close(slave)
            text = b""
            while True:  # until the terminal has no other end
                try:
                    text += os.read(master, 1024)
                except OSError:
                    return ended.returncode, text.decode().replace("\r", "")
        finally:
            os.close(master)

    right = said("--config", home.config_path, "--check-config")
    assert right == (0, f"{home.config_path}: right\n")
    home.write_config(FAULTY)
    assert said("--config", home.config_path, "--check-config") == (78, "")


def test_a_second_chatd_says_that_one_runs_already(home):
    with Daemon(home=home) as daemon:
        ended = run_chatd("--config", home.config_path, home=home)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr == (
            f"chatd runs already (pid {daemon.process.pid}); "
            f"its console is chatctl --socket {home.control_path}\n"
        )
        assert daemon.alive()
        # Nobody has heard of it.
        assert daemon.operator().events_of("operator") == []


def test_short_forms_of_a_place_to_listen_on(home):
    home.write_config({})
    with Daemon(home=home, args=["--listen", "localhost:0"]) as daemon:
        operator = daemon.operator()
        with Client(daemon.address) as client:
            operator.session_of(client)
        assert daemon.host == "127.0.0.1"


def test_check_config_says_every_fault_at_its_place_one_a_line_and_exits_78(home):
    home.write_config(FAULTY)
    checked = run_chatd("--config", home.config_path, "--check-config", home=home)
    assert checked.returncode == 78
    lines = (checked.stdout + checked.stderr).splitlines()
    places = []
    for line in lines:
        match = re.fullmatch(re.escape(str(home.config_path)) + r":(\d+):(\d+): ([\w.]+): .+", line)
        assert match, line
        places.append((int(match[1]), match[3].rpartition(".")[2]))
    assert sorted(places) == [
        (2, "settle"),
        (3, "colour"),
        (4, "max_message"),
        (7, "address"),
        (8, "port"),
        (9, "dialect"),
        (11, "limit"),
    ]
    assert "limits" in lines[-1]  # the nearest name that would be right


@pytest.mark.parametrize(
    "text",
    ["[session\n", "a = \n", "[" * 20000, '[session]\nsettle = "1s"\nsettle = "2s"\n', "\x00"],
    ids=["an open bracket", "no value", "20,000 brackets", "a key twice", "NUL"],
)
def test_what_is_not_toml_is_said_at_its_line_and_is_exit_code_78(home, text):
    home.write_config(text)
    for more in (["--check-config"], ["--console", "off"]):
        ended = run_chatd("--config", home.config_path, *more, home=home)
        assert ended.returncode == 78, ended
        assert f"{home.config_path}:" in ended.stdout + ended.stderr
        assert len((ended.stdout + ended.stderr).splitlines()[0]) < 1000


def test_a_bad_file_is_exit_code_78_before_anything_is_bound(home):
    home.write_config(FAULTY)
    ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert f"{home.config_path}:2:" in ended.stderr and f"{home.config_path}:9:" in ended.stderr
    assert not home.control_path.parent.exists()


def test_a_file_that_is_not_there_or_is_a_folder_is_exit_code_78(home):
    for path in (home.path / "missing.toml", home.path):
        for more in (["--check-config"], ["--console", "off"]):
            ended = run_chatd("--config", path, *more, home=home)
            assert ended.returncode == 78, ended
            assert str(path) in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["--no-such-option"],
        ["--config"],
        ["--listen", "here"],
        ["--listen", "127.0.0.1:99999"],
        ["--console", "perhaps"],
        ["unexpected"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(args):
    ended = run_chatd(*args)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1, ended.stderr


def test_an_unknown_option_is_answered_with_the_nearest_one():
    assert "--config" in run_chatd("--confg", "x").stderr


def test_version_and_help_are_data():
    version = run_chatd("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.fullmatch(r"chatd \d+\.\d+\.\d+\n", version.stdout)
    shown = run_chatd("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "--check-config" in shown.stdout


def printed(home, *args, env=None):
    """What --print-config says, as data and as text."""
    ended = run_chatd("--config", home.config_path, "--print-config", *args, home=home, env=env)
    assert ended.returncode == 0, ended.stderr
    return tomllib.loads(ended.stdout), ended.stdout


def test_print_config_names_the_origin_of_each_value_and_loads_again(home):
    home.write_config({"session": {"settle": "20ms", "greeting": 'Grüß "Gott"\t\\'}})
    env = {"CHATD_LIMITS_SESSIONS": "77"}
    values, text = printed(home, "--listen", "127.0.0.1:0", env=env)
    assert values["session"]["settle"] == "20ms"
    assert values["session"]["greeting"] == 'Grüß "Gott"\t\\'
    assert values["limits"]["sessions"] == 77
    assert values["listen"] == [values["listen"][0] | {"address": "127.0.0.1", "port": 0}]

    def line_of(key):
        return re.search(rf"(?m)^{key}\b.*$", text).group()

    assert str(home.config_path) in line_of("settle")
    assert "CHATD_LIMITS_SESSIONS" in line_of("sessions")
    assert "--listen" in line_of("address")
    assert "default" in line_of("max_message")
    again = Home()
    try:
        again.config_path.write_text(text)
        assert printed(again)[0] == values
    finally:
        again.remove()


def test_flag_beats_environment_beats_file_beats_default(home):
    home.write_config(
        {
            "listen": [{"address": "127.0.0.2", "port": 0}],
            "session": {"settle": "20ms", "greeting": "file"},
        }
    )
    env = {"CHATD_SESSION_GREETING": "environment", "CHATD_LISTEN": "127.0.0.3:0"}
    values, _ = printed(home, env=env)
    assert values["session"]["greeting"] == "environment"
    assert values["session"]["settle"] == "20ms"
    assert values["session"]["bye_grace"] == "30s"
    assert [entry["address"] for entry in values["listen"]] == ["127.0.0.3"]
    values, _ = printed(home, "--listen", "127.0.0.4:0", env=env)
    assert [entry["address"] for entry in values["listen"]] == ["127.0.0.4"]


def test_a_fault_in_the_environment_names_the_variable(home):
    home.write_config({})
    env = {"CHATD_SESSION_SETTLE": "soon"}
    checked = run_chatd("--config", home.config_path, "--check-config", home=home, env=env)
    assert checked.returncode == 78
    assert "CHATD_SESSION_SETTLE" in checked.stdout + checked.stderr


def test_the_environment_can_name_the_file(home):
    home.write_config({"session": {"greeting": "from that file"}})
    ended = run_chatd("--print-config", home=home, env={"CHATD_CONFIG": str(home.config_path)})
    assert tomllib.loads(ended.stdout)["session"]["greeting"] == "from that file"


def test_without_configuration_there_is_one_listener_where_the_original_client_looks(home):
    ended = run_chatd("--print-config", home=home)
    (listener,) = tomllib.loads(ended.stdout)["listen"]
    assert (listener["address"], listener["port"]) == ("127.0.0.1", 8080)
    assert listener["dialect"] == "auto"


# Reload.


def reload_by(daemon, operator, how, home, config):
    """Writes a new file, makes the daemon load it, and waits until that is done."""
    home.write_config(config)
    if how == "method":
        return operator.call("reload")
    before = len(daemon.log())
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: "reload" in daemon.log()[before:].lower(), "the reload is logged")
    return None


@pytest.mark.parametrize("how", ["method", "SIGHUP"])
def test_reload_adds_and_removes_listeners_without_touching_sessions(home, how):
    ports = []
    for _ in range(3):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            ports.append(probe.getsockname()[1])
    first, second, third = ({"address": "127.0.0.1", "port": port} for port in ports)
    home.write_config({"listen": [first, second]})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        pairs = [
            speaking(daemon, operator, address=("127.0.0.1", port)) for port in ports[:2]
        ]
        result = reload_by(daemon, operator, how, home, {"listen": [second, third]})
        if result is not None:
            assert any(key.startswith("listen") for key in result["changed"])
            assert result["needs_restart"] == []

        def refused():
            try:
                Client(("127.0.0.1", ports[0])).close()
                return False
            except ConnectionRefusedError:
                return True

        wait_until(refused, "the first listener is gone")
        with Client(("127.0.0.1", ports[2])) as client:
            operator.session_of(client)
        with Client(("127.0.0.1", ports[1])) as client:
            operator.session_of(client)
        for client, session in pairs:
            operator.call("send", to=session, text="you have noticed nothing")
            client.expect(b"you have noticed nothing\n")
            client.close()


def test_reload_keeps_a_listener_on_a_free_port_and_finds_one_for_another(home):
    one = {"address": "127.0.0.1", "port": 0}
    two = {"address": "127.0.0.2", "port": 0}
    home.write_config({"listen": [one]})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        home.write_config({"listen": [one, two]})
        operator.call("reload")
        text = daemon.wait_log(r"listening on (127\.0\.0\.2:\d+)").group(1)
        for address in (daemon.address, parse_endpoint(text)):
            with Client(address) as client:
                operator.session_of(client)


def test_reload_changes_the_dialect_of_a_listener_for_whoever_comes_next(home):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    listener = {"address": "127.0.0.1", "port": port}
    home.write_config({"listen": [listener | {"dialect": "line"}]})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        with daemon.client() as before:
            session = operator.session_of(before)
            home.write_config({"listen": [listener | {"dialect": "telnet"}]})
            operator.call("reload")
            assert operator.session(session)["dialect"] == "line"
            with daemon.client() as after:
                assert operator.session(operator.session_of(after))["dialect"] == "telnet"


def test_reload_gives_desks_other_words_and_replies(home):
    home.write_config({"replies": {"hello": "Hello {name}"}})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        before = {
            "bell": "first",
            "highlight": [],
            "replies": {"hello": "Hello {name}"},
            "claim_on_answer": False,
        }
        assert operator.call("desk") == before
        home.write_config({"console": {"bell": "loud"}, "replies": {"two words": "x"}})
        with pytest.raises(RpcError):
            operator.call("reload")
        assert operator.call("desk") == before
        home.write_config(
            {
                "console": {"bell": "all", "highlight": ["urgent"], "claim_on_answer": True},
                "replies": {"bye": "Good bye, {name}.\n{operator}"},
                "names": {"192.0.2.0/24": "lab"},
            }
        )
        assert operator.call("reload") == {
            "changed": [
                "console.bell",
                "console.highlight",
                "console.claim_on_answer",
                "replies",
                "names",
            ],
            "needs_restart": [],
        }
        assert operator.call("desk") == {
            "bell": "all",
            "highlight": ["urgent"],
            "replies": {"bye": "Good bye, {name}.\n{operator}"},
            "claim_on_answer": True,
        }


def test_reload_says_what_changed_and_what_needs_a_restart(home):
    home.write_config({"session": {"greeting": "old"}})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        assert operator.call("reload") == {"changed": [], "needs_restart": []}
        home.write_config(
            {
                "session": {"greeting": "new"},
                "control": {"path": str(home.path / "elsewhere.sock")},
            }
        )
        assert operator.call("reload") == {
            "changed": ["session.greeting"],
            "needs_restart": ["control.path"],
        }
        with daemon.client() as client:
            client.send(b"hi\n")
            client.expect(b"new\n")
        operator.call("stats")


@pytest.mark.parametrize("how", ["method", "SIGHUP"])
def test_reload_of_a_bad_file_changes_nothing_and_says_why(home, how):
    config = {"session": {"greeting": "old"}}
    home.write_config(config)
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        client.expect(b"old\n")
        bad = to_toml({"session": {"greeting": "new", "settle": "soon"}, "limits": {"session": 1}})
        home.write_config(bad)
        if how == "method":
            with pytest.raises(RpcError) as refused:
                operator.call("reload")
            assert refused.value.code == 3
            said = refused.value.message
        else:
            daemon.send_signal(signal.SIGHUP)
            daemon.wait_log("limits.session")
            said = daemon.log()
        assert f"{home.config_path}:3:" in said and "session.settle" in said
        assert f"{home.config_path}:5:" in said and "limits.session" in said
        with daemon.client() as other:
            other.send(b"hi\n")
            other.expect(b"old\n")
        operator.call("send", to=session, text="still here")
        client.expect(b"still here\n")
        client.close()
        # And once it is good again, it is taken.
        home.write_config(config | {"session": {"greeting": "new"}})
        assert operator.call("reload")["changed"] == ["session.greeting"]


def test_reload_with_a_listener_that_cannot_be_bound_changes_nothing(home):
    home.write_config({"session": {"greeting": "old"}})
    with Daemon(home=home) as daemon, socket.create_server(("127.0.0.1", 0)) as taken:
        operator = daemon.operator()
        before = daemon.fds()
        port = taken.getsockname()[1]
        home.write_config(
            {
                "listen": [
                    {"address": "127.0.0.2", "port": 0},
                    {"address": "127.0.0.1", "port": port},
                ],
                "session": {"greeting": "new"},
            }
        )
        with pytest.raises(RpcError) as refused:
            operator.call("reload")
        assert f"127.0.0.1:{port}" in refused.value.message
        wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
        with daemon.client() as client:
            client.send(b"hi\n")
            client.expect(b"old\n")


def test_reload_of_a_file_that_has_gone_changes_nothing(home):
    home.write_config({"session": {"greeting": "old"}})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        home.config_path.unlink()
        with pytest.raises(RpcError) as refused:
            operator.call("reload")
        assert refused.value.code == 3 and str(home.config_path) in refused.value.message
        with daemon.client() as client:
            client.send(b"hi\n")
            client.expect(b"old\n")


def test_reload_with_lower_limits_ends_nobody(home):
    home.write_config({"limits": {"sessions": 5}})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        pairs = [speaking(daemon, operator) for _ in range(4)]
        home.write_config({"limits": {"sessions": 2}})
        assert operator.call("reload")["changed"] == ["limits.sessions"]
        for client, session in pairs:
            operator.call("send", to=session, text="stay")
            client.expect(b"stay\n")
        with daemon.client() as refused:
            assert refused.socket.recv(100) == b""
        before = daemon.fds()
        for client, _ in pairs[:3]:
            client.leave()
        wait_until(lambda: daemon.fds() == before - 3, "three places are free")
        speaking(daemon, operator)[0].close()
        pairs[3][0].close()


def test_a_log_file_that_cannot_be_opened_is_a_clear_error(home):
    path = f"{home.config_path}/chatd.log"  # in a folder that is a file
    home.write_config({"log": {"target": "file", "file": path}})
    ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
    assert ended.returncode == 1
    assert path in ended.stderr
    assert not home.control_path.exists()


def test_many_reloads_leave_no_descriptor_behind(home):
    one = {"address": "127.0.0.1", "port": 0}
    two = {"address": "127.0.0.2", "port": 0}
    home.write_config({"listen": [one]})
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        before = daemon.fds()
        for _ in range(20):
            home.write_config({"listen": [one, two]})
            operator.call("reload")
            home.write_config({"listen": [one]})
            operator.call("reload")
        wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
