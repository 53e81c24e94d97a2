"""The Debian package, in a Debian: what it brings, what it keeps and what it leaves."""

import json
import re

from package import version_of
from service import ADDRESS

from harness import ORIGINAL_CLIENT, wait_until
from harness.bill import check_bill


def test_lintian_has_nothing_to_say(workshop, package):
    assert workshop.lintian(package) == ""


def test_it_says_what_it_is_made_of(service, package):
    text = service.machine.run("cat", "/usr/share/doc/chatd/sbom.spdx.json").stdout
    bill = json.loads(text)
    check_bill(bill)
    (itself,) = [each for each in bill["packages"] if each["name"] == "chatd"]
    assert itself["versionInfo"] == version_of(package)
    # dpkg says in its own way what the programs load.
    depends = service.machine.run("dpkg-query", "-W", "-f", "${Depends}", "chatd").stdout
    named = {each["name"] for each in bill["packages"]}
    for library in ("libuv1", "libsqlite3-0", "libreadline8", "libsystemd0", "libstdc++6"):
        assert library in depends and any(name.startswith(library) for name in named), library


def test_an_installed_package_serves_and_says_nothing_but_that(service):
    assert service.property("ActiveState") == "active"
    assert service.property("UnitFileState") == "enabled"
    assert service.machine.property("chatd.socket", "ActiveState") == "inactive"
    assert re.search(r"listening on 127\.0\.0\.1:8080", service.journal())
    assert "0 sessions" in service.property("StatusText")
    assert service.machine.run("chatd", "--check-config").stdout == ""


def test_the_original_client_and_netcat_talk_to_it(service):
    operator = service.operator()
    original = service.program("/usr/bin/python3", ORIGINAL_CLIENT, *ADDRESS)
    first = operator.wait_event("message", text="This is from Client")["session"]
    netcat = service.program("nc", "-N", *ADDRESS)
    netcat.stdin.write("q?\n")
    netcat.stdin.close()
    netcat.stdin = None
    second = operator.wait_event("message", text="q?")["session"]
    service.chatctl("send", second, "42, of course")
    assert netcat.communicate(timeout=60)[0] == "42, of course\n"
    service.chatctl("send", first, "hello, clié")
    original.stdin.write("more\nbye\n")
    original.stdin.flush()
    operator.wait_event("message", session=first, text="more")
    service.chatctl("send", first, "answer")
    assert original.communicate(timeout=60)[0].count("From Server :") == 2
    assert original.returncode == 0
    operator.wait_event("disconnected", session=first)


def test_members_of_the_group_attach_and_others_do_not(service):
    machine = service.machine
    machine.run("usermod", "-G", "chatd-operators", "member")
    operator = service.operator()
    client, session = service.speaking(operator)
    assert service.chatctl("--json", "list", user="member").stdout.count('"session"') == 1
    service.chatctl("send", session, "from a member", user="member")
    client.expect(b"from a member\n")
    # Under the name that claims belong to.
    assert operator.wait_event("sent", text="from a member")["operator"] == "member"
    refused = service.chatctl("list", user="stranger", check=False)
    assert refused.returncode == 5 and "denied" in refused.stderr
    assert refused.stdout == ""


def test_upgrading_keeps_the_sessions(service, newer_package):
    operator = service.operator()
    line, line_id = service.speaking(operator, b"hello\n")
    line.send(b"the beginning, ")
    original = service.original()
    original_id = operator.session_of(original)
    operator.wait_event("message", session=original_id)
    old = service.pid()
    version = version_of(newer_package)
    assert operator.welcome["version"] != version
    service.install(newer_package)
    service.wait_restarted(old)
    operator = service.operator(subscribe=0)
    assert operator.welcome["version"] == version
    assert service.machine.run("chatd", "--version").stdout == f"chatd {version}\n"
    assert re.search(rf"(?s)chatd {re.escape(version)} starts.*goes on with 2 sessions", service.journal())
    line.send(b"and the end\n")
    operator.wait_event("message", session=line_id, text="the beginning, and the end")
    operator.call("send", to="all", text="still here?")
    line.expect(b"still here?\n")
    assert original.hear() == "still here?"
    original.say("yes")
    operator.wait_event("message", session=original_id, text="yes")


def test_upgrading_keeps_a_changed_configuration(service, newer_package):
    service.configure({"session": {"greeting": "mine"}})
    service.install(newer_package)
    operator = service.operator()
    client, _ = service.speaking(operator)
    client.expect(b"mine\n")


def test_what_was_said_is_found_after_a_removal_and_gone_after_a_purge(service):
    """What is left is what an administrator may want back, and nothing after a purge."""
    machine = service.machine
    operator = service.operator()
    client, session = service.speaking(operator, b"remember this\n")
    wait_until(lambda: "remember" in service.chatctl("history").stdout, "it is recorded")
    operator.close()
    machine.run("dpkg", "--remove", "chatd")
    client.expect_end()
    machine.run("test", "-e", "/var/lib/chatd/transcript.db")
    machine.run("test", "-e", "/etc/chatd/chatd.toml")
    assert machine.property("chatd.service", "LoadState") == "not-found"
    service.install()
    wait_until(lambda: "remember this" in service.chatctl("history").stdout, "it is still there")
    machine.run("dpkg", "--purge", "chatd")
    left = {path for path in machine.files() if re.search("chatd", path) and not re.match(r"/root/", path)}
    # Of the tools that installed it, and the journal, which is the machine's.
    left -= {path for path in left if re.match(r"/var/(lib/dpkg|log|cache|lib/systemd/linger)/", path)}
    present = {path for path in left if machine.run("test", "-e", path, check=False).returncode == 0}
    assert present == set()
    assert machine.run("getent", "group", "chatd-operators", check=False).returncode == 2
    assert machine.run("getent", "passwd", "chatd", check=False).returncode == 2
    assert machine.run("find", "/run", "/tmp", "/var/tmp", "-name", "*chatd*").stdout == ""
    assert machine.run("systemctl", "list-units", "--all", "chatd*", "--no-legend").stdout.strip() == ""
