"""Peers that are as bad as peers can be: none of them costs another one anything."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from harness import FOR_ONE_ORIGIN, LONG, Client, Daemon, scaled, wait_until
from witness import MIB, Witness

FAST = {"messages_per_second": 1000000, "messages_burst": 1000000, **FOR_ONE_ORIGIN}


# Half-open: the peer has gone, and no packet says so.


def dropped_link():
    """A pair of networks with a link between them: the daemon lives in the one, and the
    command returned runs in the other."""
    return [
        "unshare",
        "--net",
        "/bin/sh",
        "-c",
        "ip link set lo up && unshare --net sleep 1000 & other=$!;"
        ' until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done;'
        " ip link add inside type veth peer name outside netns $other"
        " && ip addr add 10.99.0.1/24 dev inside && ip link set inside up"
        " && nsenter -t $other -n ip addr add 10.99.0.2/24 dev outside"
        " && nsenter -t $other -n ip link set outside up"
        ' && echo $other >"$CHATD_TEST_OTHER" && exec "$0" "$@"',
    ]


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ip"), reason="only root can make a link")
def test_a_peer_behind_a_dropped_link_is_found_out_and_let_go(faulty, tmp_path):
    """TCP's keepalive finds it after two minutes (60 s and three times 20 s), which are two
    seconds in the short form."""
    from harness.network import in_network_of

    faulty.keepalive_divisor = 1 if LONG else 60
    other_file = tmp_path / "other"
    config = {"listen": [{"address": "10.99.0.1", "port": 0}]}
    env = faulty.env | {"CHATD_TEST_OTHER": str(other_file)}
    with Daemon(config, prefix=dropped_link(), env=env) as daemon:
        other = int(other_file.read_text())
        try:
            operator = daemon.operator()
            before = daemon.fds()

            def connect():
                return in_network_of(other, lambda: Client(daemon.address))

            silent, original, *others = clients = [connect() for _ in range(5)]
            original.send(b"hi")
            for client in others:
                client.send(b"hi\n")
            operator.session_of(silent)
            for client in original, *others:
                operator.wait_event("message", session=operator.session_of(client))
            subprocess.run(
                ["nsenter", "-t", str(other), "-n", "ip", "link", "set", "outside", "down"],
                check=True,
            )
            for client in clients:
                operator.wait_event(
                    "disconnected", timeout=300 if LONG else 60, reason="connection timed out"
                )
            wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
            subprocess.run(
                ["nsenter", "-t", str(other), "-n", "ip", "link", "set", "outside", "up"],
                check=True,
            )
            with connect() as late:
                late.send(b"I am back\n")
                operator.wait_event("message", text="I am back")
                late.leave()
            stats = operator.call("stats")
            assert stats["sessions"] == 0 and stats["accepted"] == 6
        finally:
            os.kill(other, 9)


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("ip"), reason="only root can make a link")
def test_one_that_vanishes_with_an_answer_on_its_way_is_let_go_and_one_that_rests_is_not(
    faulty, tmp_path
):
    """Keepalive does not run while an answer is on its way, and TCP alone would try for a
    quarter of an hour. A client that rests takes nothing either, but says so when asked."""
    from harness.network import in_network_of

    faulty.keepalive_divisor = 1 if LONG else 60
    other_file = tmp_path / "other"
    config = {"listen": [{"address": "10.99.0.1", "port": 0}], "limits": FAST}
    env = faulty.env | {"CHATD_TEST_OTHER": str(other_file)}
    with Daemon(config, prefix=dropped_link(), env=env) as daemon:
        other = int(other_file.read_text())

        def there(*command):
            subprocess.run(["nsenter", "-t", str(other), "-n", "ip", *command], check=True)

        def speaking_from(source, **how):
            client = in_network_of(other, lambda: Client(daemon.address, source=source, **how))
            client.send(b"hi\n")
            session = operator.session_of(client)
            operator.wait_event("message", session=session, text="hi")
            return client, session

        def send(session, count, size):
            for number in range(count):
                text = f"{number} " + "x" * size
                assert operator.call("send", to=session, text=text)["delivered"] == [session]

        try:
            there("addr", "add", "10.99.0.3/32", "dev", "outside")
            operator = daemon.operator()
            before = daemon.fds()
            resting, resting_id = speaking_from("10.99.0.2", receive_buffer=2048)
            gone, gone_id = speaking_from("10.99.0.3")
            send(resting_id, 40, 5000)
            assert operator.call("stats")["queued_bytes"] > 50_000
            there("addr", "del", "10.99.0.3/32", "dev", "outside")
            send(gone_id, 1, 10)
            operator.wait_event(
                "disconnected",
                timeout=300 if LONG else 60,
                session=gone_id,
                reason="connection timed out",
            )
            assert operator.events_of("disconnected", session=resting_id) == []
            for number in range(40):
                resting.expect(f"{number} ".encode() + b"x" * 5000 + b"\n")
            resting.leave()
            operator.wait_event("disconnected", session=resting_id)
            wait_until(lambda: daemon.fds() == before, f"{before} descriptors again")
            gone.close()
        finally:
            os.kill(other, 9)


# A window of zero.


def test_a_peer_that_closes_its_window_gets_all_when_it_opens_it_again():
    lines = [f"{number} ".encode() + b"x" * 5000 + b"\n" for number in range(40)]
    with Daemon({"limits": FAST}) as daemon:
        witness = Witness(daemon)
        with Client(daemon.address, receive_buffer=2048) as client:
            client.send(b"hi\n")
            session = witness.operator.wait_event("message", text="hi")["session"]
            for line in lines:
                text = line.decode().rstrip("\n")
                assert witness.operator.call("send", to=session, text=text)["delivered"]
            assert witness.operator.call("stats")["queued_bytes"] > 50_000
            assert witness.daemon.rests(30 if LONG else 1, 0.05)
            witness.is_served()
            # What it says meanwhile is heard.
            client.send(b"wait for me\n")
            witness.operator.wait_event("message", text="wait for me")
            for line in lines:
                client.expect(line)
            client.leave()
        witness.all_is_back()


def test_a_peer_that_never_opens_its_window_again_does_not_hold_up_the_end():
    config = {"limits": FAST, "service": {"stop_grace": "1s"}}
    with Daemon(config) as daemon:
        witness = Witness(daemon)
        with Client(daemon.address, receive_buffer=2048) as client:
            client.send(b"hi\n")
            session = witness.operator.wait_event("message", text="hi")["session"]
            for _ in range(40):
                witness.operator.call("send", to=session, text="x" * 5000)
            # It takes neither the bye nor the end: the daemon waits for 2 s.
            assert witness.operator.call("bye", session=session) is not None
            witness.operator.wait_event("disconnected", session=session)
            stats = witness.all_is_back()
            assert stats["lost"] > 0
            assert stats["messages_out"] == 40 + witness.number


# Slow ones.


def test_one_byte_every_10_ms_is_understood_as_if_it_had_come_at_once():
    texts = [
        b"hello there\n",
        "grüß € \U0001f600\r\n".encode(),
        b"\xff\xfd\x03telnet\r\n",
        b"two\nlines\n",
        b"cut off \xe2\x82\n",
    ]
    heard = [["hello there"], ["grüß € \U0001f600"], ["telnet"], ["two", "lines"], ["cut off \ufffd"]]
    with Daemon({"limits": FAST}) as daemon:
        witness = Witness(daemon)
        clients = []
        for number in range(scaled(100)):
            client = Client(daemon.address)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clients.append((client, number % len(texts)))
        for place in range(max(map(len, texts))):
            began = time.monotonic()
            for client, which in clients:
                client.send(texts[which][place : place + 1])
            time.sleep(max(0, began + 0.01 - time.monotonic()))
        sessions = [witness.operator.session_of(client) for client, _ in clients]
        for (client, which), session in zip(clients, sessions):
            for text in heard[which]:
                witness.operator.wait_event("message", session=session, text=text)
            client.send(b"bye\n")
            client.take_all()
            client.close()
        for (_, which), session in zip(clients, sessions):
            all_of_it = witness.operator.events_of("message", session=session)
            assert [event["text"] for event in all_of_it] == heard[which]
        witness.all_is_back()


# Nobody but the witness in one turn of the loop.


@pytest.mark.parametrize("line", [b"\n", b"x\n", b"\xff\xf1\n"], ids=["empty", "short", "telnet"])
def test_a_flood_of_messages_in_one_turn_is_heard_in_order_and_holds_up_nobody(line):
    """Each read of 64 KiB is tens of thousands of messages."""
    count = scaled(30_000)
    with Daemon({"limits": FAST}) as daemon:
        witness = Witness(daemon)
        with Client(daemon.address) as client:
            for _ in range(20):
                client.send(line * (count // 20))
                witness.is_served()
            client.send(b"bye\n")
            client.take_all()
            session = witness.operator.session_of(client)
        witness.operator.wait_event("disconnected", session=session)
        heard = witness.operator.events_of("message", session=session)
        lagged = sum(event["lost"] for event in witness.operator.events_of("lagged"))
        assert len(heard) + lagged == count
        stats = witness.all_is_back(memory=24 * MIB)
        assert stats["messages_in"] == count + witness.number + 1


def test_a_reset_does_not_let_a_client_say_all_at_once_that_it_sent_too_fast():
    """A client that asks for an option is answered in the same turn, and that is when the
    daemon learns that it has gone."""
    limits = {"messages_per_second": 5, "messages_burst": 10}
    with Daemon({"limits": limits}) as daemon:
        witness = Witness(daemon)
        before = witness.operator.call("stats")["messages_in"]
        clients = [Client(daemon.address) for _ in range(20)]
        sessions = [witness.operator.session_of(client) for client in clients]
        daemon.send_signal(signal.SIGSTOP)
        for client in clients:
            client.send(b"\xff\xfd\x01" + b"\n" * 30_000)
            client.reset()
        daemon.send_signal(signal.SIGCONT)
        for session in sessions:
            event = witness.operator.wait_event("disconnected", session=session)
            assert event["reason"].endswith("; it had sent more, too fast to be read")
        heard = witness.operator.call("stats")["messages_in"] - before
        assert 20 * 10 <= heard <= 20 * 2 * 10
        witness.all_is_back()


def test_what_waits_when_a_peer_resets_is_counted_to_the_message():
    with Daemon({"limits": FAST}) as daemon:
        witness = Witness(daemon)
        out = 0
        for held in (False, True):
            client = Client(daemon.address, receive_buffer=2048)
            client.send(b"hi" if held else b"hi\n")
            session = witness.operator.session_of(client)
            witness.operator.wait_event("message", session=session)
            told = 0
            while told < (100 if held else 30):
                receipt = witness.operator.call("send", to=session, text=f"{told} " + "y" * 1000)
                assert len(receipt["delivered"]) + len(receipt["held"]) == 1
                told += 1
            out += told
            client.reset()
            event = witness.operator.wait_event("disconnected", session=session)
            assert (1 if held else 0) <= event.get("lost", 0) <= told
        stats = witness.all_is_back()
        assert stats["messages_out"] == out + witness.number
        assert stats["lost"] + stats["delivered"] == stats["messages_out"]
