"""Calls of a daemon that fail when a test wants them to, by faulty.cpp in LD_PRELOAD."""

import mmap
import os
import struct
import tempfile

import pytest

from harness import SANITIZER

LIBRARY = os.environ.get("CHATD_FAULTY", "")

FIELDS = [
    "allocations",
    "failing",
    "failed",
    "clock_shift_s",
    "accept_error",
    "accepts_failed",
    "keepalive_divisor",
    "threads",
    "failing_thread",
    "watch_error",
]


class Faulty:
    """A page of shared memory whose fields are attributes. A program with `env` in its
    environment obeys it."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="faulty-")
        self.file.truncate(mmap.PAGESIZE)
        self.page = mmap.mmap(self.file.fileno(), mmap.PAGESIZE)
        self.env = {"LD_PRELOAD": LIBRARY, "FAULTY": self.file.name}

    def __getattr__(self, name):
        if name not in FIELDS:
            raise AttributeError(name)
        return struct.unpack_from("q", self.page, 8 * FIELDS.index(name))[0]

    def __setattr__(self, name, value):
        if name in FIELDS:
            struct.pack_into("q", self.page, 8 * FIELDS.index(name), value)
        else:
            super().__setattr__(name, value)

    def fail_allocation(self, number):
        """From now on the allocation of that number fails, and no other."""
        self.failing = 0
        self.allocations = 0
        self.failed = 0
        self.failing = number


@pytest.fixture
def faulty():
    if SANITIZER:
        pytest.skip("a sanitizer has an allocator and a clock of its own")
    assert os.path.exists(LIBRARY), "CHATD_FAULTY names the library faulty"
    return Faulty()
