"""The console in a terminal, through a pty: chatd's own, and chatctl's on the control
socket. What is typed arrives as it is, whatever happens meanwhile, and at the client that
it was meant for."""

import os
import re
import signal
import subprocess
import threading
import time

import pexpect
import pytest

from harness import CHATCTL, CHATD, GUARD, Daemon, scaled, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, Desk, chatctl, connected, shell_of
from harness.screen import TITLE

@pytest.fixture(params=["chatd", "chatctl"])
def desk_and_daemon(request):
    """A desk with each of the two consoles; nobody is connected yet."""
    env = {"TERM": "xterm", "LANG": "C.UTF-8"}
    if request.param == "chatd":
        with Daemon(CONSOLE_CONFIG, console=None, terminal=True, env=env) as daemon:
            desk = Desk(daemon.terminal)
            desk.wait(r"^\* operator .*/help")
            yield desk, daemon
            desk.text()
            os.kill(daemon.pid, signal.SIGTERM)
            assert desk.wait_end() == 0
    else:
        with Daemon(CONSOLE_CONFIG) as daemon:
            desk = chatctl(daemon)
            yield desk, daemon
            desk.text()
            desk.type("\x05\x15\x04")
            assert desk.wait_end() == 0


def test_lines_typed_survive_a_thousand_messages_arriving_meanwhile(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    noisy, _ = connected(desk, daemon, b"I talk\n")
    count = scaled(1000)

    def talk():
        for i in range(count):
            noisy.send(f"message {i} of many\n".encode())
            time.sleep(0.002)  # In between, not in one piece.

    talker = threading.Thread(target=talk)
    talker.start()
    lines = []
    while talker.is_alive() or len(lines) < 5:
        line = f"line {len(lines)} — typed slowly: äöü 你好 🦊, and more of it " + "x" * 60
        for key in line:
            desk.type(key)
            time.sleep(0.001)
        # Some editing in the middle: back, a character, and to the end again.
        desk.type("\x1b[D\x1b[D\x1b[Dy\x05\r")
        lines.append(line[:-3] + "y" + line[-3:])
    talker.join()
    for line in lines:
        client.expect(line.encode() + b"\n")
    desk.wait(f"message {count - 1} of many")
    desk.wait_line(f"[1] (2:{count + 1}) > ")
    seen = re.findall(r"^\[2\] message (\d+) of many$", desk.text(), re.MULTILINE)
    assert seen == [str(i) for i in range(count)]
    client.close()
    noisy.close()


def test_what_arrives_leaves_line_cursor_and_search_as_they_are(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    desk.enter("an older line")
    client.expect(b"an older line\n")
    desk.type("half a l\x01")  # and the cursor to the beginning
    client.send(b"interrupted\n")
    desk.wait(r"^\[1\] interrupted$")
    desk.wait_line("[1] > half a l")
    desk.type("not \x05ine")
    desk.wait_line("[1] > not half a line")
    desk.enter()
    client.expect(b"not half a line\n")
    desk.type("\x12older")
    desk.wait(r"\(reverse-i-search\)`older': an older line")
    client.send(b"again\n")
    desk.wait(r"^\[1\] again$")
    wait_until(
        lambda: desk.current() == "(reverse-i-search)`older': an older line", "still searching"
    )
    desk.type("\r")
    client.expect(b"an older line\n")
    client.close()


def test_a_line_begun_for_one_client_is_never_sent_to_another(desk_and_daemon):
    desk, daemon = desk_and_daemon
    first, _ = connected(desk, daemon)
    desk.type("a secret for the first")
    desk.wait_line("[1] > a secret for the first")
    first.leave()
    desk.wait(r"^\[1\]\* disconnected")
    desk.wait_line("> a secret for the first")
    desk.enter()
    desk.wait(r"not sent: \[1\] has left")
    second, _ = connected(desk, daemon)
    desk.wait_line("[2] > a secret for the first")
    desk.enter()
    desk.wait(r"not sent yet: .* \[2\]")
    desk.wait_line("[2] > a secret for the first")
    second.expect_silence(0.2)
    third, _ = connected(desk, daemon)
    desk.enter()
    second.expect(b"a secret for the first\n")
    third.expect_silence(0.1)
    second.close()
    third.close()


def test_a_line_begun_before_anybody_came_waits_for_a_second_enter(desk_and_daemon):
    desk, daemon = desk_and_daemon
    desk.type("for whom?")
    desk.wait_line("> for whom?")
    client, _ = connected(desk, daemon)
    desk.wait_line("[1] > for whom?")
    desk.enter()
    desk.wait("not sent yet: ")
    client.expect_silence(0.2)
    desk.enter()
    client.expect(b"for whom?\n")
    desk.enter("and at once after that")
    client.expect(b"and at once after that\n")
    client.close()


def test_a_search_begun_for_one_client_is_not_sent_to_another(desk_and_daemon):
    desk, daemon = desk_and_daemon
    first, _ = connected(desk, daemon)
    desk.enter("a secret for the first")
    first.expect(b"a secret for the first\n")
    desk.type("\x12")
    desk.wait(r"\(reverse-i-search\)`'")
    first.leave()
    second, _ = connected(desk, daemon)
    desk.type("secret")
    desk.wait(r"\(reverse-i-search\)`secret': a secret for the first")
    desk.enter()
    desk.wait("not sent yet: ")
    second.expect_silence(0.2)
    second.close()


def test_bye_is_guarded_like_any_line(desk_and_daemon):
    desk, daemon = desk_and_daemon
    first, _ = connected(desk, daemon)
    desk.type("bye")
    desk.wait_line("[1] > bye")
    first.leave()
    desk.wait(r"^\[1\]\* disconnected")
    second, _ = connected(desk, daemon)
    desk.enter()
    desk.wait("not sent yet: ")
    second.expect_silence(0.2)
    desk.enter()
    second.expect_end()
    second.close()


def test_commands_of_every_kind_in_a_terminal(desk_and_daemon):
    desk, daemon = desk_and_daemon
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.enter("@2 to the second")
    second.expect(b"to the second\n")
    desk.wait(r"^\[2\]< to the second$")
    desk.enter("/name 2 Zoë 你好")
    desk.wait(r"^\[2 Zoë 你好\]\* is now called Zoë 你好$")
    desk.enter("/focus 2")
    desk.wait_line("[2 Zoë 你好] > ")
    desk.enter("/all to both")
    first.expect(b"to both\n")
    second.expect(b"to both\n")
    desk.enter("/list")
    for client in first, second:
        desk.wait(re.escape(client.address))
    desk.enter("/lsit")
    desk.wait(r"did you mean /list\?")
    desk.enter("/stats")
    desk.wait(r"^  messages_in +2$")
    desk.enter("/help all")
    desk.wait(r"^  /kick ID,\.\.\.\|ADDRESS")
    desk.enter("/kick 1 for a reason")
    desk.wait(r"^\[1\]\* disconnected: .*for a reason")
    desk.enter("/bye")
    desk.wait(r"^\[2 Zoë 你好\]\* disconnected")
    desk.wait_line("> ")
    first.close()
    second.close()


def test_completion_of_commands_ids_and_names(desk_and_daemon):
    desk, daemon = desk_and_daemon
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.enter("/na\t1\tanna")
    desk.wait(r"^\[1 anna\]\* is now called anna$")
    desk.type("@ann\t")
    desk.wait_line("[1 anna] (2:1) > @1 ")
    desk.enter("by its name")
    first.expect(b"by its name\n")
    desk.type("/focus \t")
    desk.wait(r"^1 anna  2$")
    desk.wait_line("[1 anna] (2:1) > /focus ")
    desk.enter("2")
    desk.wait_line("[2] > ")
    desk.enter("a\ttab is text")
    second.expect(b"a\ttab is text\n")
    first.close()
    second.close()


def test_a_paste_of_several_lines_is_one_message(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    desk.type("\x1b[200~first\nsecond\n/quit\n")
    client.send(b"meanwhile\n")
    desk.wait(r"^\[1\] meanwhile$")  # Half a paste holds up nobody.
    client.expect_silence(0.1)
    desk.type("last\x1b[201~")
    client.expect_silence(0.1)
    desk.enter()
    client.expect(b"first\nsecond\n/quit\nlast\n")
    desk.wait(r"^\[1\]< first\n\[1\]< second\n\[1\]< /quit\n\[1\]< last$")
    client.close()


def test_a_long_line_over_several_rows_stays_whole(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    line = " ".join(f"word{i}" for i in range(60))
    desk.type(line)
    for i in range(20):
        client.send(f"message {i}\n".encode())
    desk.wait(r"^\[1\] message 19$")
    desk.enter()
    client.expect(line.encode() + b"\n")
    wait_until(lambda: "message 19\n[1]< word0 word1" in desk.text(), "nothing is left of it")
    client.close()


def test_text_of_clients_reaches_no_terminal_unescaped(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    hostile = [
        "\x1b[2J\x1b]0;title\x07",
        "\x9b31mred",
        "\u202egnidaer",
        "a\u200bb\ufeffc",
        "\U000e0041\U000e0042",
        "a\x00b",
        "%s%n {}",
        "\r[7] forged",
        "\x01\x02 readline's marks",
        "[7] forged",
        "* forged",
    ]
    for text in hostile:
        client.send(text.encode() + b"\n")
    client.send(b"that was all\n")
    desk.wait(r"^\[1\] that was all$")
    desk.wait(r"^\[1\] \\x1b\[2J\\x1b\]0;title\\x07$")
    desk.wait(r"^\[1\] \\u202egnidaer$")
    with desk.changed:
        assert not re.search("[\x00-\x06\x0e-\x1a\x80-\x9f\u200b-\u200f\u202a-\u202e\ufeff]", desk.raw)
        raw = TITLE.sub("", desk.raw)  # but the console's own
        assert "\x1b[2J" not in raw and "\x1b]" not in raw
    for line in desk.text().splitlines():
        assert "forged" not in line or line.startswith("[1] "), line
    client.close()


def test_a_terminal_that_stands_still_stops_nobody(desk_and_daemon):
    desk, daemon = desk_and_daemon
    client, _ = connected(desk, daemon)
    other = daemon.operator()
    desk.reading.clear()
    count = scaled(3000)
    for i in range(count // 100):
        client.send((b"x" * 1000 + b"\n") * 99 + b"%d hundred\n" % i)
        other.wait_event("message", text=f"{i} hundred")
    other.call("send", to=1, text="you are served")
    client.expect(b"you are served\n")
    desk.reading.set()
    desk.wait(r"^\[1\]< .*you are served$")
    desk.wait_line("[1] > ")
    # All were shown, or it says how many were not.
    shown = len(re.findall(r"^\[1\] (x{70}|\d+ hundred)", desk.text(), re.MULTILINE))
    missed = sum(map(int, re.findall(r"^\* (\d+) events? w\w+ missed", desk.text(), re.MULTILINE)))
    assert shown == count or (missed > 0 and shown + missed >= count), (shown, missed)
    desk.enter("still for you")
    desk.enter()  # where the focus was cleared meanwhile nothing is sent
    if "the focus is cleared" not in desk.text():
        client.expect(b"still for you\n")
    client.close()


def test_the_window_may_change_its_size():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, columns=200)
        client, _ = connected(desk, daemon)
        desk.enter("/name 1 " + "long" * 7)
        desk.wait(r"is now called")
        desk.enter("/list")
        desk.wait(r"^\[1\]  (long){7}  .*  line ")
        desk.screen.columns = 40
        desk.child.setwinsize(24, 40)
        desk.enter("/list")
        desk.wait(r"^id +name +waits +unread( +key)?\n\[1\]  long")
        desk.wait_line("[1] > ")  # it takes at most a third of the row
        for line in desk.text().splitlines()[-3:]:
            assert len(line) <= 40, line
        desk.type("\x04")
        assert desk.wait_end() == 0
        client.close()


@pytest.mark.parametrize(
    "how",
    ["/quit", "Ctrl-D", "Ctrl-C", "Ctrl-\\", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT"]
    + ["the daemon"],
)
def test_the_terminal_is_given_back_whatever_ends_chatctl(how):
    with Daemon(CONSOLE_CONFIG) as daemon:
        shell = pexpect.spawn(
            "/bin/sh",
            # It stays until its last words were read: some may be lost behind its end.
            [
                "-c",
                'ulimit -c 0; stty -g; "$@"; code=$?; stty -g; echo "code $code."; read -r _',
                "sh",
                CHATCTL,
            ]
            + ["--socket", str(daemon.control_path)],
            env=daemon.env | {"TERM": "xterm"},
            encoding="utf-8",
            timeout=GUARD,
        )
        before = shell.readline().strip()
        shell.expect("/help")
        shell.expect("> ")
        attributes = subprocess.run(
            ["stty", "-g"], stdin=shell.child_fd, capture_output=True, text=True, check=False
        ).stdout.strip()
        assert attributes != before, "line editing changes the terminal"
        chatctl_pid = int(
            subprocess.run(
                ["ps", "--ppid", str(shell.pid), "-o", "pid="], capture_output=True, text=True
            ).stdout.split()[0]
        )
        shell.send("half a line")
        shell.expect("half a line")
        if how == "/quit":
            shell.send("\x15/quit\r")
        elif how == "Ctrl-D":
            shell.send("\x15\x04")
        elif how == "Ctrl-C":
            shell.send("\x03\x03")
        elif how == "Ctrl-\\":
            shell.send("\x1c")
        elif how == "the daemon":
            daemon.operator().begin("stop")
            shell.expect("the daemon has gone; waiting for it")
            shell.send("\x03\x03")
        else:
            os.kill(chatctl_pid, getattr(signal, how))
        shell.expect(r"\x1b\[\?2004l")
        shell.expect(re.escape(before) + r"\s+code (\d+)\.")
        codes = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129, "SIGABRT": 134}
        codes |= {"SIGQUIT": 131, "Ctrl-\\": 131}
        assert int(shell.match.group(1)) == codes.get(how, 0)
        shell.close()
        if how == "the daemon":
            daemon.check_end()


def test_the_shell_can_stop_and_continue_the_console():
    with Daemon(CONSOLE_CONFIG) as daemon:
        shell = shell_of(daemon)
        shell.sendline(f"{CHATCTL} --socket {daemon.control_path} --timestamps none")
        shell.expect("/help")
        client = daemon.client()
        client.send(b"hi\n")
        shell.expect(r"\[1\].*hi")
        shell.send("half a l")
        shell.expect("half a l")  # what is typed ahead of Ctrl-Z the kernel throws away
        shell.send("\x1a")
        shell.expect("shell> ")
        client.send(b"while it is stopped\n")
        shell.sendline("echo the shell is $((6 * 7))")
        shell.expect("the shell is 42")
        shell.expect("shell> ")
        shell.sendline("fg")
        shell.expect(r"\[1\].*while it is stopped")
        shell.expect("half a l")
        shell.send("ine\r")
        client.expect(b"half a line\n")
        shell.send("\x04")
        shell.expect("shell> ")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        shell.close()
        client.close()


def test_a_daemon_in_the_background_of_a_terminal_is_not_stopped_by_it():
    with Daemon(CONSOLE_CONFIG) as other:  # for its folder and its environment
        shell = shell_of(other)
        control = other.home.path / "background.sock"
        shell.sendline(f"CHATD_CONTROL_PATH={control} {CHATD} --listen 127.0.0.1:0 &")
        wait_until(control.exists, "the daemon in the background")
        shell.sendline("echo typed for the shell")
        shell.expect("typed for the shell\r\n")
        done = subprocess.run([CHATCTL, "--socket", str(control), "stats"], capture_output=True)
        assert done.returncode == 0, done
        done = subprocess.run([CHATCTL, "--socket", str(control), "stop"], capture_output=True)
        assert done.returncode == 0, done
        shell.sendline("wait; exit")
        shell.expect(pexpect.EOF)
        shell.close()


@pytest.mark.parametrize(
    "env, args, colored",
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({}, ["--color", "never"], False),
        ({"TERM": "dumb"}, [], False),
    ],
)
def test_colours_are_used_where_they_are_wanted(env, args, colored):
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, *args, env=env)
        client, _ = connected(desk, daemon)
        assert ("\x1b[1;35m[1]" in desk.raw) == colored
        assert bool(re.search(r"\x1b\[[\d;]*m", desk.raw)) == colored
        desk.type("\x04")
        assert desk.wait_end() == 0
        client.close()


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", None])
def test_the_line_is_utf8_whatever_the_locale(locale):
    with Daemon(CONSOLE_CONFIG) as daemon:
        env = {"LC_ALL": locale, "LANG": locale} if locale else {}
        for key in ("LANG", "LC_ALL", "LC_CTYPE"):
            daemon.env.pop(key, None)
        desk = chatctl(daemon, env=env)
        client, _ = connected(desk, daemon, "grüß dich\n".encode())
        desk.type("äö你好\x7f\x7fü")
        desk.wait_line("[1] > äöü")
        desk.enter()
        client.expect("äöü\n".encode())
        desk.type("\x04")
        assert desk.wait_end() == 0
        client.close()


def test_lines_from_a_pipe_to_chatctl():
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        done = daemon.chatctl(
            "--timestamps", "none", input="/list\n/focus 1\nhello\n@1 there\n/lsit\n/focus 7\n"
        )
        assert done.returncode == 0, done.stderr
        client.expect(b"hello\nthere\n")
        assert client.address in done.stdout
        assert "[1]< hello\n[1]< there\n" in done.stdout
        assert "did you mean /list?" in done.stderr and "no such session: 7" in done.stderr
        assert "\x1b" not in done.stdout
        client.close()


@pytest.mark.parametrize("kind", ["/dev/null", "closed", "a file", "a folder"])
def test_chatctl_with_any_standard_input_ends(kind, tmp_path):
    with Daemon(CONSOLE_CONFIG) as daemon:
        path = {"/dev/null": "/dev/null", "a folder": "/"}.get(kind, tmp_path / "input")
        if kind == "a file":
            path.write_text("/list\n" * 100)
        redirect = "<&-" if kind == "closed" else f"< {path}"
        done = subprocess.run(
            ["/bin/sh", "-c", f'"$0" "$@" {redirect}', CHATCTL]
            + ["--socket", str(daemon.control_path)],
            env=daemon.env,
            capture_output=True,
            timeout=GUARD,
        )
        assert done.returncode == 0, done
        if kind == "a file":
            assert done.stdout.count(b"nobody is connected") == 100
