"""chatctl history and search for scripts: earlier messages, the oldest first, as lines or in
the one shape in which chatctl tells programs what was said."""

import json

import pytest

from harness import Daemon, speaking
from harness.tails import Tail

FAST = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}


@pytest.fixture(scope="module")
def said():
    """A daemon for questions about the past only, and an operator of it. Session
    1 has said 450 numbered lines and been answered once, session 2 has said something with
    an escape sequence in it."""
    with Daemon(FAST) as daemon:
        operator = daemon.operator(name="anna")
        first, _ = speaking(daemon, operator, b"line 1\n")
        first.send("".join(f"line {i}\n" for i in range(2, 451)).encode())
        operator.wait_event("message", text="line 450")
        operator.call("send", to=1, text="an answer\nof two lines")
        second, _ = speaking(daemon, operator, "rot \x1b[31m wie Z\u00fcrich\n".encode())
        yield daemon, operator
        first.close()
        second.close()


def lines(daemon, *args):
    done = daemon.chatctl("--timestamps", "none", *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


def objects(daemon, *args):
    done = daemon.chatctl("--json", *args)
    assert (done.returncode, done.stderr) == (0, ""), done
    return [json.loads(line) for line in done.stdout.splitlines()]


def nothing_found(daemon, *args):
    """Whether that is what it says, for people alone."""
    done = daemon.chatctl(*args)
    return (done.returncode, done.stdout, done.stderr) == (0, "", "chatctl: nothing was found\n")


def numbered(numbers):
    return [f"[1] line {i}" for i in numbers]


ANSWER = ["[1]< anna: an answer", "[1]< anna: of two lines"]
ESCAPED = "[2] rot \\x1b[31m wie Z\u00fcrich"


def test_history_is_the_last_twenty_messages_of_all_oldest_first(said):
    daemon, _ = said
    assert lines(daemon, "history") == [*numbered(range(433, 451)), *ANSWER, ESCAPED]
    assert lines(daemon, "history", "all", "2") == [*ANSWER, ESCAPED]


def test_history_of_one_session_and_of_any_length(said):
    daemon, _ = said
    assert lines(daemon, "history", "2") == [ESCAPED]
    assert lines(daemon, "history", "1", "3") == [*numbered([449, 450]), *ANSWER]
    # More than comes in one answer.
    assert lines(daemon, "history", "1", "9999") == [*numbered(range(1, 451)), *ANSWER]
    assert lines(daemon, "history", "1", "430") == [*numbered(range(22, 451)), *ANSWER]
    assert nothing_found(daemon, "history", "77")


def test_history_and_search_have_their_date(said):
    daemon, _ = said
    done = daemon.chatctl("history", "2")
    assert done.returncode == 0
    date, time, rest = done.stdout.rstrip("\n").split(" ", 2)
    assert date.startswith("20") and time.count(":") == 2 and rest == ESCAPED
    assert daemon.chatctl("search", "z\u00fcrich").stdout == done.stdout


def test_search_finds_all_words_in_any_case(said):
    daemon, _ = said
    assert lines(daemon, "search", "ANSWER") == ANSWER
    assert lines(daemon, "search", "7", "line") == numbered([7])
    assert lines(daemon, "search", "rot Z\u00fcrich") == [ESCAPED]
    assert lines(daemon, "search", "line") == numbered(range(431, 451))
    for nothing in "neverthere", "line neverthere", "*", '"', "":
        assert nothing_found(daemon, "search", nothing)


def test_search_of_one_client(said):
    daemon, _ = said
    assert lines(daemon, "search", "--client", "2", "rot") == [ESCAPED]
    assert nothing_found(daemon, "search", "--client=1", "rot")


@pytest.mark.parametrize(
    "args, since",
    [(["history", "all", "9999"], 0), (["history", "2"], 0), (["history", "1", "3"], 0)],
)
def test_json_is_the_shape_that_a_tail_has(said, args, since):
    daemon, _ = said
    tail = Tail(daemon, "--since", str(since))
    told = objects(daemon, *args)
    try:
        tail.wait(seq=told[-1]["seq"])
    finally:
        tail.end()
    events = {event["seq"]: event for event in tail.events}
    assert told and [each["seq"] for each in told] == sorted(each["seq"] for each in told)
    for each in told:
        assert each == events[each["seq"]]


def test_json_has_the_name_that_a_client_had_then(said):
    daemon, operator = said
    found = objects(daemon, "search", "line", "450")
    assert [(each["event"], each["session"], each["text"]) for each in found] == [
        ("message", 1, "line 450")
    ]
    message = operator.call("search", text="line 450")["messages"][0]
    assert message["direction"] == "in"
    for absent in "direction", "method", "params":
        assert absent not in found[0]


@pytest.mark.parametrize(
    "args",
    [
        ["search"],
        ["history", "1", "many"],
        ["history", "1", "0"],
        ["history", "1", "-3"],
        ["history", "1", "2", "3"],
        ["history", ""],
        ["search", "--client"],
        ["search", "--client", "", "x"],
        ["search", "--client", "1"],
    ],
)
def test_wrong_usage_is_exit_code_2(said, args):
    daemon, _ = said
    for json_flag in [], ["--json"]:
        done = daemon.chatctl(*json_flag, *args)
        assert done.returncode == 2 and done.stdout == "", done
        assert done.stderr.startswith("chatctl: ") and done.stderr.count("\n") == 1


def test_without_transcripts_is_exit_code_1_and_without_a_daemon_3():
    with Daemon({"transcript": {"enabled": False}}) as daemon:
        for args in ["history"], ["search", "x"]:
            done = daemon.chatctl(*args)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("chatctl: transcripts are off")
    for args in ["history"], ["search", "x"]:
        assert daemon.chatctl(*args).returncode == 3
