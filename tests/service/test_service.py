"""The service in operation: a configuration with a fault in it, a journal that does not
read, sockets that come from systemd."""

import os
import re
import signal
import time
from pathlib import Path

from harness import FOR_ONE_ORIGIN, REPOSITORY, wait_until

FAULTY = 'limits.sessions = "many"\n[session]\nsettle = 50\n'
STANDSTILL = 60  # seconds
LEAST_ROUNDS = 800
AT = r"chatd\.toml:1:\d+: .*limits\.sessions"


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


def commands_of(section):
    """The commands of doc/operations.md, block by block."""
    page = (REPOSITORY / "doc/operations.md").read_text()
    (text,) = re.findall(rf"(?ms)^## {section}$(.*?)^## ", page)
    return re.findall(r"(?ms)^```\n(.*?)^```$", text)


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
