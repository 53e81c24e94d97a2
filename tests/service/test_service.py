"""The service in operation: a configuration with a fault in it, a journal that does not
read, sockets that come from systemd."""

import os
import re
import signal
import time
from pathlib import Path

from service import ADDRESS

from harness import FOR_ONE_ORIGIN, REPOSITORY, wait_until
from harness.certificates import Secure
from harness.web import Page, WebSocket, request

FAULTY = 'limits.sessions = "many"\n[session]\nsettle = 50\n'
STANDSTILL = 60  # seconds
LEAST_ROUNDS = 800
AT = r"chatd\.toml:1:\d+: .*limits\.sessions"


def commands_of(section):
    """The commands of doc/operations.md, block by block; blocks in a language are none."""
    page = (REPOSITORY / "doc/operations.md").read_text()
    (text,) = re.findall(rf"(?ms)^## {section}$(.*?)^## ", page)
    blocks = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text)
    return [block for language, block in blocks if not language]


def test_a_bad_configuration_at_reload_changes_nothing_and_is_told(service):
    operator = service.operator()
    client, session = service.speaking(operator)
    pid = service.pid()
    before = service.machine.run("chatd", "--print-config").stdout
    service.configure(FAULTY)
    assert service.systemctl("reload", check=False).returncode != 0
    for said in (service.journal(), service.systemctl("status", "--no-pager", check=False).stdout):
        assert re.search(AT, said), said
        assert re.search(r"chatd\.toml:3:\d+: .*session\.settle", said), said
    assert service.property("ActiveState") == "active" and service.pid() == pid
    # Also when the daemon itself is asked: then its own line of status says it.
    refused = service.chatctl("reload", check=False)
    assert refused.returncode == 1 and re.search(AT, refused.stderr)
    wait_until(lambda: re.search(r":1:\d+", service.property("StatusText")), "the status says it")
    client.send(b"goes on\n")
    operator.wait_event("message", session=session, text="goes on")
    service.configure(before)
    service.systemctl("reload")
    wait_until(lambda: ":1:" not in service.property("StatusText"), "the status is good")
    assert service.pid() == pid


def test_a_bad_configuration_at_start_ends_with_78_and_is_not_tried_again(service):
    service.systemctl("stop")
    service.configure(FAULTY)
    starts = service.journal().count("Starting chatd")
    assert service.systemctl("start", check=False).returncode != 0
    assert service.property("ExecMainStatus") == "78"
    assert service.property("ActiveState") == "failed"
    assert service.property("NRestarts") == "0"
    # A planned restart would be a state of its own.
    assert service.property("SubState") == "failed"
    said = service.journal()
    assert re.search(AT, said) and said.count("Starting chatd") == starts + 1


def test_a_journal_that_does_not_read_for_a_minute_delays_nobody(service):
    """More is logged than any buffer on the way takes. What is lost is counted."""
    service.configure({"log": {"level": "debug"}, "limits": FOR_ONE_ORIGIN})
    service.restart()
    operator = service.operator()
    client, session = service.speaking(operator)
    machine = service.machine
    journal = machine.host_pid(machine.property("systemd-journald.service", "MainPID"))
    os.kill(journal, signal.SIGSTOP)
    try:
        stopped = time.monotonic()
        longest = rounds = 0
        while (started := time.monotonic()) < stopped + STANDSTILL or rounds < LEAST_ROUNDS:
            with service.client() as visitor:
                visitor.send(b"bye\n")
                visitor.expect_end()
            client.send(b"%d\n" % rounds)
            operator.wait_event("message", session=session, text=str(rounds), timeout=10)
            operator.call("send", to=session, text=f"answer {rounds}")
            client.expect(b"answer %d\n" % rounds)
            rounds += 1
            longest = max(longest, time.monotonic() - started)
        assert operator.call("stats")["longest_turn_ms"] < 1000
    finally:
        os.kill(journal, signal.SIGCONT)
    assert longest < 5
    client.send(b"over\n")
    operator.wait_event("message", session=session, text="over")

    pid = service.pid()

    def logged():
        # The next connection is logged, and before it the number of lost lines.
        with service.client() as visitor:
            visitor.send(b"bye\n")
            visitor.expect_end()
        return machine.journal(f"_PID={pid}")

    told = r"(\d+) log lines were lost here\n(?:.*\n)*.*\] disconnected"
    log = wait_until(lambda: re.search(told, said := logged()) and said, "the loss is told", interval=0.2)
    # Two lines of each visitor, each of them there or counted.
    there = len(re.findall(r"\] (?:dis)?connected", log))
    lost = sum(map(int, re.findall(r"(\d+) log lines were lost here", log)))
    print(f"{rounds} answers while the journal stood still; of its lines {there} are there, {lost} lost")
    assert lost > 0 and there + lost >= 2 * rounds


def test_sockets_of_systemd_serve_without_a_network(service):
    machine = service.machine
    shipped = machine.root / "usr/share/doc/chatd/examples/sockets-only.conf"
    service.systemctl("stop")
    service.drop_in("sockets-only.conf", shipped.read_text())
    machine.run("systemctl", "start", "chatd.socket")
    assert service.property("ActiveState") == "inactive"
    client = service.client()  # whom the service is started for
    client.send(b"waited for\n")
    wait_until(lambda: service.property("ActiveState") == "active", "the service was started")
    operator = service.operator(subscribe=0)
    session = operator.wait_event("message", text="waited for")["session"]
    operator.call("send", to=session, text="hi")
    client.expect(b"hi\n")
    network = os.readlink(f"/proc/{machine.host_pid(service.pid())}/ns/net")
    assert network != os.readlink(f"/proc/{machine.init}/ns/net")
    old = service.pid()
    service.restart()
    assert service.pid() != old
    operator = service.operator()
    client.send(b"still here\n")
    operator.wait_event("message", session=session, text="still here")
    late, _ = service.speaking(operator)
    machine.run("systemctl", "stop", "chatd.socket", "chatd.service")
    late.expect_end()


def test_the_service_is_bounded_and_puts_on_its_own_filter_beside_that_of_systemd(service):
    machine = service.machine
    client, _ = service.speaking(service.operator())
    for _ in range(2):
        status = Path(f"/proc/{machine.host_pid(service.pid())}/status").read_text()
        (filters,) = re.findall(r"(?m)^Seccomp_filters:\t(\d+)$", status)
        # The other programs of the machine have those of the machine alone.
        manager = Path(f"/proc/{machine.init}/status").read_text()
        (of_machine,) = re.findall(r"(?m)^Seccomp_filters:\t(\d+)$", manager)
        assert int(filters) > int(of_machine) + 1
        service.restart()
    assert "without its filter" not in service.journal()
    assert service.property("MemoryMax") == str(768 * 1024 * 1024)
    assert service.property("TasksMax") == "32"
    limits = Path(f"/proc/{machine.host_pid(service.pid())}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    operator = service.operator()
    client.send(b"still here\n")
    operator.wait_event("message", text="still here")


def test_a_backup_made_in_operation_is_restored_as_the_page_tells(service):
    machine = service.machine
    backup, restore = commands_of("Back up")
    operator = service.operator()
    client, _ = service.speaking(operator, b"before the backup\n")
    wait_until(lambda: "before" in service.chatctl("history").stdout, "it is recorded")
    machine.run("mkdir", "-p", "/srv/backup")
    machine.run("sh", "-ec", backup)
    # More than all that is asked below: its numbers must not come again.
    for number in range(50):
        client.send(b"after the backup %d\n" % number)
    last = operator.wait_event("message", text="after the backup 49")["seq"]
    last_session = max(service.speaking(operator)[1] for _ in range(5))
    wait_until(lambda: "backup 49" in service.chatctl("history").stdout, "it is recorded")
    machine.run("sh", "-ec", restore)
    client.expect_end()
    assert service.property("ActiveState") == "active"
    found = service.chatctl("search", "backup").stdout
    assert "before the backup" in found and "after the backup" not in found
    operator = service.operator()
    assert operator.welcome["seq"] > last
    _, after = service.speaking(operator, b"after the restore\n")
    assert after > last_session
    wait_until(lambda: "restore" in service.chatctl("history").stdout, "it is recorded again")


def test_the_page_is_served_as_it_is_installed_and_outlives_a_restart(service):
    page = service.machine.connected(lambda: request(ADDRESS))
    assert page.status == 200 and b"<!doctype html>" in page.body
    operator = service.operator()
    program = service.connected(WebSocket, ADDRESS)
    program.send("from a program")
    by_program = operator.wait_event("message", text="from a program")["session"]
    visitor = service.connected(Page, ADDRESS)
    visitor.say("from a visitor")
    by_visitor = operator.wait_event("message", text="from a visitor")["session"]
    service.restart()
    visitor.expect_end(1012)
    operator = service.operator()
    service.chatctl("send", by_program, "still here?")
    program.expect("still here?")
    service.chatctl("send", by_visitor, "and you?")
    visitor = service.connected(Page, ADDRESS, resume=visitor.token)
    assert visitor.session_resumed
    visitor.hear("message", text="and you?")
    visitor.say("yes")
    operator.wait_event("message", session=by_visitor, text="yes")


def test_a_certificate_that_only_root_may_read(service, authority):
    """As the page tells: the service manager reads it for the service, whose reload takes the same
    one again; a restart takes the one that has been renewed, and the sessions go on."""
    machine = service.machine
    live = "etc/letsencrypt/live/chat.example.org"
    names = ("fullchain.pem", "privkey.pem")

    def issue():
        service.bring(authority.sign("chat.example.org"), live, owner="root", names=names)

    issue()
    machine.run("chmod", "700", "/etc/letsencrypt/live")
    (install,) = [block for block in commands_of("Encrypt") if "tls-credentials.conf" in block]
    machine.run("sh", "-ec", install)
    given = "/run/credentials/chatd.service"
    listen = {"address": ADDRESS[0], "port": ADDRESS[1]}
    listen |= {"tls_certificate": f"{given}/certificate", "tls_key": f"{given}/key"}
    config = {"listen": [listen]}
    service.configure(config)
    service.restart()
    for user in "chatd", "member":
        for path in f"/{live}/privkey.pem", f"{given}/key":
            read = machine.run("runuser", "-u", user, "--", "cat", path, check=False)
            assert (read.returncode == 0) == (user == "chatd" and path.startswith(given)), (user, path)

    def connect():
        client = service.connected(Secure, ADDRESS, authority.client(), name="chat.example.org")
        return client, client.socket.getpeercert()["serialNumber"]

    operator = service.operator()
    client, first = connect()
    client.send(b"hello\n")
    session = operator.wait_event("message", text="hello")["session"]
    issue()
    service.systemctl("reload")
    assert connect()[1] == first
    service.configure(FAULTY)
    refused = service.systemctl("reload", check=False)
    assert refused.returncode != 0
    wait_until(lambda: re.search(AT, service.property("StatusText")), "the status says it")
    service.configure(config)
    service.systemctl("reload")
    service.restart()
    assert connect()[1] != first
    operator = service.operator()
    client.send(b"still here\n")
    operator.wait_event("message", session=session, text="still here")
    operator.call("send", to=session, text="and secure")
    client.expect(b"and secure\n")
    operator.close()
    assert "PRIVATE KEY" not in service.journal()
