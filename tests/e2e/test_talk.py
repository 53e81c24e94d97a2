"""chatctl talk: a client of a chat server, in a terminal and in a pipe, against the real daemon
and against servers that are not as kind."""

import os
import select
import shutil
import signal
import socket
import subprocess
import time

import pexpect
import pytest

from harness import CHATCTL, GUARD, Client, Daemon, wait_until
from harness.desk import Desk
from test_hostile_text import HOSTILE, assert_harmless

ENV = os.environ | {"TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1"}


class OtherSide(Client):
    """The end of a connection that a test has accepted."""

    def __init__(self, accepted):
        accepted.settimeout(GUARD)
        self.socket = accepted
        self.pending = b""


class Server:
    """A server that says what a test says. `at` is what talk takes."""

    def __init__(self, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.bind((host, port))
        self.listener.listen()
        self.listener.settimeout(GUARD)
        self.port = self.listener.getsockname()[1]
        self.at = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def accept(self):
        return OtherSide(self.listener.accept()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


@pytest.fixture
def server():
    with Server() as made:
        yield made


def spawn(*words, prefix=(), columns=80):
    argv = [*prefix, CHATCTL, "talk", *words]
    child = pexpect.spawn(
        argv[0],
        argv[1:],
        env=ENV,
        dimensions=(24, columns),
        encoding="utf-8",
        codec_errors="backslashreplace",
        timeout=GUARD,
    )
    return Desk(child, columns)


def talking(at):
    """A desk with a conversation, once it has a prompt."""
    desk = spawn(at)
    desk.wait(r"^\* connected to ")
    desk.wait_line("> ")
    return desk


def run(*words, prefix=(), **how):
    how = {"stdin": subprocess.DEVNULL} | how
    if "input" in how:
        how.pop("stdin")
    return subprocess.run(
        [*prefix, CHATCTL, "talk", *words], env=ENV, capture_output=True, timeout=GUARD, **how
    )


def popen(*words, **how):
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | how
    return subprocess.Popen([CHATCTL, "talk", *words], env=ENV, **how)


def flood(other, piece, most=64 * 1024 * 1024):
    """Sends until nothing is taken for half a second. Returns how much was; asserts that
    it has an end."""
    other.socket.setblocking(False)
    sent = 0
    while select.select([], [other.socket], [], 0.5)[1]:
        data = (piece * (1 + 65536 // len(piece)))[sent % len(piece) :]
        sent += other.socket.send(data)
        assert sent < most, "nothing stops it"
    return sent


def assert_stays(process):
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)


LONG_FILE = 128 * 1024 * 1024


def long_file(folder):
    path = folder / "long"
    with open(path, "wb") as file:
        file.truncate(LONG_FILE)
    return open(path, "rb")


def count_all(other):
    """How many bytes come before the end of file."""
    count = 0
    while data := other.socket.recv(1024 * 1024):
        count += len(data)
    return count


def wait_until_asleep(pid):
    """Waits until the process has read some of its input, and reads no more."""

    def position():
        with open(f"/proc/{pid}/fdinfo/0") as info:
            return info.readline()

    def asleep():
        before = position()
        time.sleep(0.2)  # It reads more than once in this time, unless it waits.
        return position() == before != "pos:\t0\n"

    wait_until(asleep, "it waits")


# In a terminal.


def test_a_conversation_with_the_daemon_has_line_editing():
    with Daemon() as daemon:
        operator = daemon.operator()
        desk = talking(daemon.endpoints[0])
        assert f"* connected to {daemon.endpoints[0]}\n" in desk.text()
        desk.type("ello\x1b[D\x1b[D\x1b[D\x1b[Dh\x05 wörld\r")
        session = operator.wait_event("message", text="hello wörld")["session"]
        operator.call("send", to=session, text="two\nlines äöü 你好")
        desk.wait("^< two\n< lines äöü 你好$")
        # What was said can be said again.
        desk.type("\x1b[A!\r")
        operator.wait_event("message", session=session, text="hello wörld!")
        desk.wait_line("> ")
        operator.call("bye", session=session)
        assert desk.wait_end() == 0
        assert desk.text().splitlines()[1:] == [
            "> hello wörld",
            "< two",
            "< lines äöü 你好",
            "> hello wörld!",
            "* the other side has closed the connection",
        ]


def test_what_arrives_leaves_the_line_being_typed_as_it_is(server):
    desk = talking(server.at)
    with server.accept() as other:
        desk.type("half a l\x01")
        desk.wait_line("> half a l")
        other.send(b"interrupted\n")
        desk.wait(r"^< interrupted$")
        desk.type("not \x05ine\r")
        other.expect(b"not half a line\n")
        # A paste of several lines goes out at once.
        desk.type("\x1b[200~one\ntwo\x1b[201~\r")
        other.expect(b"one\ntwo\n")
    assert desk.wait_end() == 0


def test_a_line_that_is_being_typed_when_the_server_closes_goes_nowhere(server):
    desk = talking(server.at)
    with server.accept():
        desk.type("half a line")
        desk.wait_line("> half a line")
    desk.wait(r"^\* the other side has closed the connection$")
    desk.wait(r"^\* what is being typed goes nowhere; Enter leaves$")
    desk.type(" and the rest")
    desk.wait_line("> half a line and the rest")
    assert desk.child.isalive()
    desk.enter()
    assert desk.wait_end() == 0


def test_text_without_a_line_end_is_shown_when_nothing_follows(server):
    desk = talking(server.at)
    with server.accept() as other:
        other.send("a prompt without LF: ä".encode())
        desk.wait("^< a prompt without LF: ä$")
        other.send(b"\nnext\n")
        desk.wait("^< next$")
        other.send(b"the last")
    assert desk.wait_end() == 0
    said = [line for line in desk.text().splitlines() if line.startswith("<")]
    assert said == ["< a prompt without LF: ä", "< next", "< the last"]


def test_hostile_text_reaches_no_terminal(server):
    desk = talking(server.at)
    with server.accept() as other:
        for text in HOSTILE.values():
            other.send(text.encode() + b"\n")
        other.send(b"* forged\n> forged\n\xff\xfe\n")
    assert desk.wait_end() == 0
    shown = desk.text()
    for line in shown.splitlines():
        assert_harmless(line, "talk")
    assert "\n< * forged\n< > forged\n< \\xff\\xfe\n" in shown
    assert "< \\x1b[2J\\x1b]0;title\\x07\\x1b[31mred\n" in shown


def test_ctrl_c_clears_the_line_and_then_leaves(server):
    desk = talking(server.at)
    with server.accept() as other:
        desk.type("a password for another window")
        desk.wait_line("> a password for another window")
        desk.type("\x03")
        desk.wait_line("> ")
        desk.type("said\r")
        other.expect(b"said\n")
        desk.type("\x12sai")
        desk.wait(r"\(reverse-i-search\)`sai': said")
        desk.type("\x03")
        desk.wait_line("> ")
        desk.type("again\r")
        other.expect(b"again\n")
        desk.wait_line("> ")
        desk.type("\x03")
        assert desk.wait_end() == 0
        other.expect_end()


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_ctrl_d_closes_the_sending_side_and_what_comes_is_still_heard(server, key):
    desk = talking(server.at)
    with server.accept() as other:
        desk.type("a question\r\x04")
        other.expect(b"a question\n")
        other.expect_end()
        desk.wait(r"^\* end of file sent")
        other.send(b"an answer\nand no LF")
        desk.wait("^< an answer\n< and no LF$")
        assert desk.child.isalive()
        desk.type(key)
        assert desk.wait_end() == 0


def test_ctrl_d_waits_for_the_end_of_the_other_side(server):
    desk = talking(server.at)
    with server.accept() as other:
        desk.type("\x04")
        other.expect_end()
        other.send(b"the answer\n")
    assert desk.wait_end() == 0
    assert desk.text().splitlines()[-2:] == [
        "< the answer",
        "* the other side has closed the connection",
    ]


def test_a_broken_connection_has_an_exit_code_of_its_own_in_a_terminal(server):
    desk = talking(server.at)
    other = server.accept()
    desk.type("half")
    other.send(b"before it broke")
    desk.wait("^< before it broke$")
    other.reset()
    desk.wait(r"^\* the connection broke: Connection reset by peer$")
    desk.wait(r"^\* what is being typed goes nowhere; Enter leaves$")
    desk.enter()
    assert desk.wait_end() == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_the_terminal_is_given_back_whatever_ends_the_conversation(server, number):
    shell = pexpect.spawn(
        "/bin/sh",
        ["-c", 'stty -g; "$0" talk "$1"; code=$?; stty -g; echo "code $code."', CHATCTL, server.at],
        env=ENV,
        encoding="utf-8",
        timeout=GUARD,
    )
    shell.expect(r"([0-9a-f:]+)\r\n")
    before = shell.match.group(1)
    shell.expect("> ")
    shell.send("half a line")
    with server.accept():
        talk = subprocess.run(
            ["ps", "--ppid", str(shell.pid), "-o", "pid="], capture_output=True, text=True
        ).stdout
        os.kill(int(talk.split()[0]), number)
        shell.expect(before + rf"\s+code {128 + number}\.")
    shell.close()


def test_a_flood_waits_for_a_terminal_that_stands_still(server):
    desk = talking(server.at)
    with server.accept() as other:
        desk.reading.clear()
        other.send(b"first\n")  # The reader stops after this at the latest.
        sent = flood(other, b"x" * 99 + b"\n")
        desk.reading.set()
        other.socket.settimeout(GUARD)
        other.send(b"y" * (100 - sent % 100) + b"\nlast\n")
    assert desk.wait_end() == 0
    assert desk.text().count("\n< " + "x" * 78) >= sent // 100 - 1
    assert desk.text().splitlines()[-2:] == [
        "< last",
        "* the other side has closed the connection",
    ]


# In a pipe.


def test_a_piped_question_gets_its_answer():
    with Daemon() as daemon:
        operator = daemon.operator()
        asker = popen(daemon.endpoints[0])
        asker.stdin.write(b"deploy?\n")
        asker.stdin.close()
        session = operator.wait_event("message", text="deploy?")["session"]
        wait_until(lambda: operator.session(session)["state"] == "asking", "asking")
        operator.call("send", to=session, text="yes, go ahead")
        assert asker.wait(GUARD) == 0
        assert asker.stdout.read() == b"yes, go ahead\n"
        assert asker.stderr.read().decode() == f"chatctl: connected to {daemon.endpoints[0]}\n"
        asker.stdout.close()
        asker.stderr.close()


def test_a_pipe_hears_the_bytes_as_they_are(server):
    raw = bytes(range(256)) * 3 + b"\r\n\x1b[31m no LF"
    hearer = popen(server.at, stdin=subprocess.DEVNULL)
    with server.accept() as other:
        other.expect_end()
        other.send(raw)
    assert hearer.communicate(timeout=GUARD)[0] == raw
    assert hearer.returncode == 0


def test_a_line_from_a_pipe_leaves_in_one_piece_and_the_last_gets_its_end(server):
    speaker = popen(server.at)
    with server.accept() as other:
        speaker.stdin.write(b"hel")
        speaker.stdin.flush()
        other.expect_silence(0.2)
        speaker.stdin.write(b"lo\nand the l")
        speaker.stdin.flush()
        other.expect(b"hello\n")
        other.expect_silence(0.2)
        speaker.stdin.write(b"ast")
        speaker.stdin.close()
        assert other.take_all() == b"and the last\n"
    assert speaker.wait(GUARD) == 0
    speaker.stdout.close()
    speaker.stderr.close()


def test_a_long_line_passes_without_being_kept(server):
    line = b"x" * (3 * 1024 * 1024)
    speaker = popen(server.at)
    with server.accept() as other:
        speaker.stdin.write(line)
        speaker.stdin.flush()
        assert len(other.take(len(line) - 65536)) == len(line) - 65536
        speaker.stdin.close()
        assert len(other.take_all()) == 65537
    assert speaker.wait(GUARD) == 0
    speaker.stdout.close()
    speaker.stderr.close()


def test_a_flood_waits_for_a_reader_that_stands_still(server):
    hearer = popen(server.at, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with server.accept() as other:
        sent = flood(other, b"0123456789\n")
    heard = hearer.stdout.read()
    assert heard == (b"0123456789\n" * (sent // 11 + 1))[:sent]
    assert hearer.wait(GUARD) == 0
    hearer.stdout.close()


def test_input_waits_for_a_server_that_does_not_read(server, tmp_path):
    with long_file(tmp_path) as file, popen(server.at, stdin=file) as speaker:
        with server.accept() as other:
            wait_until_asleep(speaker.pid)
            assert os.lseek(file.fileno(), 0, os.SEEK_CUR) < LONG_FILE // 2
            assert count_all(other) == LONG_FILE + 1
        assert speaker.wait(GUARD) == 0


def test_a_reader_that_has_seen_enough_is_no_fault(server):
    hearer = popen(server.at)
    with server.accept() as other:
        other.send(b"one line\n")
        assert hearer.stdout.readline() == b"one line\n"
        hearer.stdout.close()
        other.send(b"another\n")
        assert hearer.wait(GUARD) == 0
    assert hearer.stderr.read().decode() == f"chatctl: connected to {server.at}\n"
    hearer.stderr.close()
    hearer.stdin.close()


def test_an_end_that_comes_before_that_of_the_input_is_told(server):
    hearer = popen(server.at)
    with server.accept() as other:
        hearer.stdin.write(b"one\n")
        hearer.stdin.flush()
        other.expect(b"one\n")
    assert hearer.wait(GUARD) == 0
    assert hearer.stderr.read().decode().splitlines()[1:] == [
        "chatctl: the other side has closed the connection"
    ]
    hearer.stdin.close()
    hearer.stdout.close()
    hearer.stderr.close()


def test_output_that_cannot_be_written_is_a_failure(server):
    with open("/dev/full", "wb") as full:
        hearer = popen(server.at, stdout=full)
    with server.accept() as other:
        other.send(b"one line\n")
        assert hearer.wait(GUARD) == 1
    assert b"writing to standard output: No space left on device" in hearer.stderr.read()
    hearer.stderr.close()
    hearer.stdin.close()


def test_a_broken_connection_has_an_exit_code_of_its_own(server):
    hearer = popen(server.at)
    other = server.accept()
    other.send(b"before it broke\n")
    assert hearer.stdout.readline() == b"before it broke\n"
    other.reset()
    assert hearer.wait(GUARD) == 6
    assert hearer.stderr.read().decode().splitlines()[1:] == [
        "chatctl: the connection broke: Connection reset by peer"
    ]
    hearer.stdin.close()
    hearer.stdout.close()
    hearer.stderr.close()


def test_what_was_read_is_sent_although_the_other_side_has_said_all(server, tmp_path):
    with long_file(tmp_path) as file:
        speaker = popen(server.at, stdin=file)
        with server.accept() as other:
            wait_until_asleep(speaker.pid)
            other.close_sending()
            assert_stays(speaker)
            received = count_all(other)
        assert speaker.wait(GUARD) == 0
        assert received == os.lseek(file.fileno(), 0, os.SEEK_CUR) < LONG_FILE
    speaker.stdout.close()
    speaker.stderr.close()


def test_what_could_not_be_sent_is_a_broken_connection(server, tmp_path):
    """The other side says all that it has to say, and goes away without having read."""
    with long_file(tmp_path) as file:
        speaker = popen(server.at, stdin=file)
    with server.accept() as other:
        wait_until_asleep(speaker.pid)
        other.close_sending()
        assert_stays(speaker)
        other.reset()
    assert speaker.wait(GUARD) == 6
    assert b"chatctl: the connection broke: " in speaker.stderr.read()
    speaker.stdout.close()
    speaker.stderr.close()


# Where it connects to.


def test_a_unix_socket_of_the_daemon_is_a_place_too():
    with Daemon({"listen": [{"address": "unix:@HOME@/chat.sock"}]}) as daemon:
        operator = daemon.operator()
        asker = popen(daemon.endpoints[0], stdin=subprocess.PIPE)
        asker.stdin.write(b"from here\n")
        asker.stdin.close()
        session = operator.wait_event("message", text="from here")["session"]
        operator.call("send", to=session, text="heard")
        assert asker.wait(GUARD) == 0
        assert asker.stdout.read() == b"heard\n"
        assert asker.stderr.read().decode() == f"chatctl: connected to {daemon.endpoints[0]}\n"
        asker.stdout.close()
        asker.stderr.close()


def test_a_server_that_is_not_there_is_named_with_its_reason():
    with Server() as server:
        port = server.port
    done = run(f"127.0.0.1:{port}")
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == (
        f"chatctl: cannot reach 127.0.0.1:{port}: Connection refused\n"
    )
    done = run("127.0.0.1", str(port))
    assert done.returncode == 3 and f"127.0.0.1:{port}: Connection refused" in done.stderr.decode()
    done = run("unix:/nobody/is/here")
    assert done.returncode == 3
    assert done.stderr == b"chatctl: cannot reach unix:/nobody/is/here: No such file or directory\n"
    done = run("nobody.invalid")
    assert done.returncode == 3 and b"cannot resolve nobody.invalid: " in done.stderr


def test_ctrl_c_ends_the_wait_for_a_server_that_does_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        waiting = []  # They fill the queue, so that the kernel drops whatever else comes.
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        caller = popen(f"127.0.0.1:{port}")

        def connecting():
            sockets = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{caller.pid}/fd")}
            with open("/proc/net/tcp") as table:
                rows = [line.split() for line in table][1:]
            return any(row[3] == "02" and f"socket:[{row[9]}]" in sockets for row in rows)

        wait_until(connecting, "it connects")
        caller.send_signal(signal.SIGINT)
        assert caller.wait(GUARD) == -signal.SIGINT
        assert caller.stderr.read() == b""
        for each in [*waiting, caller.stdin, caller.stdout, caller.stderr]:
            each.close()


HOSTS = [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "/bin/sh",
    "-c",
    'mount --bind "$0" /etc/hosts && exec "$@"',
]


@pytest.fixture
def twofold(tmp_path):
    """The beginning of a command line for which the name `twofold` has two addresses."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root can have other hosts")
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 twofold\n::1 twofold\n")
    prefix = [*HOSTS, str(hosts)]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this root may not mount a file")
    return prefix


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_name_with_two_addresses_is_reached_where_it_listens(twofold, host):
    with Server(host) as server:
        hearer = subprocess.Popen(
            [*twofold, CHATCTL, "talk", f"twofold:{server.port}"],
            env=ENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with server.accept() as other:
            other.send(b"hello\n")
        out, err = hearer.communicate(timeout=GUARD)
        assert (hearer.returncode, out) == (0, b"hello\n")
        assert err.decode() == f"chatctl: connected to {server.at} (twofold)\n"
    done = run(f"twofold:{server.port}", prefix=twofold)
    assert done.returncode == 3
    assert done.stderr.decode() == (
        f"chatctl: cannot reach twofold:{server.port}: "
        "::1: Connection refused; 127.0.0.1: Connection refused\n"
    )


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "usage: chatctl talk [tls:]HOST[:PORT] [PORT]"),
        (["h", "1", "x"], "usage: chatctl talk [tls:]HOST[:PORT] [PORT]"),
        (["h", "0"], "'0' is not a port from 1 to 65535"),
        (["h", "65536"], "'65536' is not a port from 1 to 65535"),
        (["h:1", "2"], "h:1: the port is given twice"),
        (["--json", "h"], "--json has no meaning for talk"),
        (["--socket", "/x", "h"], "--socket has no meaning for talk"),
        (["--name=me", "h"], "--name has no meaning for talk"),
        (["--timestamps=none", "h"], "--timestamps has no meaning for talk"),
    ],
)
def test_a_wrong_command_line_is_told_and_nobody_is_called(words, said):
    done = run(*words, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"chatctl: {said}")
