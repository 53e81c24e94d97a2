"""What the tests of a file share: one Debian, booted, and the package in it."""

import os

import machine as machines
import package as packages
import pytest
from harness.certificates import Authority
from harness.debian import debian, own_suite
from service import Service


@pytest.fixture(scope="session")
def suite():
    """The Debian that the package is built in and for, and that is booted."""
    return os.environ.get("CHATD_SUITE", own_suite())


@pytest.fixture(scope="session")
def workshop(suite):
    return packages.Workshop(suite)


@pytest.fixture(scope="session")
def package(workshop):
    return workshop.build()


@pytest.fixture(scope="session")
def newer_package(workshop, package):
    return workshop.next_version(package)


@pytest.fixture(scope="session")
def machine(suite):
    with machines.Machine(debian(suite, "booted", "run"), f"machine-{suite}") as booted:
        for number, user in enumerate(("member", "stranger"), 1000):
            booted.run("useradd", "-u", number, user)
        yield booted


@pytest.fixture(scope="session")
def authority():
    with Authority() as authority:
        yield authority


@pytest.fixture
def service(machine, package):
    """The package, installed and as it is configured then, with a service that has just
    been started and has no sessions."""
    installed = Service(machine, package)
    installed.install()
    installed.reset()
    yield installed
    installed.end()
