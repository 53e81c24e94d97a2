"""What the control socket does with input that is malformed, pipelined, enormous or
cut short, and how it shows what clients wrote."""

import json
import subprocess

from harness import GUARD, Daemon, RawControl, code_of, speaking, wait_until

MALFORMED = {
    "not JSON": (b"hello\n", -32700),
    "half of it": (b'{"jsonrpc":"2.0","id":1,"method":\n', -32700),
    "two documents": (b'{"jsonrpc":"2.0","id":1,"method":"stats"} {}\n', -32700),
    "bytes that are not UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}\n', -32700),
    "NUL": (b"\x00\n", -32700),
    "deep nesting": (b"[" * 200_000 + b"\n", None),
    "a number": (b"42\n", -32600),
    "a string": (b'"stats"\n', -32600),
    "null": (b"null\n", -32600),
    "an empty object": (b"{}\n", -32600),
    "no method": (b'{"jsonrpc":"2.0","id":1}\n', -32600),
    "a method that is a number": (b'{"jsonrpc":"2.0","id":1,"method":1}\n', -32600),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"stats"}\n', -32600),
    "no version": (b'{"id":1,"method":"stats"}\n', -32600),
    "an id that is an object": (b'{"jsonrpc":"2.0","id":{},"method":"stats"}\n', -32600),
    "params that are a string": (
        b'{"jsonrpc":"2.0","id":1,"method":"stats","params":"x"}\n',
        None,
    ),
    "an empty batch": (b"[]\n", -32600),
    "an unknown method": (b'{"jsonrpc":"2.0","id":1,"method":"stat"}\n', -32601),
    "send without text": (
        b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"to":1}}\n',
        -32602,
    ),
    "send without to": (
        b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"text":"x"}}\n',
        -32602,
    ),
    "send without params": (b'{"jsonrpc":"2.0","id":1,"method":"send"}\n', -32602),
    "send to a word": (
        b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"to":"every","text":"x"}}\n',
        -32602,
    ),
    "send a number": (
        b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"to":"all","text":5}}\n',
        -32602,
    ),
    "send to words": (
        b'{"jsonrpc":"2.0","id":1,"method":"send","params":{"to":["1"],"text":"x"}}\n',
        -32602,
    ),
    "bye to a negative number": (
        b'{"jsonrpc":"2.0","id":1,"method":"bye","params":{"session":-1}}\n',
        None,
    ),
    "bye to a fraction": (
        b'{"jsonrpc":"2.0","id":1,"method":"bye","params":{"session":1.5}}\n',
        -32602,
    ),
    "bye to a huge number": (
        b'{"jsonrpc":"2.0","id":1,"method":"bye","params":{"session":1e300}}\n',
        None,
    ),
    "kick without a session": (
        b'{"jsonrpc":"2.0","id":1,"method":"kick","params":{"reason":"x"}}\n',
        -32602,
    ),
    "a name that is null": (
        b'{"jsonrpc":"2.0","id":1,"method":"name","params":{"session":1,"name":null}}\n',
        -32602,
    ),
    "since that is a word": (
        b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"since":"now"}}\n',
        -32602,
    ),
    "hello with a number": (
        b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"name":1}}\n',
        -32602,
    ),
}


def test_malformed_requests_get_their_errors_and_the_connection_stays():
    with Daemon() as daemon:
        witness = daemon.operator()
        with RawControl(daemon) as control:
            for name, (request, code) in MALFORMED.items():
                answer = control.ask(request)
                assert code in (None, code_of(answer)), (name, answer)
                assert code_of(answer) < 0 or code_of(answer) == 1, (name, answer)
            answer = control.ask(b'{"jsonrpc":"2.0","id":"x","method":"stats"}\n')
            assert answer["id"] == "x" and "result" in answer
        witness.call("stats")


def test_an_error_carries_the_id_where_there_was_one():
    with Daemon() as daemon, RawControl(daemon) as control:
        answer = control.ask(b'{"jsonrpc":"2.0","id":"abc","method":"nothing"}\n')
        assert answer["id"] == "abc"
        answer = control.ask(b"no json\n")
        assert answer["id"] is None


def test_a_notification_is_done_and_not_answered():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        with RawControl(daemon) as control:
            request = {
                "jsonrpc": "2.0",
                "method": "send",
                "params": {"to": session, "text": "quietly"},
            }
            control.send(json.dumps(request).encode() + b"\n")
            # Not even an error is.
            control.send(b'{"jsonrpc":"2.0","method":"no such method"}\n')
            answer = control.ask(b'{"jsonrpc":"2.0","id":1,"method":"stats"}\n')
            assert answer["id"] == 1
        client.expect(b"quietly\n")
        client.close()


def test_a_batch_is_answered_as_the_specification_says_or_with_one_error():
    with Daemon() as daemon, RawControl(daemon) as control:
        batch = [
            {"jsonrpc": "2.0", "id": 1, "method": "stats"},
            {"jsonrpc": "2.0", "id": 2, "method": "no such method"},
        ]
        answer = control.ask(json.dumps(batch).encode() + b"\n")
        if isinstance(answer, list):
            by_id = {entry["id"]: entry for entry in answer}
            assert "result" in by_id[1] and code_of(by_id[2]) == -32601
        else:
            assert code_of(answer) == -32600
        assert "result" in control.ask(b'{"jsonrpc":"2.0","id":3,"method":"stats"}\n')


def test_requests_in_one_piece_and_in_many_are_answered_in_order():
    with Daemon() as daemon, RawControl(daemon) as control:
        requests = b"".join(
            b'{"jsonrpc":"2.0","id":%d,"method":"sessions"}\n' % n for n in range(500)
        )
        control.send(requests)
        assert [control.answer()["id"] for _ in range(500)] == list(range(500))
        piece = b'{"jsonrpc":"2.0","id":7,"method":"stats"}\r\n'
        for byte in piece:
            control.send(bytes([byte]))
        assert control.answer()["id"] == 7


def test_a_line_of_almost_a_mebibyte_is_taken_and_one_over_it_ends_the_connection():
    with Daemon() as daemon:
        with RawControl(daemon) as control:
            text = "x" * (1024 * 1024 - 200)
            request = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "send",
                "params": {"to": 1, "text": text},
            }
            assert code_of(control.ask(json.dumps(request).encode() + b"\n")) == 1
        with RawControl(daemon) as control:
            try:
                control.send(b"[" + b" " * (1024 * 1024 + 100))
            except (ConnectionResetError, BrokenPipeError):
                pass
            assert code_of(control.answer()) < 0
            control.expect_end()
        daemon.operator().call("stats")


def test_a_script_that_closes_its_side_after_a_request_gets_its_answer():
    with Daemon() as daemon:
        script = ["nc.openbsd", "-N", "-U", str(daemon.control_path)]
        done = subprocess.run(
            script,
            input=b'{"jsonrpc":"2.0","id":1,"method":"stats"}\n',
            capture_output=True,
            timeout=GUARD,
        )
        assert json.loads(done.stdout)["result"]["operators"] == 1


def test_a_connection_that_ends_in_mid_line_harms_nobody():
    with Daemon() as daemon:
        operator = daemon.operator()
        for _ in range(50):
            with RawControl(daemon) as control:
                control.send(b'{"jsonrpc":"2.0","id":1,"meth')
        operator.call("stats")
        wait_until(lambda: operator.call("stats")["operators"] == 1, "one operator is left")


def test_escape_sequences_reach_the_control_socket_as_json_escapes():
    """So that a document can be looked at in a terminal as it is."""
    # A raw client, of whose bytes none means anything.
    config = {"listen": [{"address": "127.0.0.1", "port": 0, "dialect": "raw"}]}
    with Daemon(config) as daemon, RawControl(daemon) as control:
        control.ask(b'{"jsonrpc":"2.0","id":1,"method":"subscribe"}\n')
        with daemon.client() as client:
            client.send("\x1b[31m\u202e\u200b\U000e0041\x7f\x9b".encode())
            while True:
                line = control.lines.readline()
                if b'"message"' in line:
                    break
        assert json.loads(line)["params"]["text"] == "\x1b[31m\u202e\u200b\U000e0041\x7f\x9b"
        assert all(0x20 <= byte < 0x7F for byte in line.rstrip(b"\n")), line
