"""The tables of bench/transcript.sh: the CPU of the loop's thread for each unit of work
with transcripts on and off, in turns, medians of several runs; and the time that history
and search take among many messages, with what the loop has to do meanwhile."""

import argparse
import dataclasses
import json
import os
import socket
import statistics
import time

from measure import Load, Workload
from servers import Chatd

COSTS = [
    Workload("question and answer, 100", "questions", 100, 100_000, 100, target=1.5),
    Workload("question and answer, 1,000", "questions", 1000, 100_000, 100, target=1.5),
    Workload("fan-in from 100", "fan-in", 100, 200_000, 1, target=1.5),
    Workload("fan-in from 100, 16 a write", "fan-in", 100, 800_000, 16, target=1.5),
    Workload("broadcast to 1,000", "broadcast", 1000, 200_000, target=1.5),
]

MESSAGES = 100_000
CLIENTS = 10
SPEAKER, SILENT = 4, CLIENTS + 1  # sessions that are asked about
RARE = 977  # one message in so many has the same rare word
LIMIT = 200
# What is asked, and the milliseconds that it may take.
QUESTIONS = [
    ("search, a word of every message", "search", {"text": "common", "limit": 20}, 50),
    ("search, two such words", "search", {"text": "about common", "limit": LIMIT}, 50),
    ("search, a word of one in 977", "search", {"text": "item400", "limit": LIMIT}, 50),
    (
        "search, that word, one session",
        "search",
        {"text": "item400", "session": SPEAKER, "limit": LIMIT},
        50,
    ),
    (
        "search, a common word, of one who never said it",
        "search",
        {"text": "common", "session": SILENT, "limit": LIMIT},
        50,
    ),
    ("search, a word of none", "search", {"text": "neverthere common", "limit": LIMIT}, 50),
    ("history", "history", {"limit": 20}, 10),
    ("history, 200 messages", "history", {"limit": LIMIT}, 10),
    ("history, 200 of one session", "history", {"session": SPEAKER, "limit": LIMIT}, 10),
    ("history, 200 from the middle", "history", {"before": MESSAGES // 2, "limit": LIMIT}, 10),
]


def cpu_ns(pid):
    """The CPU time of the loop's thread, which is the process's first, and that of all threads."""
    spent = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            spent[int(thread)] = int(file.read().split()[0])
    return spent[pid], sum(spent.values())


def loop_cost(workload, units):
    """The µs of each unit in the loop's thread, and those in all threads."""
    with Chatd(transcripts=workload.transcripts) as server:
        load = Load(server, workload, units)
        load.wait_for("ready")
        before = cpu_ns(server.pid)
        load.go_on()
        load.wait_for("done")
        after = cpu_ns(server.pid)
        load.go_on()
        done = load.result()["units"]
        return [(ns - then) / 1000 / done for ns, then in zip(after, before)]


def print_costs(rounds, quick):
    print("| workload | loop µs, off | on | ratio | at most | all threads, off | on |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for workload in COSTS:
        units = workload.units // (10 if quick else 1)
        runs = {False: [], True: []}
        for _ in range(rounds):
            for on, costs in runs.items():
                costs.append(loop_cost(dataclasses.replace(workload, transcripts=on), units))
        loop = {on: statistics.median(cost[0] for cost in costs) for on, costs in runs.items()}
        every = {on: statistics.median(cost[1] for cost in costs) for on, costs in runs.items()}
        cells = [workload.name, f"{loop[False]:.2f}", f"{loop[True]:.2f}"]
        cells += [f"{loop[True] / loop[False]:.2f}", f"{workload.target:.2f}"]
        cells += [f"{every[False]:.2f}", f"{every[True]:.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


class Control:
    """An operator who asks one thing after the other."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def ask(self, method, params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        line = json.dumps(request).encode() + b"\n"
        began = time.monotonic()
        self.socket.sendall(line)
        answer = self.lines.readline()
        took = time.monotonic() - began
        return json.loads(answer)["result"], took

    def stats(self):
        return self.ask("stats", {})[0]


def fill(server, control):
    """MESSAGES of CLIENTS sessions, recorded. Returns the clients."""
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CLIENTS + 1)]
    clients[SILENT - 1].sendall(b"hello\n")
    for i in range(0, MESSAGES, 100):
        lines = (
            f"line {n} is about item{n % RARE} and nothing common {n % 7}\n"
            for n in range(i, i + 100)
        )
        clients[i // 100 % CLIENTS].sendall("".join(lines).encode())
        while i % 1000 == 0:  # not faster than the disk
            stats = control.stats()
            if stats["messages_in"] >= i and stats["events"] - stats["recorded"] < 5000:
                break
    while control.stats()["recorded"] < MESSAGES + CLIENTS + 2:
        time.sleep(0.01)
    assert control.stats()["recording_lost"] == 0
    return clients


def found(method, params):
    """The number of messages in the answer."""
    most = params["limit"]
    if "item" not in params.get("text", ""):
        nothing = "neverthere" in params.get("text", "") or params.get("session") == SILENT
        return 0 if nothing else most
    having = range(int(params["text"][4:]), MESSAGES, RARE)
    if "session" in params:
        having = [n for n in having if n // 100 % CLIENTS == params["session"] - 1]
    return min(most, len(having))


def print_questions(rounds):
    print(f"\n| among {MESSAGES:,} messages | p50 ms | p99 | max | at most | CPU ms | loop µs |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    with Chatd(transcripts=True) as server:
        control = Control(server.control)
        for client in fill(server, control):
            client.close()
        server.again()
        control = Control(server.control)
        for name, method, params, most in QUESTIONS:
            times = []
            before = cpu_ns(server.pid)
            for _ in range(rounds):
                answer, took = control.ask(method, params)
                times.append(1000 * took)
                assert len(answer["messages"]) == found(method, params), name
            loop, every = (ns - then for ns, then in zip(cpu_ns(server.pid), before))
            times.sort()
            cells = [name, f"{statistics.median(times):.2f}"]
            cells += [f"{times[len(times) * 99 // 100]:.2f}", f"{times[-1]:.2f}", str(most)]
            cells += [f"{(every - loop) / 1e6 / rounds:.2f}", f"{loop / 1000 / rounds:.0f}"]
            print("| " + " | ".join(cells) + " |", flush=True)
        turn = control.stats()["longest_turn_ms"]
        print(f"\nThe longest turn of the loop meanwhile: {turn:.1f} ms.")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the work")
    wish = arguments.parse_args()
    print_costs(wish.rounds, wish.quick)
    print_questions(30 if wish.quick else 300)


main()
