"""A disk that is full: the chat goes on, the operators are told once, and recording
begins again by itself when there is room."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import SANITIZER, Daemon, Home, speaking, wait_until


@pytest.fixture
def small():
    """The path of a file system of 1 MiB. It is in a mount namespace of its own, which a
    process holds; the daemon is started in it, and a test looks in through /proc."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root can mount a file system")
    home = Home()
    folder = home.path / "small"
    folder.mkdir()
    holder = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
        + ['mount -t tmpfs -o size=1m none "$0" && echo mounted && exec cat', str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if holder.stdout.readline() != "mounted\n":
            pytest.skip("this root may not mount a file system")
        yield Small(home, folder, holder.pid)
    finally:
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
        home.remove()


class Small:
    def __init__(self, home, folder, holder):
        self.home = home
        self.path = folder / "transcript.db"
        self.inside = Path(f"/proc/{holder}/root") / str(folder).lstrip("/")
        self.prefix = ["nsenter", f"--mount=/proc/{holder}/ns/mnt", f"--wd={home.path}"]

    def fill(self):
        with open(self.inside / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass

    def grow(self):
        subprocess.run(
            [*self.prefix, "mount", "-o", "remount,size=64m", str(self.path.parent)], check=True
        )

    def free(self):
        (self.inside / "filler").unlink()


def test_a_full_disk_does_not_stop_the_chat(small):
    config = {
        "transcript": {"path": str(small.path), "keep_free": 0},
        "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
    }
    with Daemon(config, home=small.home, prefix=small.prefix) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"before\n")
        wait_until(lambda: operator.recorded() >= 3, "it is recorded")
        for episode in range(2):
            small.fill()
            number = 0

            def warned():
                return operator.events_of("warning")[2 * episode :]

            while not warned():
                number += 1
                text = f"full {episode} {number} " + "x" * 2000
                client.send(text.encode() + b"\n")
                operator.wait_event("message", text=text)
                operator.call("send", to=session, text="yes")
                client.expect(b"yes\n")
                if number % 100 == 0:  # the disk may be slow
                    wait_until(lambda: warned() or operator.recorded() >= number, "most is recorded")
                assert number < 2000
            warning = operator.wait_event("warning")
            assert "cannot be written" in warning["text"], warning
            daemon.wait_log("transcripts cannot be written")
            # What is in the file is still found, and nobody is told twice.
            assert operator.call("history", limit=1000)["messages"][0]["text"] == "before"
            assert len(operator.events_of("warning")) == 2 * episode + 1
            small.free()
            warning = operator.wait_event("warning")
            assert "written again; nothing is missing" in warning["text"], warning
            assert operator.call("stats")["recording_lost"] == 0
        client.send(b"after\n")
        operator.wait_event("message", text="after")
        assert operator.call("history", limit=1)["messages"][0]["text"] == "after"
        found = operator.call("search", text="full")["messages"]
        assert len(found) > 1
        client.close()


def test_what_a_full_disk_could_not_take_is_counted_and_the_gap_is_seen(small):
    config = {
        "transcript": {"path": str(small.path), "keep_free": 0},
        "session": {"max_message": "128KiB"},
        "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
    }
    with Daemon(config, home=small.home, prefix=small.prefix) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator, b"before\n")
        wait_until(lambda: operator.recorded() >= 3, "it is recorded")
        small.fill()
        memory = daemon.rss()
        for number in range(400):  # 40 MB, of which 16 may wait
            client.send(b"%d " % number + b"x" * 100_000 + b"\n")
        wait_until(lambda: operator.call("stats")["messages_in"] == 401, "all have come")
        lost = operator.call("stats")["recording_lost"]
        assert lost > 200
        if not SANITIZER:  # their allocators keep what is freed
            assert daemon.rss() < memory + (32 << 20)
        assert "cannot be written" in operator.wait_event("warning")["text"]
        small.grow()
        warning = operator.wait_event("warning")
        assert f"written again; {lost} events were not recorded" in warning["text"]
        assert operator.call("stats")["recording_lost"] == lost
        client.send(b"after\n")
        operator.wait_event("message", text="after")
        # The numbers show where something is missing, and a replay says so.
        with daemon.operator(subscribe=0, hello=False) as other:
            other.wait_event("message", text="after")
            missing = sum(event["lost"] for event in other.events_of("lagged"))
            seqs = [event["seq"] for event in other.events if event["method"] != "lagged"]
            assert missing > 0 and seqs == sorted(set(seqs))
            assert len(seqs) + missing == seqs[-1]
        client.close()


def test_it_stops_well_while_the_disk_is_full(small):
    with Daemon(
        {"transcript": {"path": str(small.path), "keep_free": 0}}, home=small.home, prefix=small.prefix
    ) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        small.fill()
        while not operator.events_of("warning"):
            client.send(b"y" * 2000 + b"\n")
            operator.wait_event("message", text="y" * 2000)
        client.close()
