"""The table of bench/console.sh: what a console in a terminal costs the daemon's loop for each
event, with a few sessions and with many."""

import argparse
import fcntl
import os
import pty
import re
import socket
import statistics
import struct
import subprocess
import termios
import threading
import time

from servers import BIN, CONFIG, SERVER_CORE, Server, pinned

BURSTS = (10, 200)  # messages of as many clients that come together
RATE = 2000  # messages a second


class Terminal(Server):
    """A chatd in a terminal of 120 columns, with its console or without."""

    def __init__(self, console):
        super().__init__()
        config = self.folder / "chatd.toml"
        config.write_text(CONFIG.format(folder=self.folder, transcripts="false", transcript_path=""))
        self.screen, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        mode = "on" if console else "off"
        command = [str(BIN / "chatd"), "--config", str(config), "--console", mode]
        self.shown = b""
        self.process = subprocess.Popen(
            pinned(SERVER_CORE, command), stdin=slave, stdout=slave, stderr=slave, cwd=self.folder,
            env={**os.environ, "TERM": "xterm-256color"}, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.pipes, self.pid = [self.screen], self.process.pid
        threading.Thread(target=self._look, daemon=True).start()
        while not (found := re.search(rb"listening on 127\.0\.0\.1:(\d+)", self.shown)):
            time.sleep(0.02)
        self.port = int(found[1])

    def _look(self):
        """Whoever looks at it takes all that is shown."""
        try:
            while data := os.read(self.screen, 1 << 16):
                self.shown = (self.shown + data)[-(1 << 16) :]
        except OSError:
            pass

    def cpu_us(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1000


def cost(console, sessions, unread, burst, messages):
    """µs of the loop for each message; all come from those who are unread."""
    with Terminal(console) as server:
        clients = []
        for _ in range(sessions):
            clients.append(socket.create_connection(("127.0.0.1", server.port)))
            if len(clients) <= unread:
                clients[-1].sendall(b"hello\n")
        time.sleep(1)
        before = server.cpu_us()
        text = b"a message of usual length, such as somebody types who asks for help\n"
        for number in range(0, messages, burst):
            for place in range(burst):
                clients[(number + place) % unread].sendall(text)
            time.sleep(burst / RATE)
        time.sleep(0.5)
        spent = server.cpu_us() - before
        for client in clients:
            client.close()
        return spent / messages


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--messages", type=int, default=8000)
    wish = arguments.parse_args()
    print("| sessions | unread | at once | µs of the loop a message | with a console | that is |")
    print("| --: | --: | --: | --: | --: | --: |")
    for burst in BURSTS:
        for sessions, unread in ((20, 20), (2000, 500)):
            measured = [
                [cost(console, sessions, unread, burst, wish.messages) for console in (False, True)]
                for _ in range(wish.rounds)
            ]
            without, with_it = (statistics.median(column) for column in zip(*measured))
            print(
                f"| {sessions:,} | {unread} | {burst} | {without:.1f} | {with_it:.1f} "
                f"| {with_it - without:.1f} |",
                flush=True,
            )


main()
