"""Threads that the system refuses, for want of room for one more: what needs one is not
there, or the program ends with a sentence."""

import pytest
from harness import Daemon, Home, run_chatd
from witness import Witness

LOG, STORE = 1, 2  # in the order in which they are started


@pytest.fixture
def home():
    made = Home()
    yield made
    made.remove()


def test_without_one_for_the_log_it_does_not_begin(faulty, home):
    faulty.failing_thread = LOG
    ended = run_chatd("--listen", "127.0.0.1:0", "--console", "off", home=home, env=faulty.env)
    assert ended.returncode == 1, ended.stderr
    assert "log" in ended.stderr and "temporarily unavailable" in ended.stderr
    assert faulty.threads == LOG


def test_without_one_for_a_transcript_that_was_asked_for_it_does_not_begin(faulty, home):
    path = home.path / "transcript.db"
    home.write_config({"transcript": {"path": str(path)}})
    faulty.failing_thread = STORE
    ended = run_chatd("--config", home.config_path, "--console", "off", home=home, env=faulty.env)
    assert ended.returncode == 1, ended.stderr
    assert str(path) in ended.stderr and "temporarily unavailable" in ended.stderr
    assert faulty.threads == STORE


def test_without_one_for_the_transcript_of_the_default_path_it_goes_on(faulty, home):
    faulty.failing_thread = STORE
    with Daemon({}, home=home, env=faulty.env) as daemon:
        assert faulty.threads == STORE
        daemon.wait_log("without transcripts.*temporarily unavailable")
        Witness(daemon).all_is_back()
