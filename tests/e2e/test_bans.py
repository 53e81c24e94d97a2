"""Bans, with the real programs: who is refused, for how long, and what outlives what."""

import json

import pytest

from harness import Client, Daemon, Home, RpcError, hand_over, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, chatctl

BOTH = {
    "listen": [{"address": "127.0.0.1", "port": 0}, {"address": "::1", "port": 0}],
    "limits": {"sessions_per_address": 3},
}


def refused(daemon, address=None):
    """Whether a client from that address is turned away: it gets an end of file or a reset,
    and the daemon counts it."""
    before = stats(daemon)
    client = Client(address or daemon.address)
    try:
        wait_until(
            lambda: stats(daemon)["refused"] > before["refused"]
            or stats(daemon)["accepted"] > before["accepted"],
            "it is refused or accepted",
        )
        return stats(daemon)["refused"] > before["refused"]
    finally:
        client.close()


def stats(daemon):
    return json.loads(daemon.chatctl("--json", "stats").stdout)


def test_a_banned_address_is_refused_and_whoever_is_there_stays():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        answer = ann.call("ban", address="127.0.0.9/8")
        assert {k: answer[k] for k in ("address", "until", "operator", "sessions", "kept")} == {
            "address": "127.0.0.0/8",
            "until": None,
            "operator": "ann",
            "sessions": [session],
            "kept": True,
        }
        event = ann.wait_event("banned", address="127.0.0.0/8", operator="ann")
        assert "until" not in event
        for _ in range(3):
            assert refused(daemon)
        daemon.wait_log(r"refused 1 connection, the last one because its address is banned \(127.0.0.0/8\)")
        client.send(b"still here\n")
        ann.wait_event("message", session=session, text="still here")
        with pytest.raises(RpcError, match="127.0.0.1 is not banned by itself, but as part of 127.0.0.0/8"):
            ann.call("unban", address="127.0.0.1")
        assert ann.call("unban", address="127.0.0.0/8") == {}
        ann.wait_event("unbanned", address="127.0.0.0/8", operator="ann")
        assert not refused(daemon)
        client.close()


def test_chatctl_bans_for_a_while_and_says_what_is_wrong():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        done = daemon.chatctl("--name", "bob", "ban", "::ffff:127.0.0.1", "1s")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"1 client from there stays connected: [{session}]" in done.stdout
        event = ann.wait_event("banned", address="127.0.0.1", operator="bob")
        listed = daemon.chatctl("--json", "bans")
        assert json.loads(listed.stdout)["until"] == event["until"]
        assert event["until"] > event["time"]
        assert refused(daemon)
        over = ann.wait_event("unbanned", address="127.0.0.1")
        assert "operator" not in over and over["time"] >= event["until"][:19]
        assert not refused(daemon)
        assert daemon.chatctl("--json", "bans").stdout == ""
        done = daemon.chatctl("--json", "ban", "203.0.113.0/24")
        assert json.loads(done.stdout)["sessions"] == []
        done = daemon.chatctl("bans")
        assert "203.0.113.0/24" in done.stdout and "for good" in done.stdout
        for wrong, why in (
            ("somewhere", "no address"),
            ("127.0.0.1/33", "an IPv4 address has 0 to 32 bits"),
            (client.address, "without the port"),
        ):
            done = daemon.chatctl("ban", wrong)
            assert done.returncode == 1 and f"address: {wrong}: {why}" in done.stderr, done
        done = daemon.chatctl("unban", "203.0.113.7")
        assert done.returncode == 1 and "as part of 203.0.113.0/24" in done.stderr
        assert daemon.chatctl("ban", "1.2.3.4", "soon").returncode == 2
        assert daemon.chatctl("unban", "203.0.113.0/24").returncode == 0
        assert daemon.chatctl("unban", "203.0.113.0/24").returncode == 1
        client.close()


def test_an_ipv6_network_holds_ipv6_addresses_and_their_limit_is_of_the_64():
    with Daemon(BOTH) as daemon:
        ann = daemon.operator()
        v6 = daemon.addresses()[1]
        ann.call("ban", address="127.0.0.1")
        assert refused(daemon) and not refused(daemon, v6)
        ann.call("unban", address="::ffff:127.0.0.1")
        ann.call("ban", address="::/64")
        assert not refused(daemon) and refused(daemon, v6)
        ann.call("unban", address="::1234/64")
        wait_until(lambda: stats(daemon)["sessions"] == 0, "all have gone")
        clients = [Client(v6) for _ in range(3)]
        wait_until(lambda: stats(daemon)["sessions"] == 3, "three are there")
        assert refused(daemon, v6) and not refused(daemon)
        for client in clients:
            client.close()


def test_bans_outlive_restarts_crashes_and_hand_overs():
    home = Home()
    try:
        with Daemon(CONSOLE_CONFIG, home=home) as daemon:
            ann = daemon.operator(name="ann")
            ann.call("ban", address="127.0.0.0/8", seconds=3600)
            ann.call("ban", address="2001:db8::/32")
            before = ann.call("bans")
            hand_over(daemon)
            assert daemon.operator().call("bans") == before
            assert refused(daemon)
        daemon = Daemon(home=home)
        bob = daemon.operator(name="bob")
        assert bob.call("bans") == before
        assert refused(daemon)
        bob.call("unban", address="2001:db8::/32")
        bob.call("ban", address="192.0.2.1")
        # The transcript answers after all that had to be written before.
        bob.call("history", limit=1)
        daemon.kill()
        with Daemon(home=home) as daemon:
            operator = daemon.operator()
            assert [ban["address"] for ban in operator.call("bans")] == ["127.0.0.0/8", "192.0.2.1"]
            assert operator.call("bans")[0] == before[0]
            assert refused(daemon)
    finally:
        home.remove()


def test_without_transcripts_bans_live_as_long_as_the_daemon_and_it_says_so():
    with Daemon(CONSOLE_CONFIG | {"transcript": {"enabled": False}}) as daemon:
        done = daemon.chatctl("ban", "192.0.2.1")
        assert done.returncode == 0
        assert "the ban ends with the daemon: without transcripts no ban is kept" in done.stdout
        done = daemon.chatctl("--json", "ban", "192.0.2.1")
        assert json.loads(done.stdout)["kept"] is False
        hand_over(daemon)
        assert [ban["address"] for ban in daemon.operator().call("bans")] == ["192.0.2.1"]


def test_every_operator_sees_a_ban_in_the_console():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = chatctl(daemon, "--name", "ann")
        bob = chatctl(daemon, "--name", "bob")
        client, session = speaking(daemon, daemon.operator())
        ann.enter("/ban 127.0.0.1 1h")
        ann.wait(r"^\* 127\.0\.0\.1 is banned until \d{4}-\d\d-\d\d ")
        ann.wait(rf"^\* 1 client from there stays connected: \[{session}\]$")
        bob.wait(r"^\* 127\.0\.0\.1 is banned by ann until ")
        bob.enter("/bans")
        bob.wait(r"^127\.0\.0\.1 +\d{4}-\d\d-\d\d \S+ +ann$")
        bob.enter("/ban nowhere")
        bob.wait(r"^not banned: address: nowhere: no address")
        bob.enter("/unban 127.0.0.1")
        bob.wait(r"^\* 127\.0\.0\.1 is unbanned$")
        ann.wait(r"^\* 127\.0\.0\.1 is unbanned by bob$")
        bob.enter("/bans")
        bob.wait(r"^\* no address is banned$")
        for desk in (ann, bob):
            desk.enter("/quit")
            assert desk.wait_end() == 0
        client.close()


def test_a_ban_with_now_ends_who_is_connected_but_not_those_of_another_operator():
    with Daemon(CONSOLE_CONFIG) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann)
        claimed, kept = speaking(daemon, ann)
        ann.call("claim", session=kept)
        done = daemon.chatctl("--name", "bob", "ban", "127.0.0.0/8", "1h", "--now")
        assert done.returncode == 7, done
        assert f"1 session ended: [{session}]" in done.stdout
        assert f"1 client from there stays connected: [{kept}]" in done.stdout
        assert f"[{kept}]* not ended: claimed by ann" in done.stderr
        banned = ann.wait_event("banned", address="127.0.0.0/8")
        gone = ann.wait_event("disconnected", session=session, reason="kicked by bob: banned")
        assert banned["seq"] < gone["seq"]
        client.expect_end()
        assert refused(daemon)
        answer = ann.call("ban", address="127.0.0.1", now=True)
        assert (answer["kicked"], answer["refused"], answer["sessions"]) == ([kept], [], [])
        claimed.expect_end()
        client.close()
        claimed.close()


def test_a_kick_ends_all_of_a_network_and_lets_them_come_again():
    with Daemon(BOTH) as daemon:
        ann = daemon.operator(name="ann")
        clients = [speaking(daemon, ann) for _ in range(3)]
        other = Client(daemon.addresses()[1])
        stays = ann.session_of(other)
        done = daemon.chatctl("--name", "bob", "kick", "127.0.0.0/8", "noise")
        assert (done.returncode, done.stderr) == (0, ""), done
        ids = " ".join(f"[{session}]" for _, session in clients)
        assert done.stdout == f"* 3 sessions ended: {ids}\n"
        for client, session in clients:
            ann.wait_event("disconnected", session=session, reason="kicked by bob: noise")
            client.close()
        done = daemon.chatctl("kick", "127.0.0.0/8")
        assert done.returncode == 4 and "nobody is connected from 127.0.0.0/8" in done.stderr
        done = daemon.chatctl("--json", "kick", f"{stays},99")
        assert done.returncode == 7
        answer = json.loads(done.stdout)
        assert answer["kicked"] == [stays]
        assert answer["refused"] == [{"session": 99, "reason": "no such session"}]
        done = daemon.chatctl("kick", "127.0.0.1/33")
        assert done.returncode == 1 and "0 to 32 bits" in done.stderr
        client, session = speaking(daemon, ann)
        desk = chatctl(daemon, "--name", "cat")
        desk.enter("/kick 127.0.0.1 enough")
        desk.wait(rf"^\* 1 session ended: \[{session}\]$")
        desk.enter("/quit")
        assert desk.wait_end() == 0
        client.close()
        other.close()
