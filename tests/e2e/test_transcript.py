"""Transcripts: what is recorded, that numbers go on over a restart and a crash, and
where the file may not be opened."""

import signal
import sqlite3
import stat

import pytest
from harness import Daemon, Home, run_chatd, speaking, wait_until


@pytest.fixture
def home():
    made = Home()
    yield made
    made.remove()


def transcript_of(home):
    return home.path / "chatd" / "transcript.db"


def recorded(operator):
    return operator.call("stats")["recorded"]


def crash(daemon):
    daemon.process.send_signal(signal.SIGKILL)
    assert daemon.wait() == -signal.SIGKILL
    daemon._let_go()


def test_a_restart_goes_on_with_the_numbers(home):
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        assert session == 1
        operator.call("send", to=session, text="hello")
        client.leave()
        operator.wait_event("disconnected")
        client, session = speaking(daemon, operator)
        assert session == 2
        client.close()
        last = operator.call("stats")["events"]
    with sqlite3.connect(transcript_of(home)) as database:
        rows = database.execute("SELECT seq FROM events ORDER BY seq").fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) >= last
        texts = database.execute("SELECT text FROM events WHERE text IS NOT NULL").fetchall()
        assert [row[0] for row in texts] == ["hi", "hello", "hi"]
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        assert operator.welcome["seq"] == len(rows) + 1  # its own arrival
        _, session = speaking(daemon, operator)
        assert session == 3


def test_a_crash_never_makes_a_number_come_again(home):
    seqs, sessions = 0, 0
    for _ in range(5):
        daemon = Daemon(home=home)
        operator = daemon.operator()
        assert operator.welcome["seq"] > seqs
        assert operator.welcome["seq"] < seqs + 1100
        for _ in range(3):
            _, session = speaking(daemon, operator)
            assert sessions < session <= sessions + 11
            sessions = session
        seqs = max(event["seq"] for event in operator.events)
        crash(daemon)
    with Daemon(home=home):
        pass


def test_its_files_are_for_its_owner_alone(home):
    with Daemon(home=home) as daemon:
        speaking(daemon, daemon.operator())
        folder = transcript_of(home).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        files = sorted(path.name for path in folder.iterdir())
        assert files == [
            "transcript.db",
            "transcript.db-numbers",
            "transcript.db-shm",
            "transcript.db-wal",
        ]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_switched_off_it_leaves_no_file(home):
    with Daemon({"transcript": {"enabled": False}}, home=home) as daemon:
        operator = daemon.operator()
        speaking(daemon, operator)
        assert operator.call("stats")["recorded"] == 0
        assert not transcript_of(home).parent.exists()


def test_where_the_default_path_cannot_be_opened_it_goes_on_without(home):
    transcript_of(home).parent.write_text("a file where the folder should be")
    with Daemon(home=home) as daemon:
        daemon.wait_log("without transcripts: .*chatd")
        speaking(daemon, daemon.operator())


def test_a_second_daemon_at_the_default_path_goes_on_without(home):
    other = Home()
    with Daemon(home=home), Daemon(home=other, env={"XDG_STATE_HOME": str(home.path)}) as daemon:
        daemon.wait_log("without transcripts: .*another daemon has it")
        speaking(daemon, daemon.operator())
    other.remove()


def refused(home, path):
    home.write_config({"transcript": {"path": str(path)}})
    ended = run_chatd("--config", home.config_path, "--console", "off", home=home)
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


def test_a_configured_path_that_cannot_be_opened_is_an_error(home):
    assert "/transcript.db-numbers: No such file" in refused(
        home, home.path / "missing" / "transcript.db"
    )
    garbage = home.path / "garbage.db"
    garbage.write_text("this is a text\n" * 1000)
    assert "garbage.db: file is not a database" in refused(home, garbage)


def test_a_configured_path_that_another_daemon_holds_is_an_error(home):
    path = home.path / "mine.db"
    with Daemon({"transcript": {"path": str(path)}}, home=home):
        other = Home()
        assert "mine.db: another daemon has it" in refused(other, path)
        other.remove()


def test_a_file_of_a_newer_chatd_is_refused(home):
    path = home.path / "newer.db"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    assert "written by a newer chatd" in refused(home, path)


def test_keep_follows_a_reload(home):
    with Daemon({"transcript": {"keep": "0s"}}, home=home) as daemon:
        operator = daemon.operator()
        speaking(daemon, operator, b"to be forgotten\n")
        wait_until(lambda: recorded(operator) >= 3, "it is recorded")
        home.write_config({"transcript": {"keep": "1ms"}})
        assert operator.call("reload")["changed"] == ["transcript.keep"]

        def gone():
            with sqlite3.connect(transcript_of(home)) as database:
                return not database.execute("SELECT 1 FROM events WHERE text IS NOT NULL").fetchall()

        wait_until(gone, "the old message is deleted")
        speaking(daemon, operator)

