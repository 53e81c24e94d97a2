"""The hooks of every run of the faults, and the library that makes calls fail."""

from faulty import faulty  # noqa: F401
from harness.session import authority, pytest_report_header, pytest_sessionstart  # noqa: F401
