"""Where chatctl looks for its daemon, and what it and chatd say of variables that mean nothing."""

import json
import os
import socket
import subprocess
import threading

import pytest

from harness import CHATCTL, GUARD, Daemon, Home, run_chatd

pytestmark = pytest.mark.skipif(
    os.path.exists("/run/chatd/control.sock"), reason="this machine's own daemon would be found"
)
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


class Refuser:
    """A daemon at that place which lets nobody in, as chatd says it."""

    def __init__(self, path, code=3, reason="not for you"):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.line = json.dumps(
            {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": reason}}
        ).encode()
        self.asked = 0
        threading.Thread(target=self._refuse, daemon=True).start()

    def _refuse(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.asked += 1
            connection.sendall(self.line + b"\n")
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def chatctl(env, *words, prefix=(), **how):
    return subprocess.run(
        [*prefix, CHATCTL, *words],
        env=env,
        cwd="/",
        stdin=None if "input" in how else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GUARD,
        **how,
    )


@pytest.fixture
def own():
    """A daemon at a place of its user, behind which another one has been put."""
    home = Home()
    home.control_path = home.path / "chatd" / "control.sock"
    try:
        with Daemon(home=home, config={}) as daemon:
            first = home.path / "system" / "control.sock"
            env = home.env | {"RUNTIME_DIRECTORY": str(first.parent)}
            yield daemon, first, env
    finally:
        home.remove()


def test_a_daemon_that_refuses_is_passed_over(own):
    daemon, first, env = own
    operator = daemon.operator()
    client = daemon.client()
    operator.session_of(client)
    with Refuser(first) as refuser:
        done = chatctl(env, "--json", "list")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert json.loads(done.stdout)["address"] == client.address
        # The console, too, and all that it does goes to the same daemon.
        done = chatctl(env, input="/all from the console\n/quit\n")
        assert done.returncode == 0, done
        client.expect(b"from the console\n")
        assert refuser.asked == 2
    client.close()


def test_a_place_that_was_named_is_the_only_one(own):
    daemon, first, env = own
    with Refuser(first):
        for words, named in [
            (["list"], env | {"CHATD_SOCKET": str(first)}),
            (["--socket", str(first), "list"], env),
        ]:
            done = chatctl(named, *words)
            assert done.returncode == 5, done
            assert "not for you" in done.stderr and str(daemon.control_path) not in done.stderr
    nowhere = str(first.parent / "nowhere.sock")
    done = chatctl(env | {"CHATD_SOCKET": nowhere}, "list")
    assert done.returncode == 3
    assert done.stderr == f"chatctl: no daemon: connecting to {nowhere}: No such file or directory\n"


def test_a_place_that_is_named_by_an_empty_word_is_no_other_one(own):
    daemon, first, env = own
    for words, named, code in [
        (["stop"], env | {"CHATD_SOCKET": "/wrong"}, 3),
        (["--socket", "/wrong", "stop"], env, 3),
        (["stop"], env | {"CHATD_SOCKET": ""}, 2),
        (["--socket", "", "stop"], env, 2),
        ([], env | {"CHATD_SOCKET": ""}, 2),
    ]:
        done = chatctl(named, *words)
        assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr == (
        "chatctl: CHATD_SOCKET is empty: give it the path of a socket, or unset it\n"
    )
    assert daemon.alive()
    # Where --socket says which one, nobody asks the variable.
    done = chatctl(env | {"CHATD_SOCKET": ""}, "--socket", str(daemon.control_path), "stats")
    assert done.returncode == 0, done


def test_a_daemon_that_is_full_is_the_one_that_was_meant(own):
    _, first, env = own
    with Refuser(first, 4, "the limit of operators is reached (control.max_operators)"):
        done = chatctl(env, "list")
        assert done.returncode == 5 and "the limit of operators is reached" in done.stderr, done


def test_all_places_that_were_tried_are_named_with_the_reason():
    home = Home()
    try:
        first = home.path / "system" / "control.sock"
        env = home.env | {"RUNTIME_DIRECTORY": str(first.parent)}
        places = [str(first), "/run/chatd/control.sock", f"{home.path}/chatd/control.sock"]
        done = chatctl(env, "list")
        assert done.returncode == 3, done
        for place in places:
            assert f"{place}: No such file or directory" in done.stderr, done.stderr
        with Refuser(first):
            done = chatctl(env, "list")
        assert done.returncode == 5 and done.stdout == ""
        assert done.stderr.startswith(f"chatctl: no daemon that lets you in: {first}: not for you; ")
        assert f"{places[2]}: No such file or directory" in done.stderr
    finally:
        home.remove()


@needs_root
def test_a_folder_that_is_closed_to_one_is_passed_over(own):
    _, first, env = own
    first.parent.mkdir()
    first.parent.chmod(0o700)
    with Refuser(first):
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = chatctl(env | {"XDG_RUNTIME_DIR": "/nowhere"}, "list", prefix=nobody)
        assert done.returncode == 5, done
        assert f"{first}: Permission denied; " in done.stderr
        assert "/nowhere/chatd/control.sock: No such file or directory" in done.stderr


def test_chatd_warns_of_variables_that_mean_nothing():
    env = {
        "CHATD_LIMITS_SESIONS": "5",
        "CHATD_PORT": "tcp://10.0.0.7:8080",
        "CHATD_SERVICE_HOST": "10.0.0.7",
        "CHATD_LIMITS_SESSIONS_PER_ADDRESS": "50",
    }
    sentence = (
        "the variable CHATD_LIMITS_SESIONS is not known; did you mean CHATD_LIMITS_SESSIONS?"
    )
    with Daemon(env=env) as daemon:
        daemon.wait_log(sentence.replace("?", r"\?"))
        assert daemon.log().count("is not known") == 1
    done = run_chatd("--check-config", env=env)
    assert (done.returncode, done.stderr) == (0, f"warning: {sentence}\n")
    assert run_chatd("--check-config").stderr == ""


def test_chatctl_warns_of_variables_that_mean_nothing():
    with Daemon() as daemon:
        env = daemon.env | {
            "CHATD_SOKET": "/elsewhere",
            "CHATD_PORT_8080_TCP_ADDR": "10.0.0.7",
            "CHATD_LIMITS_SESIONS": "5",  # chatd's to judge
        }
        done = chatctl(env, "--socket", str(daemon.control_path), "stats")
        assert done.returncode == 0 and done.stdout
        assert done.stderr == (
            "chatctl: the variable CHATD_SOKET is not known; did you mean CHATD_SOCKET?\n"
        )
