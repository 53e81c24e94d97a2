"""Memory that is not there: the allocation of number N fails, for N from 1 on. What is
asked for is done, or refused, or the process ends with a sentence and an exit code, and
never by a signal."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from faulty import Faulty
from harness import CHATCTL, CHATD, LONG, Client, Daemon, Home, RpcError, wait_until
from witness import Witness

STEP = 1 if LONG else 29
"""A daemon that begins makes thousands of allocations; the short form tries every 29th."""


def ended_well(code, said, codes):
    assert code in codes, f"exit code {code}: {said}"
    assert code == 0 or said.strip(), f"exit code {code} without a word"


def test_a_program_that_does_one_thing(faulty):
    home = Home()
    home.write_config({"limits": {"sessions": 7}})
    config = str(home.config_path)
    try:
        for arguments, codes in (
            ([CHATD, "--config", config, "--check-config"], (0, 1, 78)),
            ([CHATD, "--config", config, "--print-config"], (0, 1, 78)),
            ([CHATD, "--no-such-flag"], (2, 1)),
            ([CHATCTL, "--help"], (0, 1)),
        ):

            def run():
                return subprocess.run(
                    arguments, env=home.env | faulty.env, capture_output=True, text=True
                )

            faulty.fail_allocation(0)
            assert run().returncode == codes[0]
            most = faulty.allocations
            assert most > 10
            for number in range(1, most + 1):
                faulty.fail_allocation(number)
                ended = run()
                ended_well(ended.returncode, ended.stderr, codes)
    finally:
        home.remove()


class Beginning:
    """A daemon that begins and stops, again and again, with calls of its own that fail."""

    def __init__(self):
        self.faulty = Faulty()
        self.home = Home()
        self.home.write_config({})

    def run(self, number):
        """Its exit code and what it said, where the allocation of that number failed."""
        self.faulty.fail_allocation(number)
        process = subprocess.Popen(
            [CHATD, "--config", str(self.home.config_path), "--console", "off"],
            env=self.home.env | self.faulty.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in process.stderr:
            said.append(line)
            if "listening on" in line:
                break
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        said += process.stderr
        process.stderr.close()
        return process.wait(), "".join(said)

    def fail_each(self, numbers):
        """How many of these allocations were made, and failed."""
        failed = 0
        for number in numbers:
            code, said = self.run(number)
            # SIGTERM may come before anybody handles it.
            assert code in (0, 1, 78, -signal.SIGTERM), f"{number}: exit code {code}: {said}"
            assert code in (0, -signal.SIGTERM) or said.strip(), f"{number}: without a word"
            failed += self.faulty.failed
        return failed


@pytest.mark.usefixtures("faulty")
def test_a_daemon_that_begins_and_stops():
    """Without memory it does not begin, or it begins and stops as it should. Several do so at
    once, because each waits for the disk most of the time."""
    several = [Beginning() for _ in range(4)]
    try:
        code, said = several[0].run(0)
        assert code == 0, said
        numbers = range(1, several[0].faulty.allocations + 1, STEP)
        with ThreadPoolExecutor(len(several)) as pool:
            shares = [numbers[i :: len(several)] for i in range(len(several))]
            failed = sum(pool.map(Beginning.fail_each, several, shares))
        assert failed > 10
    finally:
        for each in several:
            each.home.remove()


def opened(daemon):
    """What the descriptors of the process refer to."""
    folder = f"/proc/{daemon.pid}/fd"
    return [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]


def transaction(daemon, operator):
    """Does most of what a daemon does all day. False if something failed."""
    with operator.changed:
        operator.events.clear()
    try:
        with Client(daemon.address, timeout=5) as client:
            client.send(b"question\n")

            def heard():
                assert daemon.alive()
                return operator.events_of("message", text="question")

            session = wait_until(heard, "the question", timeout=5)[-1]["session"]
            for method, params in (
                ("send", {"to": session, "text": "answer"}),
                ("sessions", {}),
                ("history", {"limit": 3}),
            ):
                operator.finish(operator.begin(method, **params), timeout=5)
            client.send(b"bye\n")
            return client.take_all() == b"answer\n"
    except (AssertionError, OSError, RpcError):
        return False


def has_ended(daemon, operator):
    """It has ended, or it serves. A thread beside the loop may have ended it a moment after all
    went well."""
    if transaction(daemon, operator):
        return False
    wait_until(lambda: not daemon.alive(), "it ends, or serves", timeout=10)
    return True


def test_a_daemon_that_serves(faulty):
    home = Home()
    number, refused, ended, daemon = 0, 0, 0, None
    beyond = 0  # numbers in a row that no allocation had; their count varies a little
    try:
        while True:
            if daemon is None:
                daemon = Daemon({}, home=home, env=faulty.env)
                operator = daemon.operator()
                before = daemon.fds()
                assert transaction(daemon, operator)
            number += 1
            faulty.fail_allocation(number)
            through = transaction(daemon, operator)
            failed = faulty.failed
            faulty.failing = 0
            assert through or failed, f"{number}: {daemon.log()[-2000:]}"
            if failed and has_ended(daemon, operator):
                daemon.check_end(1)
                assert "there is no memory left" in daemon.log()
                daemon.kill()
                daemon, ended = None, ended + 1
            else:
                try:
                    wait_until(lambda: daemon.fds() == before, "the descriptors of before")
                except AssertionError:
                    raise AssertionError(f"{number}: {before} and not {opened(daemon)}") from None
                refused += failed
            beyond = 0 if failed else beyond + 1
            if beyond == 5:
                break
        assert ended > 0 and ended + refused > 5
        daemon.stop()
    finally:
        if daemon is not None:
            daemon.kill()
        home.remove()


def test_chatctl(faulty):
    with Daemon() as daemon:
        witness = Witness(daemon)
        for words in (["list"], ["send", str(witness.session), "hello"], ["--json", "stats"]):

            def run():
                return subprocess.run(
                    [CHATCTL, "--socket", str(daemon.control_path), *words],
                    env=daemon.env | faulty.env,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                )

            faulty.fail_allocation(0)
            assert run().returncode == 0
            for number in range(1, faulty.allocations + 1):
                faulty.fail_allocation(number)
                ended = run()
                ended_well(ended.returncode, ended.stderr, (0, 1, 3))
        while b"hello" in (line := witness.client.take_line()):
            if line == b"hello\n" and not witness.client.pending:
                break
        witness.all_is_back()
