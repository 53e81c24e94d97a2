"""Text that would deceive whoever reads it: none of it reaches a terminal or a log
as it is, whoever prints it."""

import re
import subprocess
import unicodedata

import pytest

from harness import CHATCTL, GUARD, Daemon, RpcError, wait_until

HOSTILE = {
    "escape sequences": "\x1b[2J\x1b]0;title\x07\x1b[31mred",
    "C0": "".join(chr(c) for c in range(0x00, 0x20) if chr(c) not in "\t\n"),
    "DEL": "a\x7fb",
    "C1": "".join(chr(c) for c in range(0x80, 0xA0)),
    "next line": "a\x85[7] forged",
    "bidirectional controls": "\u202a\u202b\u202c\u202d\u202eevil\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "zero width": "a\u200b\u200c\u200d\u2060\ufeffb",
    "line separators": "a\u2028[7] forged\u2029[7] forged",
    "tags": "a" + "".join(map(chr, range(0xE0041, 0xE0061))) + "\U000e0001b",
    "NUL": "a\x00b",
    "format strings": "%s%s%n%x {} {0} {:>99999999} $(id) `id` \\n \\x1b",
    "a carriage return": "innocent\r[7] forged",
    "a backspace": "innocent\b\b\b\b\b\b\b\b[7] forged",
    "a forged prefix": "[7] forged",
    "a forged prefix with a time": "12:00:00 [7] forged",
    "a forged log line": "a [2026-11-23 12:00:00.000] [error] [7] forged",
    "soft hyphen": "a\u00adb",
    "combining": "e\u0301 stays as it is",
    "a tower of marks": "e" + "\u0301\u0336" * 40,
    "marks on nothing": "\u0338\u20e0 crossed out",
    "variation selectors": "a\ufe00\ufe0f\U000e0100\u180bb \u2764\ufe0f",
    "fillers": "a\u115f\u1160\u3164\uffa0\u2800\u034fb",
    "noncharacters": "a\ufdd0\ufdef\ufffe\uffff\U0001fffe\U0010ffffb",
    "annotation": "a\ufff9hidden\ufffa text\ufffb",
    "music": "a\U0001d159\U0001d173\U0001d17ab",
}

DECEPTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff"
    "\U0001d159\U0001d173-\U0001d17a\U0001fffe\U0001ffff\U000e0000-\U000e0fff\U0010fffe\U0010ffff]"
)
"""All but tab, and LF, which ends the lines."""


def most_marks(text):
    """The longest run of combining marks."""
    most = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        most = max(most, run)
    return most

PREFIX = re.compile(r"(\d\d:\d\d:\d\d )?\[1( [^\]]*)?\]")


def assert_harmless(shown, who):
    found = DECEPTIVE.search(shown)
    assert found is None, f"{found.group()!r} in what {who} printed: {shown!r}"
    assert most_marks(shown) <= 8, f"a tower of marks in what {who} printed: {shown!r}"
    assert "\u0338" not in shown, f"a mark on nothing in what {who} printed: {shown!r}"


def send_all_of_it(daemon):
    """Sends each text as a line of its own, and then a last one, after which all were shown."""
    operator = daemon.operator()
    client = daemon.client()
    session = operator.session_of(client)
    assert session == 1
    for text in HOSTILE.values():
        client.send(text.encode() + b"\n")
        operator.wait_event("message", session=session)
    client.send(b"that was all\n")
    operator.wait_event("message", session=session, text="that was all")
    return operator, client


@pytest.mark.parametrize("timestamps", ["none", "time", "datetime"])
def test_the_plain_console_shows_it_escaped_and_forges_no_prefix(timestamps):
    config = {"console": {"timestamps": timestamps}}
    how = {"console": "on", "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Daemon(config, **how) as daemon:
        _, client = send_all_of_it(daemon)
        daemon.wait_output("that was all")
        client.close()
        shown = daemon.output()
        assert_harmless(shown, "the console")
        assert r"\x1b[2J\x1b]0;title\x07\x1b[31mred" in shown
        assert r"\u202eevil" in shown
        assert r"a\x00b" in shown
        assert HOSTILE["format strings"] in shown
        assert HOSTILE["combining"] in shown
        for line in shown.splitlines():
            if "forged" in line:
                time = {"none": "", "time": r"[\d:.]+ ", "datetime": r"[\d:T.Z+-]+( [\d:.]+)? "}
                assert re.match(time[timestamps] + r"\[1\] ", line), line


@pytest.mark.parametrize("level", ["trace", "info"])
def test_the_log_shows_it_escaped_and_text_at_trace_alone(level):
    with Daemon({"log": {"level": level}}) as daemon:
        operator, client = send_all_of_it(daemon)
        client.leave()
        operator.wait_event("disconnected")
        daemon.stop()
        assert_harmless(daemon.log(), "the log")
        assert ("that was all" in daemon.log()) == (level == "trace")
        assert ("forged" in daemon.log()) == (level == "trace")
        # Each line is one of the daemon's own.
        first = daemon.log().splitlines()[0]
        shape = re.sub(r"\d", "9", first)[:10]
        for line in daemon.log().splitlines():
            assert re.sub(r"\d", "9", line)[:10] == shape, line


def test_the_log_file_shows_it_escaped_too():
    config = "\n".join(
        [
            '[[listen]]\naddress = "127.0.0.1"\nport = 0',
            '[control]\npath = "@CONTROL@"',
            '[log]\nlevel = "trace"\ntarget = "file"\nfile = "@HOME@/chatd.log"',
        ]
    )
    with Daemon(config, listeners=0) as daemon:
        operator = daemon.operator()
        path = daemon.home.path / "chatd.log"
        match = wait_until(
            lambda: re.search(r"listening on (127\.0\.0\.1:\d+)", path.read_text()),
            "the listener is in the log file",
        )
        daemon.endpoints = [match.group(1)]
        operator, client = send_all_of_it(daemon)
        client.leave()
        operator.wait_event("disconnected")
        daemon.send_signal(15)
        assert daemon.wait() == 0
        text = path.read_bytes().decode()
        assert "that was all" in text
        assert_harmless(text, "the log file")


def test_a_name_that_could_deceive_is_refused():
    with Daemon() as daemon:
        unclear = ("anna ", " anna", "an  na", "an\u00a0na", "an\u2003na", "anna\ufe0f", "\u0301anna")
        for name in ("anna\x1b[31m", "a\u202eb", "a\nb", "a\u200bb", *unclear):
            with pytest.raises(RpcError) as refused:
                daemon.operator(name=name)
            assert refused.value.code == -32602
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            for name in ("Zoë\x1b[2J", "\u202e", "a\n[7] forged", "a\x00", *unclear):
                with pytest.raises(RpcError) as refused:
                    operator.call("name", session=session, name=name)
                assert refused.value.code == -32602
            assert operator.session(session)["name"] is None


def test_operators_whose_names_look_the_same_are_one():
    with Daemon() as daemon:
        assert daemon.operator(name="Zo\u00eb").name == "Zo\u00eb"
        assert daemon.operator(name="Zoe\u0308").name == "Zo\u00eb"
        assert daemon.operator(name="Zoe").name == "Zoe"


def test_what_operators_write_is_shown_escaped_too():
    how = {"console": "on", "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    config = {"console": {"timestamps": "none"}, "log": {"level": "trace"}}
    with Daemon(config, **how) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            operator.call("send", to=session, text="\x1b[2J\u202e sent")
            operator.call("kick", session=session, reason="a\x1b[2J\n[7] forged")
            operator.wait_event("disconnected")
        daemon.wait_output(r"\[1 ?.*\].*a\\x1b\[2J")
        shown = daemon.output()
        daemon.stop()
        assert_harmless(shown, "the console")
        assert_harmless(daemon.log(), "the log")
        for line in shown.splitlines():
            assert not line.startswith("[7]"), shown


@pytest.mark.parametrize("json", [False, True], ids=["plain", "json"])
def test_chatctl_shows_it_escaped(json):
    with Daemon() as daemon:
        operator, client = send_all_of_it(daemon)
        flags = ["--json"] if json else []
        for words in ["list"], ["history"], ["search", "forged"]:
            done = daemon.chatctl(*flags, *words)
            assert done.returncode == 0
            assert ("forged" in done.stdout) == (words != ["list"])
            assert_harmless(done.stdout + done.stderr, f"chatctl {words}")
            if not json:
                for line in done.stdout.splitlines():
                    assert "forged" not in line or PREFIX.search(line), line
        tail = subprocess.Popen(
            [CHATCTL, "--socket", str(daemon.control_path), *flags, "tail", "--since", "0"],
            env=daemon.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        shown = b""
        while b"that was all" not in shown:
            line = tail.stdout.readline()
            assert line, shown
            shown += line
        tail.terminate()
        tail.wait(GUARD)
        tail.stdout.close()
        assert_harmless(shown.decode(), "chatctl tail")
        if not json:
            for line in shown.decode().splitlines():
                assert "forged" not in line or PREFIX.match(line), line
        client.close()


def test_what_is_printable_passes_as_it_is():
    samples = ["Grüße, Žluťoučký kůň", "你好，世界", "🦊👍🏽", "שלום", "a\ttab", "\\x1b as text", "e\u0301"]
    for text in samples:
        assert all(unicodedata.category(c)[0] != "C" or c == "\t" for c in text), text
    how = {"console": "on", "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Daemon({"console": {"timestamps": "none"}}, **how) as daemon:
        with daemon.client() as client:
            for text in samples:
                client.send(text.encode() + b"\n")
                daemon.wait_output("^" + re.escape(f"[1] {text}") + "$")
