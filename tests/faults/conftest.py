"""The faults are tried with the harness of the end-to-end tests."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import pytest  # noqa: E402
from chatd_support import CHATCTL, CHATD, SANITIZER, Client, Operator, wait_until  # noqa: E402
from faulty import faulty  # noqa: E402, F401

LONG = bool(os.environ.get("CHATD_FAULTS_LONG"))
"""Whether what takes a minute in life takes a minute here."""


def pytest_report_header():
    return f"chatd: {CHATD}; chatctl: {CHATCTL}; sanitizer: {SANITIZER or 'none'}; long: {LONG}"


def pytest_sessionstart():
    for program in (CHATD, CHATCTL):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is not there; build it, or name it by CHATD or CHATCTL", 1)
