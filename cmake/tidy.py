#!/usr/bin/env python3
"""tidy.py BUILD_FOLDER [BEGINNING_OF_A_PATH...]: runs clang-tidy on every source file of
ours, or on those whose paths begin so, several at a time. The folder must have been built.

A clean file is not checked again until its sources, its command, the checks or clang-tidy
itself change: the hash of all that is kept in BUILD_FOLDER/tidy. Prints nothing about
clean files; the exit code is 1 if any file is not clean.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent

# The first holds Catch2's code and none of ours; the second replaces functions of the C
# library, whose names and declarations are not ours.
LEFT_OUT = {"tests/support/main.cpp", "tests/faults/faulty.cpp"}


@functools.cache
def digest(path):
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).digest()
    except OSError:
        return b""


def inputs_of_outputs(build):
    """What each object file was compiled from, as ninja knows it."""
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True,
                             capture_output=True, text=True).stdout
    inputs = {}
    for block in listing.split("\n\n"):
        head, *names = block.strip().splitlines() or [""]
        inputs[head.split(":")[0]] = [os.path.join(build, name.strip()) for name in names]
    return inputs


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2:]
    clean = build / "tidy"
    clean.mkdir(exist_ok=True)
    inputs = inputs_of_outputs(build)
    common = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
    common += digest(SOURCE / ".clang-tidy") + digest(SOURCE / "tests" / ".clang-tidy")

    due = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        name = os.path.relpath(entry["file"], SOURCE)
        if name in LEFT_OUT or wanted and not name.startswith(tuple(wanted)):
            continue
        command = shlex.split(entry["command"])
        known = inputs.get(command[command.index("-o") + 1])
        if not known:
            sys.exit(f"tidy.py: {name} was not built")
        state = hashlib.sha256(common + entry["command"].encode())
        for path in known:
            state.update(digest(path))
        mark = clean / state.hexdigest()
        if not mark.exists():
            due[name] = mark

    def check(name):
        return subprocess.run(["clang-tidy", "--quiet", "-p", build, SOURCE / name],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    print(f"tidy.py: {len(due)} files to look at", file=sys.stderr)
    unclean = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for (name, mark), result in zip(due.items(), pool.map(check, due)):
            if result.returncode == 0:
                mark.touch()
            else:
                unclean += 1
                print(f"tidy.py: {name}\n{result.stdout or result.stderr}", flush=True)
    if unclean:
        sys.exit(f"tidy.py: {unclean} files are not clean")


main()
