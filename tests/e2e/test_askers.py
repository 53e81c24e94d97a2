"""Clients that ask and wait: an announcement is not their answer, they make room for others, and
operators hear that somebody has become one."""

import signal
import subprocess
import threading

from harness import Daemon

GREETING = {"session": {"greeting": "Welcome!", "farewell": "Farewell!"}}


class Script(threading.Thread):
    """answer=$(echo QUESTION | nc -N HOST PORT)"""

    def __init__(self, daemon, question):
        super().__init__()
        command = f"echo '{question}' | nc -N {daemon.host} {daemon.port}"
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.start()

    def run(self):
        self.answer, self.errors = self.process.communicate()

    def wait(self):
        self.join()
        assert self.errors == ""
        return self.answer


def test_an_announcement_a_greeting_and_an_away_text_are_no_answer():
    with Daemon(GREETING) as daemon:
        operator = daemon.operator()
        operator.call("away", text="back at two")
        script = Script(daemon, "deploy?")
        asking = operator.wait_event("asking")["session"]
        with daemon.client() as person:
            person.send(b"hello\n")
            session = operator.wait_event("message", text="hello")["session"]
            person.expect(b"Welcome!\nback at two\n")
            result = operator.call("send", to="all", text="lunch")
            assert result == {
                "delivered": [session],
                "held": [],
                "refused": [],
                "left_out": [asking],
            }
            person.expect(b"lunch\n")
        assert operator.session(asking)["state"] == "asking"
        operator.call("send", to=asking, text="yes")
        assert script.wait() == "yes\n"


def test_who_waits_for_an_answer_when_the_daemon_stops_is_told_nothing():
    with Daemon(GREETING) as daemon:
        operator = daemon.operator()
        script = Script(daemon, "deploy?")
        operator.wait_event("asking")
        daemon.stop()
        assert script.wait() == ""


NOTICES = 80


def test_notices_of_scripts_do_not_lock_out_a_person():
    """exec 3<>/dev/tcp/HOST/PORT; echo notice >&3; exec 3>&-"""
    with Daemon({"limits": {"sessions_per_address": 64}}) as daemon:
        operator = daemon.operator()
        script = (
            f"for i in $(seq {NOTICES}); do exec 3<>/dev/tcp/{daemon.host}/{daemon.port};"
            " echo notice $i >&3; exec 3>&-; done"
        )
        subprocess.run(["/bin/bash", "-c", script], check=True)
        for number in range(1, NOTICES + 1):
            operator.wait_event("message", text=f"notice {number}")
        with daemon.client() as person:
            person.send(b"may I?\n")
            session = operator.session_of(person)
            operator.wait_event("message", session=session, text="may I?")
            operator.call("send", to=session, text="you may")
            person.expect(b"you may\n")
        went = operator.events_of("disconnected", reason="gave way to another client")
        assert len(went) == NOTICES + 1 - 64
        assert [event["session"] for event in went] == sorted(event["session"] for event in went)
        assert operator.call("stats")["refused"] == 0


def test_notices_that_a_busy_daemon_finds_all_at_once_are_all_heard():
    """It accepts many before it has read the first, and does not know yet that they only ask."""
    with Daemon({"limits": {"sessions_per_address": 64}}) as daemon:
        operator = daemon.operator()
        daemon.process.send_signal(signal.SIGSTOP)
        for number in range(1, NOTICES + 1):
            with daemon.client() as script:
                script.send(b"notice %d\n" % number)
        daemon.process.send_signal(signal.SIGCONT)
        for number in range(1, NOTICES + 1):
            operator.wait_event("message", text=f"notice {number}")
        assert operator.call("stats")["refused"] == 0


def test_where_the_whole_daemon_is_full_the_oldest_asker_of_all_goes():
    with Daemon({"limits": {"sessions": 3, "sessions_per_address": 0}}) as daemon:
        operator = daemon.operator()
        clients = [daemon.client(source=f"127.0.0.{i}") for i in (1, 2, 3)]
        sessions = []
        for client in clients:
            client.send(b"question\n")
            sessions.append(operator.session_of(client))
        for index in (2, 1):  # the age is that of the session
            clients[index].close_sending()
            operator.wait_event("asking", session=sessions[index])
        with daemon.client(source="127.0.0.9") as fourth:
            operator.session_of(fourth)
            gone = operator.wait_event("disconnected", reason="gave way to another client")
            assert gone["session"] == sessions[1]
            clients[1].expect_end()
        for client in clients:
            client.close()


def test_who_does_not_ask_never_makes_room():
    with Daemon({"limits": {"sessions": 1}}) as daemon:
        operator = daemon.operator()
        with daemon.client() as first:
            first.send(b"I was here first\n")
            operator.wait_event("message")
            with daemon.client() as second:
                second.expect_end()
            assert operator.call("stats")["refused"] == 1
