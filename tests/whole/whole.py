"""whole.py [--seed N] [--world K] [--seconds S]: see run.sh. Without --world, one world after
the other, until the time is over or one of them is at fault."""

import argparse
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from world import World  # noqa: E402


def say(*words):
    print("whole:", *words, file=sys.stderr, flush=True)


def is_sound(seed, number):
    world = World(seed, number)
    try:
        world.run()
    except Exception as fault:
        traceback.print_exc()
        say("the last that happened:\n" + "\n".join(world.trace[-40:]))
        if world.daemon is not None:
            say("chatd said:\n" + world.daemon.log()[-8000:])
        say(f"{type(fault).__name__}: {str(fault)[:4000]}")
        say(f"seed {seed}, world {number} FAILED; the same world again:")
        say(f"tests/whole/run.sh --seed {seed} --world {number}")
        return False
    finally:
        world.close()
    say(f"seed {seed}, world {number}: {world}")
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", type=int)
    parser.add_argument("--seconds", type=float, default=110)
    how = parser.parse_args()
    if how.world is not None:
        return 0 if is_sound(how.seed, how.world) else 1
    until = time.monotonic() + how.seconds
    number = 0
    while time.monotonic() < until:
        number += 1
        if not is_sound(how.seed, number):
            return 1
    say(f"{number} worlds, and nothing to report")
    return 0


sys.exit(main())
