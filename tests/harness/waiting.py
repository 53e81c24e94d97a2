"""Waits for conditions, for a limited time. Knows neither daemon nor client."""

import os
import time

SANITIZER = os.environ.get("CHATD_SANITIZER", "")

GUARD = float(os.environ.get("CHATD_TEST_GUARD", 180 if SANITIZER else 60))
"""Seconds after which a wait gives up."""

LONG = bool(os.environ.get("CHATD_TEST_LONG"))
"""Whether tests run at full length, and those of faults in real time."""


def scaled(count, address=5, thread=10):
    """`count` for a release build, and a part of it where a sanitizer slows everything down."""
    return count // {"address": address, "thread": thread}.get(SANITIZER, 1)


def wait_until(condition, what, timeout=GUARD, interval=0.01):
    """Returns the first true value of `condition()`. `what` says what was waited for, or is asked
    for that in the end."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"it never came to this: {what() if callable(what) else what}")
        time.sleep(interval)
