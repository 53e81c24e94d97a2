"""The table of bench/asserts.sh: CPU and instructions of chatd for each unit of work, with its
asserts and without. CPU is the kernel's account of all threads, in turns, medians of several
runs; it differs from run to run by more than asserts cost. Instructions are those in user space,
counted by callgrind, and hardly differ."""

import argparse
import re
import statistics
from pathlib import Path
import subprocess

from measure import Load, Workload, measure
from servers import BIN, Chatd, end

WORKLOADS = [
    Workload("question and answer, 100", "questions", 100, 100_000, 100),
    Workload("fan-in from 100", "fan-in", 100, 200_000, 1),
    Workload("fan-in from 100, 16 a write", "fan-in", 100, 800_000, 16),
    Workload("broadcast to 1,000", "broadcast", 1000, 200_000),
    Workload("connect, one message, bye", "visits", 100, 50_000, 100),
]
COUNTED = 20_000  # units for which instructions are counted, after as many others


class Program(Chatd):
    """A chatd of some other build, maybe inside another program."""

    def __init__(self, command, **how):
        self.program = command
        super().__init__(**how)

    def start(self, command, listening):
        super().start([*self.program, *command[1:]], listening)


def cpu(program, workload, units):
    return measure(lambda **how: Program([program], **how), workload, units)["cpu_us"]


def all_instructions(program, workload, units):
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program]
    with Program(tool) as server:
        load = Load(server, workload, units)
        for word in ("ready", "done"):
            load.wait_for(word)
            load.go_on()
        load.result()
        end(server.process)
        said = (server.folder / "log").read_text()
    return int(re.search(r"Collected : (\d+)", said).group(1))


def instructions(program, workload):
    """Of one unit: what twice as many units take more."""
    once, twice = (all_instructions(program, workload, COUNTED * n) for n in (1, 2))
    return (twice - once) / COUNTED


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("without", help="the program that has no asserts")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--quick", action="store_true", help="a tenth of the work")
    options = arguments.parse_args()
    programs = [str(Path(options.without).resolve()), str(BIN / "chatd")]
    print("| workload | CPU µs, without | with | ratio | instructions, without | with | ratio |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for workload in WORKLOADS:
        units = workload.units // 10 if options.quick else workload.units
        runs = [[cpu(each, workload, units) for each in programs] for _ in range(options.rounds)]
        a, b = (statistics.median(column) for column in zip(*runs))
        c, d = (instructions(each, workload) for each in programs)
        print(
            f"| {workload.name} | {a:.2f} | {b:.2f} | {b / a:.2f}"
            f" | {c:,.0f} | {d:,.0f} | {d / c:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
