"""Costs that must not grow, in units that do not depend on how busy the machine is:
system calls of the daemon for each unit of work, and bytes for each connection. The load
is bench_load's, which ends with an error if anything is lost, repeated or out of order.

A turn of the loop is one epoll_wait. In each turn the operator is read once and written
once at most; everything else is counted by clients."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from measure import Workload, count_calls, measure
from servers import Chatd

READS = ("recvfrom", "read")
SENDS = ("sendto", "sendmsg", "write", "writev")
WAITS = ("epoll_wait", "epoll_pwait")
# By chance: memory that is asked for, an operator that reads slowly for a moment, a turn
# that had begun before anybody counted.
SLACK = 30
# Of an idle session, by how it came; with its last words, too.
MOST_BYTES = {"line": 520, "websocket": 800, "tls": 900}
QUOTA = 256 * 1024  # limits.output_hard


# How clients come, as a workload has it.
WAYS = {
    "line": {},
    "original": {"original": True},
    "websocket": {"websocket": True},
    "tls": {"tls": True},
}


class Calls:
    """How often the daemon made which system call, for so many units of work."""

    def __init__(self, workload):
        self.units, self.by_name = count_calls(Chatd, workload)
        self.turns = self.of(*WAITS)

    def of(self, *names):
        return sum(self.by_name.pop(name, 0) for name in names)

    def nothing_else(self):
        """Asserts that the other calls are fewer than one for a hundred units of work."""
        assert sum(self.by_name.values()) <= SLACK + self.units / 100, self.by_name


def test_the_counters_of_the_daemon_are_those_of_the_load():
    stats = measure(Chatd, Workload("", "questions", 200, 2_000, in_flight=100))["stats"]
    assert stats["messages_in"] == 2_200  # and a hello of each
    assert stats["messages_out"] == stats["delivered"] == 2_000
    assert stats["held"] == stats["lost"] == stats["queued_bytes"] == 0
    stats = measure(Chatd, Workload("", "visits", 64, 500, in_flight=64))["stats"]
    assert stats["accepted"] == stats["messages_in"] == 500
    assert stats["sessions"] == stats["refused"] == 0


@pytest.mark.parametrize("way", ["line", "websocket", "tls"])
def test_a_delivery_of_a_broadcast_is_one_send(way):
    calls = Calls(Workload("", "broadcast", 500, 20_000, **WAYS[way]))
    assert calls.of(*SENDS) <= calls.units + calls.turns + SLACK
    assert calls.of(*READS) <= calls.turns + SLACK
    assert calls.turns <= 0.1 * calls.units
    calls.nothing_else()


def test_broadcasts_that_come_together_go_out_together():
    calls = Calls(Workload("", "broadcast", 200, 64_000, in_flight=16))
    # One operator's line may be cut by a read; then two sends bring the sixteen.
    assert calls.of(*SENDS) <= calls.units / 8 + 2 * calls.turns + SLACK
    calls.of(*READS)
    calls.nothing_else()


@pytest.mark.parametrize("way", WAYS)
def test_a_question_and_its_answer_are_one_read_and_one_send(way):
    calls = Calls(Workload("", "questions", 200, 5_000, in_flight=100, **WAYS[way]))
    assert calls.of(*READS) <= calls.units + calls.turns + SLACK
    assert calls.of(*SENDS) <= calls.units + calls.turns + SLACK
    calls.nothing_else()


def test_a_message_by_itself_is_one_turn():
    calls = Calls(Workload("", "fan-in", 1, 1_000))
    assert calls.turns <= 1.2 * calls.units + SLACK


def test_sixteen_messages_in_one_write_are_one_read():
    calls = Calls(Workload("", "fan-in", 200, 32_000, in_flight=16))
    assert calls.of(*READS) <= calls.units / 16 + calls.turns + SLACK
    assert calls.of(*SENDS) <= 2 * calls.turns + SLACK
    calls.nothing_else()


def test_a_visit_from_connect_to_bye():
    calls = Calls(Workload("", "visits", 64, 2_000, in_flight=64))
    visits, turns = calls.units, calls.turns
    # One to learn that nobody else waits is left out, but where several came at once.
    assert calls.of("accept4", "accept") <= 1.1 * visits + SLACK
    # The message with the bye, and the client's end of file.
    assert calls.of("recvfrom") <= 2 * visits + SLACK
    assert calls.of("shutdown") <= visits
    assert calls.of("close") <= visits + SLACK
    assert calls.of("epoll_ctl") <= visits + SLACK
    assert calls.of("sendto", "sendmsg") <= 2 * turns + SLACK
    # The log: two lines a visit, written together, at most every 5 ms; one by one they
    # were seven calls a visit.
    assert calls.of("write", "poll", "futex") <= visits
    calls.nothing_else()


def test_a_reader_that_stops_costs_its_quota_and_it_is_given_back():
    cost = measure(Chatd, Workload("", "stall", 100, 1_200_000, in_flight=16))
    assert cost["grown_bytes"] <= QUOTA + 1024 * 1024
    assert cost["kept_bytes"] <= 400 * 1024


@pytest.mark.parametrize("way", MOST_BYTES)
def test_an_idle_session_costs_few_bytes(way):
    cost = measure(Chatd, Workload("", "idle", 10_000, 1, **WAYS[way]))
    assert cost["silent_bytes"] <= MOST_BYTES[way]
    assert cost["spoken_bytes"] <= MOST_BYTES[way]


@pytest.mark.parametrize("way", ["line", "tls"])  # a WebSocket is pinged
def test_an_idle_session_costs_no_time(way):
    calls = Calls(Workload("", "idle", 1_000, 1, **WAYS[way]))
    assert calls.turns <= 2  # the one that strace found it in
    calls.nothing_else()
