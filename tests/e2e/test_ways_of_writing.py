"""How programs, devices and terminals really write: a row for each way, as bytes with pauses, and
the real programs where they are installed."""

import shutil
import subprocess
import textwrap
import time

import pexpect
import pytest

from harness import GUARD, Daemon

QUIET = 0.15
"""Longer than session.settle, shorter than the second after which a client is a person."""

# Name: what is sent, with pauses; the messages that come of it; the dialect in the end.
WAYS = {
    "a line of telnet, then Ctrl-C": (
        [b"hi\r\n", QUIET, b"\xff\xf4\xff\xfd\x06next\r\n"],
        ["hi", "next"],
        "telnet",
    ),
    "Java's sendUrgentData(0xFF) and a line": ([b"\xffhello\nyou\n"], ["\ufffdhello", "you"], "line"),
    "text in cp1251": (["как я, моя\n".encode("cp1251")], ["\ufffd\ufffd\ufffd \ufffd, \ufffd\ufffd\ufffd"], "line"),
    "a CR alone": ([b"hello\r", QUIET, b"you\r", QUIET], ["hello", "you"], "line"),
    "a CR alone, after an option": ([b"\xff\xfb\x1fhello\ryou\r"], ["hello", "you"], "telnet"),
    "CR NUL": ([b"hello\r\0you\r\0"], ["hello", "you"], "line"),
    "a progress bar": ([b"10 %\r20 %\r\n"], ["10 %\r20 %"], "line"),
    ".NET's StreamWriter": ([b"\xef\xbb\xbf", QUIET, b"hello\r\n"], ["hello"], "line"),
    "a text, and its line end by itself": (
        [b"hello", QUIET, b"\r\n", QUIET, b"you", QUIET, b"\r\n"],
        ["hello", "you"],
        "line",
    ),
    "one key after the other, after a second of silence": (
        [1.3, b"h", 0.2, b"e", 0.2, b"y", 0.2, b"\r\n"],
        ["hey"],
        "line",
    ),
    "the telnet of Windows, with a typing error": ([1.3, b"h", b"o", b"\b", b"i", b"\r\n"], ["hi"], "line"),
    "DEL": ([b"hallo\x7f\x7f\x7f\x7fello\n"], ["hello"], "line"),
    "strlen(buf) + 1": ([b"hello\0", QUIET, b"you\0"], ["hello", "you"], "original"),
    "strlen(buf) + 1, with lines": ([b"hello\n\0", QUIET, b"you\n\0"], ["hello", "you"], "line"),
}


def write(client, pieces):
    for piece in pieces:
        if isinstance(piece, bytes):
            client.send(piece)
        else:
            time.sleep(piece)  # the pause is what is tested


@pytest.mark.parametrize("name", WAYS)
def test_a_way_of_writing_is_understood(name):
    pieces, messages, dialect = WAYS[name]
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            write(client, pieces)
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text=messages[-1])
            assert operator.session(session)["dialect"] == dialect
            end = {"telnet": b"\r\n", "original": b""}.get(dialect, b"\n")
            operator.call("send", to=session, text="yes")
            assert client.take_line().endswith(b"yes" + end) if end else client.take(3) == b"yes"
            assert [event["text"] for event in operator.events_of("message", session=session)] == messages


BYES = {
    "bye CR": [b"hello\r", QUIET, b"bye\r"],
    "bye NUL": [b"hello\0", QUIET, b"bye\0"],
    "bye after a mark": [b"\xef\xbb\xbf", b"bye\r\n"],
    "bye, typed slowly": [1.3, b"b", 0.2, b"y", 0.2, b"e", 0.2, b"\n"],
    "bye, and its line end by itself": [b"hello", QUIET, b"bye", QUIET],
}


@pytest.mark.parametrize("name", BYES)
def test_bye_ends_the_session_however_it_is_written(name):
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            write(client, BYES[name])
            session = operator.session_of(client)
            gone = operator.wait_event("disconnected", session=session)
            assert gone["reason"] == "bye"
            client.expect_end()


@pytest.mark.parametrize("dialect", ["auto", "line", "telnet", "original", "raw"])
def test_the_last_words_before_a_reset_are_heard(dialect):
    listen = [{"address": "127.0.0.1", "port": 0, "dialect": dialect}]
    with Daemon({"listen": listen, "session": {"settle": "10s"}}) as daemon:
        operator = daemon.operator()
        client = daemon.client()
        client.send(b"last words")
        session = operator.session_of(client)
        client.reset()
        heard = operator.wait_event("message", session=session, text="last words")
        whole = dialect in ("original", "raw")  # one read is one message
        assert heard.get("cut", False) != whole
        gone = operator.wait_event("disconnected", session=session)
        assert gone["reason"] == "connection reset"


def test_what_is_read_and_said_by_a_raw_client_is_what_it_is():
    listen = [{"address": "127.0.0.1", "port": 0, "dialect": "raw"}]
    config = {"listen": listen, "session": {"greeting": "hello", "farewell": "farewell"}}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            assert operator.call("send", to=session, text="at once")["delivered"] == [session]
            client.expect(b"at once")
            client.send(b"two\nlines\n")
            operator.wait_event("message", session=session, text="two\nlines\n")
            operator.call("send", to=session, text="as it is\r\n")
            client.expect(b"as it is\r\n")
            daemon.stop()
            client.expect_end()


def telnet(daemon):
    spawned = pexpect.spawn("telnet", [daemon.host, str(daemon.port)], timeout=GUARD)
    spawned.expect(rb"Escape character is '\^\]'\.\r+\n")
    return spawned


@pytest.mark.parametrize("key", ["\x03", "\x1c"], ids=["Ctrl-C", "Ctrl-\\"])
def test_telnet_is_not_deaf_after_an_interrupt(key):
    with Daemon() as daemon:
        operator = daemon.operator()
        spawned = telnet(daemon)
        spawned.send(b"first\r")
        session = operator.wait_event("message", text="first")["session"]
        spawned.send(key)
        spawned.send(b"second\r")
        operator.wait_event("message", session=session, text="second")
        operator.call("send", to=session, text="heard")
        spawned.expect_exact(b"heard\r\n")
        texts = [event["text"] for event in operator.events_of("message", session=session)]
        assert texts == ["first", "second"]
        spawned.close()


def test_telnet_in_character_mode():
    with Daemon() as daemon:
        operator = daemon.operator()
        spawned = telnet(daemon)
        spawned.send(b"\x1d")
        spawned.expect_exact(b"telnet> ")
        spawned.send(b"mode character\r")
        for key in (b"h", b"e", b"l", b"l", b"\x7f", b"l", b"o", b"\r"):
            spawned.send(key)
        session = operator.wait_event("message", text="hello")["session"]
        operator.call("send", to=session, text="heard")
        spawned.expect_exact(b"heard")
        spawned.close()


@pytest.mark.skipif(shutil.which("plink") is None, reason="putty-tools is not installed")
@pytest.mark.parametrize("protocol", ["telnet", "raw"])
def test_plink(protocol):
    with Daemon() as daemon:
        operator = daemon.operator()
        spawned = pexpect.spawn(
            "plink", [f"-{protocol}", "-P", str(daemon.port), daemon.host], timeout=GUARD
        )
        time.sleep(0.3)  # a person does not type before the program is there
        spawned.send(b"hello\r")
        session = operator.wait_event("message", text="hello")["session"]
        operator.call("send", to=session, text="and you")
        spawned.expect_exact(b"and you")
        spawned.send(b"bye\r")
        operator.wait_event("disconnected", session=session, reason="bye")
        spawned.close()


JAVA = """
import java.io.*;
import java.net.*;

public class Talk {
  public static void main(String[] arguments) throws Exception {
    Socket socket = new Socket(arguments[0], Integer.parseInt(arguments[1]));
    PrintWriter out = new PrintWriter(new OutputStreamWriter(socket.getOutputStream(), "UTF-8"), true);
    BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), "UTF-8"));
    out.println("hello from Java");
    System.out.println(in.readLine());
    socket.sendUrgentData(0xFF);
    out.println("urgent");
    System.out.println(in.readLine());
    out.print("bye\\r");
    out.flush();
    System.out.println(in.readLine());
  }
}
"""

NODE = """
const socket = require('net').connect(+process.argv[3], process.argv[2]);
socket.setEncoding('utf8');
const words = ['hello from Node', 'urgent', 'bye'];
socket.write(words.shift());
socket.write('\\r\\n');
socket.on('data', text => {
  process.stdout.write(text);
  if (words.length > 0) socket.write(words.shift() + '\\n');
});
socket.on('end', () => process.stdout.write('null\\n'));
"""


def check_program(command, greeting, urgent):
    with Daemon() as daemon:
        operator = daemon.operator()
        process = subprocess.Popen(
            [*command, daemon.host, str(daemon.port)], stdout=subprocess.PIPE, text=True
        )
        session = operator.wait_event("message", text=greeting)["session"]
        operator.call("send", to=session, text="one")
        operator.wait_event("message", session=session, text=urgent)
        operator.call("send", to=session, text="two")
        operator.wait_event("disconnected", session=session, reason="bye")
        output, _ = process.communicate(timeout=GUARD)
        assert output == "one\ntwo\nnull\n"


@pytest.mark.skipif(shutil.which("javac") is None, reason="there is no Java here")
def test_a_java_program(tmp_path):
    source = tmp_path / "Talk.java"
    source.write_text(textwrap.dedent(JAVA))
    check_program(["java", str(source)], "hello from Java", "\ufffdurgent")


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_a_node_program(tmp_path):
    source = tmp_path / "talk.js"
    source.write_text(textwrap.dedent(NODE))
    check_program(["node", str(source)], "hello from Node", "urgent")
