"""The events of the control protocol: their fields, their order, and how an operator
catches up with what it missed."""

import re
import threading
import time

from harness import Daemon, RpcError, speaking, taking_turns, wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_events_count_up_by_one_each_with_its_time():
    with Daemon() as daemon:
        operator = daemon.operator()
        other = daemon.operator(name="second")
        client, session = speaking(daemon, operator)
        operator.call("name", session=session, name="n")
        other.call("send", to=session, text="hello")
        client.leave()
        operator.wait_event("disconnected", session=session)
        other.close()
        operator.wait_event("operator", name="second", state="detached")
        seqs = [event["seq"] for event in operator.events]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert all(TIME.fullmatch(event["time"]) for event in operator.events)
        times = [event["time"] for event in operator.events]
        assert times == sorted(times)


def test_each_event_has_its_fields():
    def event_of(operator, method, /, **fields):
        event = operator.wait_event(method, **fields)
        return {k: v for k, v in event.items() if k not in ("seq", "time", "method")}

    with Daemon() as daemon:
        operator = daemon.operator(name="anna")
        with daemon.operator(name="bert"):
            assert event_of(operator, "operator", state="attached", name="bert") == {
                "name": "bert",
                "state": "attached",
            }
        event_of(operator, "operator", state="detached", name="bert")
        with daemon.client() as client:
            client.send("schön".encode())
            assert event_of(operator, "connected") == {
                "session": 1,
                "address": client.address,
                "listener": daemon.endpoints[0],
            }
            assert event_of(operator, "message") == {"session": 1, "text": "schön"}
            operator.call("send", to=1, text="hi")
            assert event_of(operator, "sent") == {
                "session": 1,
                "operator": "anna",
                "text": "hi",
                "state": "sent",
            }
            operator.call("send", to=1, text="early")
            held = operator.wait_event("sent")
            assert {k: v for k, v in held.items() if k not in ("seq", "time", "method")} == {
                "session": 1,
                "operator": "anna",
                "text": "early",
                "state": "held",
            }
            client.send(b"\nnow\n")
            assert event_of(operator, "message") == {"session": 1, "text": "now"}
            assert event_of(operator, "delivered") == {"session": 1, "ref": held["seq"]}
            assert client.leave() == b"hiearly\n"
            event = event_of(operator, "disconnected")
            assert event["session"] == 1 and event["reason"]
            assert set(event) == {"session", "reason"}


def test_what_was_held_for_a_client_that_leaves_is_said_to_be_lost():
    with Daemon() as daemon:
        operator = daemon.operator()
        client = daemon.original()
        session = operator.session_of(client)
        operator.wait_event("message", session=session)
        operator.call("send", to=session, text="got it")
        assert client.hear() == "got it"
        operator.call("send", to=session, text="one")
        operator.call("send", to=session, text="two")
        client.close()
        event = operator.wait_event("disconnected", session=session)
        assert event["lost"] == 2
        stats = operator.call("stats")
        assert (stats["lost"], stats["held"]) == (2, 0)


def test_a_broadcast_is_one_event_for_each_state():
    with Daemon() as daemon:
        operator = daemon.operator()
        listening = [speaking(daemon, operator)[0] for _ in range(3)]
        takes_turns, _ = taking_turns(daemon, operator)
        operator.wait_event("sent", state="sent")
        answer = operator.call("send", to="all", text="everyone")
        assert (sorted(answer["delivered"]), answer["held"]) == ([1, 2, 3], [4])
        sent = operator.wait_event("sent", state="sent")
        assert sorted(sent["session"]) == [1, 2, 3]
        held = operator.wait_event("sent", state="held")
        assert held["session"] in (4, [4])
        assert len(operator.events_of("sent")) == 3
        for client in [*listening, takes_turns]:
            client.close()


def test_two_operators_see_the_same_events_and_each_others_answers():
    with Daemon() as daemon:
        anna, bert = daemon.operator(name="anna"), daemon.operator(name="bert")
        client, session = speaking(daemon, bert)
        anna.wait_event("message", session=session)
        anna.call("send", to=session, text="from anna")
        event = bert.wait_event("sent", session=session)
        assert (event["operator"], event["text"]) == ("anna", "from anna")
        client.leave()
        for operator in (anna, bert):
            operator.wait_event("disconnected", session=session)

        def of_sessions(operator):
            return [event for event in operator.events if event["method"] != "operator"]

        assert of_sessions(anna) == of_sessions(bert)


def test_without_subscribe_there_are_no_events():
    with Daemon() as daemon:
        operator, quiet = daemon.operator(), daemon.operator(subscribe=False)
        client, _ = speaking(daemon, operator)
        client.leave()
        operator.wait_event("disconnected")
        quiet.call("stats")
        assert quiet.events == []


def test_subscribe_since_replays_every_event_after_that_once_and_in_order():
    with Daemon() as daemon:
        live = daemon.operator()
        clients = [speaking(daemon, live, text=b"%d\n" % n) for n in range(20)]
        for client, _ in clients:
            client.leave()
        for _ in clients:
            live.wait_event("disconnected")
        before = list(live.events)
        middle = before[len(before) // 2]["seq"]

        late = daemon.operator(subscribe=middle, name="late")
        with daemon.client() as client:
            session = late.session_of(client)
        late.wait_event("disconnected", session=session)
        live.wait_event("disconnected", session=session)
        expected = [event for event in live.events if event["seq"] > middle]
        assert late.events == expected
        assert late.events_of("lagged") == []

        # From the very beginning: everything is still there.
        first = daemon.operator(subscribe=0, name="first")
        first.wait_event("operator", name="first", state="attached")
        seqs = [event["seq"] for event in first.events]
        assert seqs == list(range(1, len(seqs) + 1))


def test_subscribe_since_while_events_arrive_misses_and_repeats_none():
    with Daemon(
        {"limits": {"messages_per_second": 100000, "messages_burst": 100000}}
    ) as daemon:
        live = daemon.operator()
        client, session = speaking(daemon, live, text=b"0\n")
        since = live.events[-1]["seq"]
        stop = threading.Event()

        def talk():
            while not stop.is_set():
                client.send(b"talk\n" * 5)
                time.sleep(0.002)  # Slower than this process can read.

        talker = threading.Thread(target=talk)
        talker.start()
        try:
            for _ in range(10):
                # One connection after the other goes on where the one before ended.
                with daemon.operator(subscribe=since) as operator:
                    for _ in range(100):
                        operator.wait_event("message", text="talk")
                    seqs = [event["seq"] for event in operator.events]
                    assert seqs == list(range(since + 1, since + 1 + len(seqs)))
                    since = seqs[-1]
        finally:
            stop.set()
            talker.join()
        client.close()


def test_subscribe_since_long_ago_says_how_much_is_lost():
    """More events than a daemon without a transcript keeps: it says `lagged` where it
    does not have them any more, and the counts add up."""
    limits = {"messages_per_second": 1000000, "messages_burst": 1000000}
    with Daemon({"limits": limits, "transcript": {"enabled": False}}) as daemon:
        live = daemon.operator()
        with daemon.client() as client:
            session = live.session_of(client)
            text = b"x" * 1000 + b"\n"
            for count in range(1, 61):
                client.send(text * 1000)
                last = 1000 * count
                wait_until(
                    lambda: len(live.events) >= last, f"{last} messages", interval=0.05
                )
            client.leave()
        live.wait_event("disconnected", session=session)
        with daemon.operator(subscribe=0) as late:
            lagged = late.wait_event("lagged")
            assert lagged["lost"] > 0
            late.wait_event("disconnected", session=session)
            # The rest is whole: from the first one kept to the last, in order.
            seqs = [event["seq"] for event in late.events if event["method"] != "lagged"]
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
            assert seqs[0] == lagged["lost"] + 1


def test_a_since_in_the_future_begins_with_the_next_event():
    with Daemon() as daemon:
        operator = daemon.operator()
        late = daemon.operator(subscribe=False, name="late")
        try:
            late.call("subscribe", since=10**9)
        except RpcError:
            return  # Refusing it is right too.
        client, _ = speaking(daemon, operator)
        client.leave()
        late.wait_event("disconnected")
