"""The units as files, without booting anything: that systemd understands them, how
exposed it finds the service, and that the numbers in them fit together."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from harness import CHATD, REPOSITORY

SYSTEMD = REPOSITORY / "systemd"
BUILD = Path(os.environ.get("CHATD_BUILD", REPOSITORY / "build/release"))


def run(*argv):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path):
    """The units as they are installed, but for the place of the program: chatd is not
    installed here."""
    text = (BUILD / "systemd/chatd.service").read_text()
    text, places = re.subn(r"(?m)^(Exec\w+)=\S*/chatd\b", rf"\1={CHATD}", text)
    assert places == 2
    (tmp_path / "chatd.service").write_text(text)
    shutil.copy(SYSTEMD / "chatd.socket", tmp_path)
    return tmp_path


def with_sockets_only(units):
    (units / "chatd.service.d").mkdir()
    shutil.copy(SYSTEMD / "sockets-only.conf", units / "chatd.service.d")


def exposure(units):
    """How systemd-analyze rates the service, and why."""
    said = run("systemd-analyze", "security", "--offline=true", units / "chatd.service")
    level = re.search(r"Overall exposure level for chatd\.service: ([0-9.]+)", said)
    assert level, said
    return float(level[1]), "\n".join(line for line in said.splitlines() if "✓" not in line)


def settings(text):
    """{key: [value, ...]}"""
    found = {}
    for key, value in re.findall(r"(?m)^(\w+)=(.*)$", text):
        found.setdefault(key, []).append(value)
    return found


def test_systemd_has_nothing_to_say_about_the_units(units):
    verify = ["systemd-analyze", "verify", "--man=no"]
    assert run(*verify, units / "chatd.service", units / "chatd.socket") == ""
    with_sockets_only(units)
    assert run(*verify, units / "chatd.service", units / "chatd.socket") == ""


def test_the_exposure_is_at_most_1_2(units):
    """0.1 of it because users of unix sockets are known by their numbers (PrivateUsers=no)."""
    level, why = exposure(units)
    assert level <= 1.2, why


def test_the_exposure_is_at_most_0_4_when_all_listeners_come_from_sockets(units):
    with_sockets_only(units)
    level, why = exposure(units)
    assert level <= 0.4, why


def test_the_service_sees_the_users_of_its_unix_sockets(units):
    assert "PrivateUsers" not in settings((units / "chatd.service").read_text())


def test_the_service_has_bounds_that_fit_what_chatd_promises(units):
    unit = settings((units / "chatd.service").read_text())
    assert unit["LimitCORE"] == ["0"]
    assert 16 <= int(unit["TasksMax"][0]) <= 64
    # Clients are let go by the daemon itself long before the kernel ends the process.
    config = tomllib.loads((REPOSITORY / "config/chatd.toml").read_text())
    for_clients = config["limits"].get("memory", "256MiB")
    (number,) = re.fullmatch(r"(\d+)MiB", for_clients).groups()
    (most,) = re.fullmatch(r"(\d+)M", unit["MemoryMax"][0]).groups()
    assert int(most) >= 3 * int(number)
    # All sessions may come and go at once, with a line for each.
    assert unit["LogRateLimitIntervalSec"] == ["30s"]
    assert int(unit["LogRateLimitBurst"][0]) >= 4 * config["limits"]["sessions"]


def test_the_service_may_put_on_a_filter_of_its_own(units):
    unit = settings((units / "chatd.service").read_text())
    assert "seccomp" in unit["SystemCallFilter"][-1].split()


def test_every_stored_descriptor_fits_below_the_limit(units):
    unit = settings((units / "chatd.service").read_text())
    # The same number again, for what the daemon opens before it has taken them over.
    assert int(unit["LimitNOFILE"][0]) >= 2 * int(unit["FileDescriptorStoreMax"][0])
    # The daemon is told how many there may be.
    assert f"FDSTORE={unit['FileDescriptorStoreMax'][0]}" in unit["Environment"]


def test_a_bad_configuration_is_not_started_again_and_again(units):
    unit = settings((units / "chatd.service").read_text())
    assert "78" in unit["RestartPreventExitStatus"][0].split()


def test_the_user_and_the_group_of_the_service_are_made(units, tmp_path):
    unit = settings((units / "chatd.service").read_text())
    group = unit["Group"][0]
    assert f"CHATD_CONTROL_GROUP={group}" in unit["Environment"]
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    run("systemd-sysusers", f"--root={root}", SYSTEMD / "chatd.sysusers")
    assert re.search(rf"(?m)^{group}:", (root / "etc/group").read_text())
    assert re.search(rf"(?m)^{unit['User'][0]}:", (root / "etc/passwd").read_text())
    # Debian 12's message bus refuses such a user, and a stop would be taken for a restart.
    assert "DynamicUser" not in unit


def test_the_package_is_built_with_what_the_project_names():
    """The same packages stand in debian/control, for Debian, and in cmake/packages.txt, for
    everything else."""
    named = re.findall(r"(?m)^build (\S+)$", (REPOSITORY / "cmake/packages.txt").read_text())
    control = (REPOSITORY / "debian/control").read_text()
    built_with = re.search(r"(?ms)^Build-Depends:\n(.*?)^\n", control)[1]
    # The compiler is always there, catch2 is for tests, debhelper for the package alone.
    assert set(re.findall(r"(?m)^ (?!debhelper|dh-)([^,\s]+)", built_with)) == set(named) - {
        "g++",
        "catch2",
    }


def test_the_package_has_the_version_of_the_programs():
    changelog = (REPOSITORY / "debian/changelog").read_text()
    assert run(CHATD, "--version").split()[1] == re.match(r"chatd \(([^)]*)\)", changelog)[1]
