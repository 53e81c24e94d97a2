"""The hooks of every end-to-end run."""

from harness.session import authority, pytest_report_header, pytest_sessionstart  # noqa: F401
