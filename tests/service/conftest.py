"""What the tests of a file share: one Debian, booted, and the package in it."""

import shutil

import machine as machines
import package as packages
import pytest
from harness.debian import debian
from service import Service


@pytest.fixture(scope="session")
def changes():
    if not shutil.which("dpkg-buildpackage"):
        pytest.skip("cannot build the package: ./test.sh service installs what is missing")
    return packages.build()


@pytest.fixture(scope="session")
def package(changes):
    return packages.package_of(changes)


@pytest.fixture(scope="session")
def newer_package(package):
    return packages.next_version(package)


@pytest.fixture(scope="session")
def machine():
    with machines.Machine(debian("booted", "run"), "machine") as booted:
        for number, user in enumerate(("member", "stranger"), 1000):
            booted.run("useradd", "-u", number, user)
        yield booted


@pytest.fixture
def service(machine, package):
    """The package, installed and as it is configured then, with a service that has just
    been started and has no sessions."""
    installed = Service(machine, package)
    installed.install()
    installed.reset()
    yield installed
    installed.end()
