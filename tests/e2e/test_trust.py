"""Files, folders and processes that somebody else may have had a hand in: the log, the
transcript, the way to the control socket, whoever serves it, and operators whose group was
taken away."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import (
    CHATCTL,
    GUARD,
    Daemon,
    Home,
    run_chatd,
    speaking,
    wait_until,
)
from harness.own_mounts import own_mounts

NOBODY = 65534

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def home():
    home = Home()
    yield home
    home.remove()


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def start_refused(home):
    """What chatd says when it does not start."""
    ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
    assert ended.returncode == 1
    assert not home.control_path.exists()
    return ended.stderr


# ---- the log ----


def logging_to(home, config=None):
    """A daemon that logs to a file. It prints nothing on standard error."""
    home.write_config({"log": {"target": "file", "file": str(home.path / "chatd.log")}, **(config or {})})
    return Daemon(home=home, listeners=0)


def wait_line(path, pattern):
    def find():
        return path.exists() and re.search(pattern, path.read_text())

    wait_until(find, f"{pattern!r} in {path}")


@pytest.mark.parametrize("how", ["signal", "reload"])
def test_a_log_file_that_was_moved_away_is_made_anew(home, how):
    log, moved = home.path / "chatd.log", home.path / "chatd.log.1"
    with logging_to(home) as daemon:
        operator = daemon.operator()
        wait_line(log, "operators attach at")
        assert mode_of(log) == 0o600
        before = daemon.fds()
        log.rename(moved)
        if how == "signal":
            daemon.send_signal(signal.SIGHUP)
        else:
            operator.call("reload")
        wait_line(log, "reloaded the configuration")
        assert mode_of(log) == 0o600
        assert "reloaded" not in moved.read_text()
        assert daemon.fds() == before
    assert log.read_text().endswith("\n")


def test_a_log_file_is_opened_again_whatever_the_configuration_has_become(home):
    log = home.path / "chatd.log"
    with logging_to(home) as daemon:
        wait_line(log, "operators attach at")
        home.config_path.write_text("[nonsense]\n")
        log.rename(home.path / "chatd.log.1")
        daemon.send_signal(signal.SIGHUP)
        wait_line(log, "the configuration stays as it is")


def test_a_log_file_that_cannot_be_made_anew_goes_on_and_operators_are_told(home):
    log, moved = home.path / "chatd.log", home.path / "chatd.log.1"
    with logging_to(home) as daemon:
        operator = daemon.operator()
        wait_line(log, "operators attach at")
        log.rename(moved)
        log.symlink_to(home.path / "elsewhere")
        operator.call("reload")
        warning = operator.wait_event("warning")
        assert f"{log} is a symbolic link" in warning["text"]
        wait_line(moved, "the log goes on in the file that was open")
        assert not (home.path / "elsewhere").exists()


@needs_root
def test_logrotate_rotates_it(home):
    """The real one, with what the package has for it."""
    logrotate = shutil.which("logrotate") or "/usr/sbin/logrotate"
    assert os.path.exists(logrotate), "logrotate is missing"
    log = home.path / "chatd.log"
    rules = (Path(__file__).parents[2] / "debian/chatd.logrotate").read_text()
    rules = rules.replace("/var/log/chatd/chatd.log", str(log))
    rules = re.sub(r"\n\s+su .*", "", rules)  # a user of the package
    with logging_to(home) as daemon:
        wait_line(log, "operators attach at")
        rules, count = re.subn(r"systemctl kill .*", f"kill -HUP {daemon.pid}", rules)
        assert count == 1
        (home.path / "rules").write_text(rules)
        (home.path / "rules").chmod(0o644)
        subprocess.run(
            [logrotate, "--force", "--state", home.path / "state", home.path / "rules"],
            check=True,
            timeout=GUARD,
        )
        wait_line(log, "reloaded the configuration")
        assert mode_of(log) == 0o600
        assert "operators attach at" in (home.path / "chatd.log.1").read_text()


def test_a_log_file_that_is_a_link_is_refused(home):
    log = home.path / "chatd.log"
    log.symlink_to(home.path / "elsewhere")
    home.write_config({"log": {"target": "file", "file": str(log)}})
    assert f"{log} is a symbolic link" in start_refused(home)
    assert not (home.path / "elsewhere").exists()


def test_a_log_file_that_others_can_use_is_tightened_and_says_so(home):
    log = home.path / "chatd.log"
    log.write_text("of an earlier version\n")
    log.chmod(0o666)
    with logging_to(home):
        wait_line(log, "others could read or write")
        assert mode_of(log) == 0o640
        assert log.read_text().startswith("of an earlier version\n")


# ---- transcripts ----


def test_a_transcript_that_others_can_use_is_tightened_and_says_so(home):
    path = home.path / "transcript.db"
    config = {"transcript": {"path": str(path)}}
    with Daemon(config, home=home) as daemon:
        speaking(daemon, daemon.operator())[0].close()
    path.chmod(0o666)
    with Daemon(home=home) as daemon:
        daemon.wait_log(re.escape(f"others could read or write {path}"))
        for file in home.path.glob("transcript.db*"):
            assert mode_of(file) == 0o600, file


@pytest.mark.parametrize("beside", ["", "-wal", "-shm", "-journal", "-numbers"])
def test_a_transcript_that_is_a_link_is_refused_before_anything_is_made(home, beside):
    path = home.path / "transcript.db"
    Path(f"{path}{beside}").symlink_to(home.path / "elsewhere")
    home.write_config({"transcript": {"path": str(path)}})
    before = sorted(home.path.iterdir())
    assert f"{path}{beside} is a symbolic link" in start_refused(home)
    assert sorted(home.path.iterdir()) == before


@needs_root
def test_a_transcript_of_somebody_else_is_refused(home):
    path = home.path / "transcript.db"
    path.touch()
    os.chown(path, NOBODY, -1)
    home.write_config({"transcript": {"path": str(path)}})
    assert f"{path} belongs to nobody" in start_refused(home)


def test_a_default_transcript_in_a_folder_of_all_is_done_without(home):
    (home.path / "chatd").mkdir()
    (home.path / "chatd").chmod(0o777)
    with Daemon(home=home) as daemon:
        daemon.wait_log("goes on without transcripts: .*can be written by others")
        assert list((home.path / "chatd").iterdir()) == []


# ---- the way to the control socket ----


def test_a_folder_above_the_control_socket_that_others_may_change_is_refused(home):
    home.control_path = home.path / "open" / "run" / "control.sock"
    (home.path / "open").mkdir()
    (home.path / "open").chmod(0o777)
    (home.path / "open" / "run").mkdir(0o750)
    home.write_config({})
    assert f"the folder {home.path / 'open'} can be written by others" in start_refused(home)
    (home.path / "open").chmod(0o1777)
    with Daemon(home=home) as daemon:
        daemon.operator().call("stats")


# ---- who serves it ----

IMPOSTOR = r"""
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
s.listen()
print("listens", flush=True)
while True:
    connection, _ = s.accept()
    # In one write: it is killed at any moment, and print() writes each part by itself if unbuffered.
    os.write(1, b"got %r\n" % connection.recv(1))
"""


class Impostor:
    """A process of somebody else that listens where a daemon could, and says what it got."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [sys.executable, "-c", IMPOSTOR, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "listens\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.output = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait()


def chatctl(path, *args, env, **how):
    return subprocess.run(
        [CHATCTL, *(["--socket", str(path)] if path else []), *args],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GUARD,
        **how,
    )


@needs_root
@pytest.mark.parametrize("by", ["flag", "environment", "default"])
def test_chatctl_tells_nothing_to_somebody_elses_server(home, by):
    """In a folder of one's own, as after a mistake with its modes."""
    path = home.path / "chatd" / "control.sock"
    path.parent.mkdir()
    env = home.env | ({"CHATD_SOCKET": str(path)} if by == "environment" else {})
    with Impostor(path) as impostor:
        if by == "default" and os.path.exists("/run/chatd/control.sock"):
            pytest.skip("there is a daemon here")
        done = chatctl(path if by == "flag" else None, "send", "1", "a secret", env=env)
        assert done.returncode == 5
        assert f"{path} is served by nobody, who is neither root nor you" in done.stderr
        assert done.stdout == ""
    assert impostor.output in ("", "got b''\n")


@needs_root
def test_chatctl_asks_again_at_each_attach(home):
    daemon = Daemon(home=home)
    tail = subprocess.Popen(
        [CHATCTL, "--socket", str(home.control_path), "--json", "tail", "--since", "0"],
        env=home.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    operator = daemon.operator(subscribe=0)
    wait_until(lambda: operator.call("stats")["operators"] == 2, "tail is attached")
    assert json.loads(tail.stdout.readline())  # an event, so it has been greeted
    home.control_path.unlink()
    with Impostor(home.control_path) as impostor:
        daemon.kill()
        out, err = tail.communicate(timeout=GUARD)
        assert tail.returncode == 5
        assert "is served by nobody" in err
    assert impostor.output in ("", "got b''\n" * impostor.output.count("\n"))


@needs_root
def test_root_attaches_to_a_users_own_daemon_where_root_gave_the_folder(home):
    """As below /run/user/UID and in a home; but not in /tmp, where that user made the folder."""
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    os.chown(home.path, NOBODY, NOBODY)
    with Daemon(home=home, prefix=as_nobody) as daemon:
        refused = daemon.chatctl("--json", "stats")
        assert refused.returncode == 5
        assert "is served by nobody" in refused.stderr
        # The user attaches, of course.
        done = chatctl(daemon.control_path, "--json", "stats", env=home.env, preexec_fn=become_nobody, cwd="/")
        assert done.returncode == 0, done.stderr
    given = Path(tempfile.mkdtemp(prefix="chatd-test-", dir="/run"))
    try:
        given.chmod(0o755)
        (given / "theirs").mkdir()
        os.chown(given / "theirs", NOBODY, NOBODY)
        home.control_path = given / "theirs" / "control.sock"
        home.write_config({})
        with Daemon(home=home, prefix=as_nobody) as daemon:
            assert json.loads(daemon.chatctl("--json", "stats").stdout)["operators"] == 1
    finally:
        shutil.rmtree(given)


def become_nobody(groups=()):
    os.setgroups(list(groups))
    os.setgid(NOBODY)
    os.setuid(NOBODY)


# ---- whose group was taken away ----

GROUP = 54000
OTHER = 54001


@pytest.fixture
def groups():
    """A Home whose daemon finds its groups in `home.groups`, a file that a test may change."""
    home = Home()
    home.groups = home.path / "group"

    def members(*names):
        text = Path("/etc/group").read_text()
        text += f"chatd-test:x:{GROUP}:{','.join(names)}\nchatd-other:x:{OTHER}:\n"
        home.groups.write_text(text)

    home.set_members = members
    members("nobody")
    try:
        with own_mounts('mount --bind "$0" /etc/group', home.groups, home.path) as home.prefix:
            yield home
    finally:
        home.remove()


MEMBER = """
import os, socket, sys
os.setgroups([int(sys.argv[2])]); os.setgid(65534); os.setuid(int(sys.argv[3]))
while True:
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"stats"}\\n')
    for line in s.makefile():
        print(line.rstrip(), flush=True)
    print("end", flush=True)
    if not sys.stdin.readline():
        break
"""


class Member:
    """A process that has a group, and attaches again whenever it is told to."""

    def __init__(self, daemon, group=GROUP, user=NOBODY):
        self.process = subprocess.Popen(
            [sys.executable, "-c", MEMBER, str(daemon.control_path), str(group), str(user)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def line(self):
        line = self.process.stdout.readline()
        return "end" if line == "end\n" else json.loads(line)

    def come_again(self):
        self.process.stdin.write("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def test_an_operator_whose_group_was_taken_away_is_detached_by_a_reload(groups):
    config = {"control": {"group": "chatd-test"}}
    with Daemon(config, home=groups, prefix=groups.prefix) as daemon:
        operator = daemon.operator()
        # Of a user that the databases do not know in the group: systemd gives services groups.
        with Member(daemon) as member, Member(daemon, user=1) as service:
            assert "result" in member.line()
            assert "result" in service.line()
            operator.call("reload")
            assert operator.call("stats")["operators"] == 3
            groups.set_members()
            assert operator.call("stats")["operators"] == 3
            operator.call("reload")
            error = member.line()["error"]
            assert error["code"] == 3
            assert error["message"] == (
                "user nobody is not allowed here: not in control.group any more"
            )
            assert member.line() == "end"
            daemon.wait_log("detached operator nobody: user nobody is not allowed here")
            assert operator.call("stats")["operators"] == 2
            # The process still has the group, by the kernel's word.
            member.come_again()
            assert member.line()["error"]["code"] == 3
            assert member.line() == "end"
            groups.set_members("nobody")
            member.come_again()
            assert "result" in member.line()


def test_operators_of_a_group_that_is_not_control_group_any_more_are_detached(groups):
    config = {"control": {"group": "chatd-test"}}
    with Daemon(config, home=groups, prefix=groups.prefix) as daemon:
        operator = daemon.operator()
        with Member(daemon) as member:
            assert "result" in member.line()
            groups.write_config({"control": {"group": "chatd-other"}})
            os.chown(daemon.control_path.parent, -1, OTHER)
            assert operator.call("reload")["changed"] == ["control.group"]
            assert daemon.control_path.stat().st_gid == OTHER
            assert "not in control.group" in member.line()["error"]["message"]
            assert member.line() == "end"
            with Member(daemon, group=OTHER) as other:
                assert "result" in other.line()
                # One that is not there changes nothing.
                groups.write_config({"control": {"group": "no-such-group"}})
                daemon.send_signal(signal.SIGHUP)
                daemon.wait_log("the configuration stays as it is: control.group: there is no")
                groups.write_config({})
                assert operator.call("reload")["changed"] == ["control.group"]
                assert "not in control.group" in other.line()["error"]["message"]
                assert other.line() == "end"
        assert operator.call("stats")["operators"] == 1
