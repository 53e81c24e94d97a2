"""The tables of bench/run.sh: every workload on chatd and on the bare server in turns,
medians of several runs, as markdown on standard output."""

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import time

import peers
from measure import Workload, count_all_calls, measure
from servers import BIN, SERVER_CORE, Bare, Chatd, pinned

WORKLOADS = [
    Workload("broadcast to 100", "broadcast", 100, 200_000, target=1.10),
    Workload("broadcast to 1,000", "broadcast", 1000, 200_000, target=1.10),
    Workload("broadcast to 10,000", "broadcast", 10_000, 200_000, target=1.15),
    Workload("broadcast to 1,000, 16 in flight", "broadcast", 1000, 800_000, 16, target=1.3),
    Workload("question and answer, 1 client", "questions", 1, 20_000, 1),
    Workload("question and answer, 100", "questions", 100, 100_000, 100, target=1.3),
    Workload("question and answer, 1,000", "questions", 1000, 100_000, 100, target=1.3),
    Workload("question and answer, 10,000", "questions", 10_000, 100_000, 100, target=1.4),
    Workload(
        "question and answer, 1,000, original", "questions", 1000, 100_000, 100, original=True
    ),
    Workload(
        "question and answer, 1,000, console", "questions", 1000, 50_000, 100, console=True
    ),
    Workload(
        "question and answer, 1,000, transcripts on",
        "questions",
        1000,
        100_000,
        100,
        transcripts=True,
        target=1.6,
    ),
    Workload("fan-in from 100", "fan-in", 100, 200_000, 1, target=1.25),
    Workload("fan-in from 10,000", "fan-in", 10_000, 200_000, 1, target=1.25),
    Workload("fan-in from 100, 16 a write", "fan-in", 100, 800_000, 16, target=2.5),
    Workload("fan-in from 10,000, 16 a write", "fan-in", 10_000, 800_000, 16, target=2.5),
    Workload("connect, one message, bye", "visits", 64, 30_000, 64, target=1.4),
    Workload("connect, one message, bye, lingering", "visits", 64, 30_000, 64, lingers=True),
]

# The same work of clients that come by another way; the target is the ratio to a bare socket,
# where a record costs what its cipher does (see cipher_us).
WAYS = [
    Workload(
        "question and answer, 100, WebSocket",
        "questions",
        100,
        100_000,
        100,
        websocket=True,
        target=1.1,
    ),
    Workload(
        "question and answer, 1,000, WebSocket",
        "questions",
        1000,
        100_000,
        100,
        websocket=True,
        target=1.1,
    ),
    Workload(
        "broadcast to 1,000, WebSocket", "broadcast", 1000, 200_000, websocket=True, target=1.1
    ),
    Workload(
        "question and answer, 100, TLS", "questions", 100, 100_000, 100, tls=True, target=1.25
    ),
    Workload(
        "question and answer, 1,000, TLS", "questions", 1000, 100_000, 100, tls=True, target=1.25
    ),
    Workload("broadcast to 1,000, TLS", "broadcast", 1000, 200_000, tls=True),
]
# Shares of a record sealed and one opened, for each unit of work.
RECORDS = {"questions": 1, "broadcast": 0.5}
HANDSHAKES = Workload("handshakes", "handshakes", 1, 3_000, tls=True)

IDLE = [Workload(f"{n:,}", "idle", n, 1) for n in (1000, 10_000, 18_000)]
IDLE += [
    Workload("10,000 WebSockets", "idle", 10_000, 1, websocket=True),
    Workload("10,000 pages", "idle", 10_000, 1, websocket=True, page=True),
    Workload("10,000 by TLS", "idle", 10_000, 1, tls=True),
    Workload("10,000 WebSockets by TLS", "idle", 10_000, 1, websocket=True, tls=True),
]
# The kernel takes some of the messages before any of them waits in the daemon.
STALL = Workload("one of 101 stops reading", "stall", 100, 1_200_000, 16)

HEADER = """\
| workload | chatd µs | bare µs | ratio | at most | calls chatd | calls bare | p50 µs chatd / bare | p99 | max |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"""


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def row(workload, rounds, quick):
    units = max(workload.units // 10, workload.clients) if quick else workload.units
    chatd, bare = [], []
    for _ in range(rounds):
        chatd.append(measure(Chatd, workload, units))
        bare.append(measure(Bare, workload, units))
    calls = [count_all_calls(server, workload, units) for server in (Chatd, Bare)]
    ratio = median(chatd, "cpu_us") / median(bare, "cpu_us")
    cells = [workload.name]
    cells += [f"{median(chatd, 'cpu_us'):.2f}", f"{median(bare, 'cpu_us'):.2f}", f"{ratio:.2f}"]
    cells += [f"{workload.target:.2f}" if workload.target else "–"]
    cells += ["–" if c is None else f"{c:.3f}" for c in calls]
    cells += [
        f"{median(chatd, key):,.0f} / {median(bare, key):,.0f}"
        for key in ("p50_us", "p99_us", "max_us")
    ]
    return "| " + " | ".join(cells) + " |"


def parts(*arguments):
    """What bench_parts says of its parts, by their names."""
    command = [str(BIN / "bench_parts"), "--benchmark_format=json", *arguments]
    result = subprocess.run(pinned(SERVER_CORE, command), capture_output=True, check=True)
    return json.loads(result.stdout)["benchmarks"]


def cipher_us():
    """What OpenSSL takes to seal one record and to open one of a message's size."""
    (part,) = parts("--benchmark_filter=cipher_alone", "--benchmark_min_time=0.1")
    return part["cpu_time"] / 1000


def way_row(workload, rounds, quick):
    """In turns with a bare socket, and with the cipher alone where there is one."""
    units = max(workload.units // 10, workload.clients) if quick else workload.units
    plain = dataclasses.replace(workload, websocket=False, tls=False)
    costs, bare, ciphers = [], [], []
    for _ in range(rounds):
        bare.append(measure(Chatd, plain, units)["cpu_us"])
        costs.append(measure(Chatd, workload, units)["cpu_us"])
        ciphers.append(cipher_us() * RECORDS[workload.kind] if workload.tls else 0)
    calls = [count_all_calls(Chatd, each, units) for each in (workload, plain)]
    cost, bare, cipher = (statistics.median(each) for each in (costs, bare, ciphers))
    cells = [workload.name, f"{cost:.2f}", f"{bare:.2f}", f"{cipher:.2f}" if cipher else "–"]
    cells += [f"{cost / (bare + cipher):.2f}"]
    cells += [f"{workload.target:.2f}" if workload.target else "–"]
    cells += ["–" if c is None else f"{c:.3f}" for c in calls]
    return "| " + " | ".join(cells) + " |"


def print_ways(wish):
    wanted = [workload for workload in WAYS if wish.only in workload.name]
    if wanted:
        print("\n| workload | µs | bare socket | cipher | ratio | at most | calls | bare socket |")
        print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for workload in wanted:
        print(way_row(workload, wish.rounds, wish.quick), flush=True)
    if wish.only in HANDSHAKES.name:
        runs = [measure(Chatd, HANDSHAKES) for _ in range(wish.rounds)]
        print("\n| a handshake | CPU µs | p50 µs of the client | so many a second of one core |")
        print("| --- | --: | --: | --: |")
        cpu = median(runs, "cpu_us")
        cells = [f"{cpu:.0f}", f"{median(runs, 'p50_us'):,.0f}", f"{1e6 / cpu:,.0f}"]
        print("| ECDSA P-256 | " + " | ".join(cells) + " |", flush=True)


def print_idle(quick):
    print("\n| idle sessions | bytes each, silent | after a message | CPU in 3 s, ms |")
    print("| --: | --: | --: | --: |")
    for workload in IDLE[:2] if quick else IDLE:
        cost = measure(Chatd, workload)
        cells = [workload.name, f"{cost['silent_bytes']:.0f}", f"{cost['spoken_bytes']:.0f}"]
        cells += [f"{cost['idle_cpu_us'] / 1000:.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def print_stall():
    cost = measure(Chatd, STALL)
    print("\n| a stalled reader | memory grows by, KiB | kept after it, KiB | 16 broadcasts, p50 ms | max |")
    print("| --- | --: | --: | --: | --: |")
    cells = [STALL.name, f"{cost['grown_bytes'] / 1024:.0f}", f"{cost['kept_bytes'] / 1024:.0f}"]
    cells += [f"{cost['p50_us'] / 1000:.1f}", f"{cost['max_us'] / 1000:.1f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


# What all of them can do, each in its own protocol.
PEER_WORKLOADS = [
    Workload("broadcast to 100", "broadcast", 100, 100_000),
    Workload("broadcast to 1,000", "broadcast", 1000, 100_000),
    Workload("broadcast to 100, 16 in flight", "broadcast", 100, 400_000, 16),
    Workload("question and answer, 100", "questions", 100, 50_000, 100),
    Workload("fan-in from 100", "fan-in", 100, 100_000, 1),
    Workload("fan-in from 100, 16 a write", "fan-in", 100, 400_000, 16),
]


def print_peers(rounds, quick):
    """The CPU time of each server as a ratio to the bare server's, measured in turns with it."""
    installed = peers.installed()
    if peers.missing():
        print(f"not installed: to measure them too, apt-get install {' '.join(peers.missing())}")
        print("(and see to it that they are not started as services)")
    print("\n| workload | chatd | " + " | ".join(p.package for p in installed) + " |")
    print("| --- | --: |" + " --: |" * len(installed))
    for workload in PEER_WORKLOADS:
        servers = [Bare, Chatd]
        for peer in installed:
            if (
                workload.kind in peer.workloads
                and workload.in_flight <= peer.in_flight
                and workload.clients <= peer.clients
            ):
                servers.append(peer)
        units = workload.units // 10 if quick else workload.units
        costs = {server: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                costs[server].append(measure(server, workload, units)["cpu_us"])
        bare = statistics.median(costs[Bare])
        cells = [
            f"{statistics.median(costs[s]) / bare:.2f}" if s in costs else "–"
            for s in [Chatd, *installed]
        ]
        print(f"| {workload.name} | " + " | ".join(cells) + " |", flush=True)


def print_parts():
    """Measures the inner parts by themselves."""
    print("\n| part | ns |")
    print("| --- | --: |")
    for part in parts("--benchmark_min_time=0.2"):
        # A broadcast is so many deliveries.
        each = 1e9 / part["items_per_second"] if "items_per_second" in part else part["cpu_time"]
        print(f"| {part['name']} | {each:,.0f} |", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the work")
    arguments.add_argument("--only", default="", help="workloads whose name has this in it; or idle, parts, or peers")
    wish = arguments.parse_args()
    wanted = [workload for workload in WORKLOADS if wish.only in workload.name]
    if wanted:
        print(HEADER, flush=True)
    for workload in wanted:
        began = time.monotonic()
        print(row(workload, wish.rounds, wish.quick), flush=True)
        print(f"({workload.name}: {time.monotonic() - began:.0f} s)", file=sys.stderr)
    print_ways(wish)
    if not wish.only or wish.only == "idle":
        print_idle(wish.quick)
    if not wish.only and not wish.quick:
        print_stall()
    if wish.only in ("", "parts"):
        print_parts()
    if wish.only in ("", "peers"):
        print_peers(wish.rounds, wish.quick)


main()
