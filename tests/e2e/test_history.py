"""history, search, and the replay of events from the transcript: what was said is found
again, and an operator who comes back gets every event once and in order."""

import json
import random
import sqlite3
import threading
import unicodedata

import pytest
from harness import (
    SANITIZER,
    Daemon,
    Home,
    RawControl,
    RpcError,
    scaled,
    speaking,
    taking_turns,
    wait_until,
)


@pytest.fixture
def home():
    made = Home()
    yield made
    made.remove()


def texts(answer):
    return [message["text"] for message in answer["messages"]]


def check_replay(events, since, until=None):
    """Asserts that every number after `since` is there once and in order."""
    seqs = [event["seq"] for event in events]
    assert seqs == list(range(since + 1, since + 1 + len(seqs)))
    assert until is None or seqs[-1] >= until


def flood(client, count, size=400, mark="m"):
    for start in range(0, count, 100):
        lines = (f"{mark}{i} ".ljust(size, "x") for i in range(start, min(start + 100, count)))
        client.send("\n".join(lines).encode() + b"\n")


def said(operator):
    return operator.call("stats")["messages_in"] - 1


FAST = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}


def test_an_operator_has_at_most_16_questions_at_once():
    with Daemon() as daemon, RawControl(daemon) as raw:
        line = b'{"jsonrpc": "2.0", "id": %d, "method": "history", "params": {}}\n'
        # So many that they come faster than they are answered, on any machine.
        raw.send(b"".join(line % number for number in range(1000)))
        answers = {}
        while len(answers) < 1000:
            answer = raw.answer()
            answers[answer["id"]] = answer.get("error", {}).get("code")
        assert set(answers.values()) == {None, 4}
        assert all(answers[number] is None for number in range(16))
        # When they are answered, others are.
        assert "result" in raw.ask(line % 1000)


@pytest.mark.skipif(bool(SANITIZER), reason="a sanitizer's memory is not the daemon's")
def test_an_operator_who_begins_anew_again_and_again_has_one_page_under_way(home):
    fast = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}
    with Daemon(fast, home=home) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        for number in range(40):
            client.send(b"%d " % number + b"x" * 8000 + b"\n")
        client.send(b"last\n")
        last = operator.wait_event("message", text="last")["seq"]
        client.close()
    # Only the transcript has all of it.
    with Daemon(home=home) as daemon, RawControl(daemon) as raw:
        peak = daemon.peak()
        line = b'{"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"since": 0}}\n'
        raw.send(line * 3000)
        answers, seqs = 0, []
        while answers < 3000 or not seqs or seqs[-1] < last:
            answer = raw.answer()
            if "id" in answer:
                answers += 1
                seqs.clear()
            else:
                seqs.append(answer["params"]["seq"])
        assert seqs[: last] == list(range(1, last + 1))
        assert daemon.peak() - peak < 32 << 20


def test_history_has_what_was_said_with_what_became_of_it():
    with Daemon() as daemon:
        operator = daemon.operator(name="anna")
        client, session = taking_turns(daemon, operator)
        with client:
            operator.call("send", to=session, text="early")
            held = operator.call("history", session=session)
            assert [m["state"] for m in held["messages"]] == ["received", "sent", "held"]
            client.send("\nschön\n".encode())
            operator.wait_event("message", text="schön")
            operator.call("send", to=session, text="late")
        with daemon.client() as other:
            lost = operator.session_of(other)
            operator.call("send", to=lost, text="never")
            other.leave()
            operator.wait_event("disconnected", session=lost)
        answer = operator.call("history")
        assert answer["more"] is False
        got = [
            (m["session"], m["direction"], m.get("operator"), m["text"], m["state"])
            for m in answer["messages"]
        ]
        assert got[2:5] == [
            (session, "out", "anna", "early", "delivered"),
            (session, "in", None, "schön", "received"),
            (session, "out", "anna", "late", "sent"),
        ]
        assert got[5][:4] == (lost, "out", "anna", "never")
        seqs = [m["seq"] for m in answer["messages"]]
        assert seqs == sorted(seqs)
        sent = {e["seq"]: e["time"] for e in operator.events}
        assert all(sent[m["seq"]] == m["time"] for m in answer["messages"])
        assert texts(operator.call("history", session=lost)) == ["never"]


def test_what_a_client_never_took_is_lost_in_its_history():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, receive_buffer=2048)
        sent = [f"{number} " + "x" * 5000 for number in range(40)]
        for text in sent:
            operator.call("send", to=session, text=text)
        client.reset()
        lost = operator.wait_event("disconnected", session=session)["lost"]
        assert 0 < lost <= len(sent)
        messages = operator.call("history", session=session, limit=len(sent))["messages"]
        found = [message["text"] for message in messages if message["state"] == "lost"]
        assert found == sent[-lost:]


def test_history_comes_in_pages_from_the_newest_back():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"0\n")
        client.send(b"".join(b"%d\n" % i for i in range(1, 10)))
        operator.wait_event("message", text="9")
        page = operator.call("history", limit=4)
        assert texts(page) == ["6", "7", "8", "9"] and page["more"]
        page = operator.call("history", limit=4, before=page["messages"][0]["seq"])
        assert texts(page) == ["2", "3", "4", "5"] and page["more"]
        page = operator.call("history", session=session, before=page["messages"][0]["seq"])
        assert texts(page) == ["0", "1"] and not page["more"]
        client.close()


def test_a_broadcast_is_in_the_history_of_each():
    with Daemon() as daemon:
        operator = daemon.operator()
        one, first = speaking(daemon, operator)
        two, second = speaking(daemon, operator)
        operator.call("send", to="all", text="to all")
        for session in (first, second):
            last = operator.call("history", session=session)["messages"][-1]
            assert (last["session"], last["text"]) == (session, "to all")
        assert operator.call("history")["messages"][-1]["session"] == [first, second]
        one.close()
        two.close()


def test_history_has_the_names_of_clients_that_have_long_gone(home):
    with Daemon(home=home, config={}) as daemon:
        ann = daemon.operator(name="ann")
        client, session = speaking(daemon, ann, b"before\n")
        for name, text in [("Zoe", b"as Zoe\n"), ("\"Q\"", b"as Q\n"), ("", b"after\n")]:
            ann.call("name", session=session, name=name)
            client.send(text)
            ann.wait_event("message", text=text.decode().rstrip())
            ann.call("send", to=session, text="you are " + name)
        ann.call("send", to="all", text="bye all")
        client.close()
        ann.wait_event("disconnected", session=session)
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        for messages in (
            operator.call("history")["messages"],
            operator.call("history", session=session)["messages"],
        ):
            assert [(each["text"], each.get("name")) for each in messages] == [
                ("before", None),
                ("as Zoe", "Zoe"),
                ("you are Zoe", "Zoe"),
                ("as Q", '"Q"'),
                ('you are "Q"', '"Q"'),
                ("after", None),
                ("you are ", None),
                ("bye all", None),
            ]
        assert operator.call("search", text="as zoe")["messages"][0]["name"] == "Zoe"
        shown = daemon.chatctl("--timestamps", "none", "history").stdout.splitlines()
        assert shown[:4] == [
            f"[{session}] before",
            f"[{session} Zoe] as Zoe",
            f"[{session} Zoe]< ann: you are Zoe",
            f'[{session} "Q"] as Q',
        ]
        assert "[1 Zoe] as Zoe" in daemon.chatctl("search", "as zoe").stdout


def test_search_finds_words_newest_first():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator, b"The invoice is WRONG\n")
        operator.call("send", to=session, text="which invoice?")
        other, _ = speaking(daemon, operator, b"wrong number\n")
        assert texts(operator.call("search", text="invoice")) == [
            "which invoice?",
            "The invoice is WRONG",
        ]
        assert texts(operator.call("search", text="wrong invoice")) == ["The invoice is WRONG"]
        page = operator.call("search", text="wrong", limit=1)
        assert texts(page) == ["wrong number"] and page["more"]
        assert texts(operator.call("search", text="wrong", session=session)) == [
            "The invoice is WRONG"
        ]
        for text in ('"', "NOT (", "text:wrong OR", "' --", "*", ""):
            assert operator.call("search", text=text)["more"] is False
        client.close()
        other.close()


PEOPLE_SAY = {
    "祝你们新年快乐": ["快乐", "新年快乐", "祝*"],
    "サーバーのメモリが足りません": ["メモリ", "ﾒﾓﾘ", "サーバー"],
    "สวัสดีครับผมต้องการความช่วยเหลือ": ["ความ", "ช่วยเหลือ"],
    "서울에서 만나요": ["서울"],
    "Tiếng Việt": ["tieng viet", "TIẾNG", unicodedata.normalize("NFD", "Tiếng Việt")],
    unicodedata.normalize("NFD", "tôi đang ở café"): ["dang", "café", "cafe", "CAFÉ toi"],
    "Hauptstraße 5": ["hauptstrasse", "HAUPTSTRASSE 5"],
    "Ёлка": ["елка"],
    "to the moon🚀now": ["🚀", "moon🚀now"],
    "we 👨‍👩‍👧 came": ["👨‍👩‍👧"],
    "nothing of all that": ["nothing"],
}


def test_search_finds_what_people_can_write(home):
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        client.send("".join(f"{text}\n" for text in PEOPLE_SAY).encode())
        operator.wait_event("message", text=list(PEOPLE_SAY)[-1])
        client.send(b"bye\n")
        operator.wait_event("disconnected")
        client.close()
        check_finds(operator, session)

        def indexed():
            with sqlite3.connect(f"file:{home.path}/chatd/transcript.db?mode=ro", uri=True) as database:
                return database.execute(
                    "SELECT value FROM meta WHERE name = 'worded'"
                ).fetchone()[0] >= len(PEOPLE_SAY)

        wait_until(indexed, "the words are indexed")
        check_finds(operator, session)
    with Daemon(home=home) as daemon:
        check_finds(daemon.operator(), session)
        for text, queries in PEOPLE_SAY.items():
            done = daemon.chatctl("--timestamps", "none", "search", queries[0])
            assert (done.returncode, done.stderr) == (0, "")
            shown = text.replace("\u200d", "\\u200d")  # no terminal gets a joiner
            assert [line.split(" ", 1)[1] for line in done.stdout.splitlines()] == [shown]


def check_finds(operator, session):
    for text, queries in PEOPLE_SAY.items():
        for query in queries:
            assert texts(operator.call("search", text=query)) == [text], query
            found = operator.call("search", text=query, session=session, limit=1)
            assert texts(found) == [text] and not found["more"]
    for query in "年乐", "メモ帳", "ความรัก", "🚁", "👨‍👩‍👦", "caf", "мой":
        assert texts(operator.call("search", text=query)) == [], query


def test_a_search_of_more_than_anybody_types_is_refused_at_once():
    with Daemon() as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator, b"a b\n")
        for text in ("a." * 65, "a " * 65, "快" * 65):
            with pytest.raises(RpcError, match="text has more than 64 words, ") as refused:
                operator.call("search", text=text)
            assert refused.value.code == -32602
            done = daemon.chatctl("search", text)
            assert done.returncode == 1 and done.stdout == ""
            assert "text has more than 64 words" in done.stderr and done.stderr.count("\n") == 1
        for text in ("a" * 1025, "a." * 250_000):
            with pytest.raises(RpcError, match="text is longer than 1 KiB, ") as refused:
                operator.call("search", text=text)
            assert refused.value.code == -32602
        assert texts(operator.call("search", text="a " * 63 + "b")) == ["a b"]
        client.close()


def test_without_a_transcript_the_answer_says_so():
    with Daemon({"transcript": {"enabled": False}}) as daemon:
        operator = daemon.operator()
        for method, params in (("history", {}), ("search", {"text": "x"})):
            with pytest.raises(RpcError, match="transcripts are off") as refused:
                operator.call(method, **params)
            assert refused.value.code == 3


@pytest.mark.parametrize(
    "method, params",
    [
        ("history", {"limit": 0}),
        ("history", {"limit": -1}),
        ("history", {"before": 0}),
        ("history", {"session": "1"}),
        ("history", {"what": 1}),
        ("search", {}),
        ("search", {"text": 1}),
    ],
)
def test_wrong_params_are_refused(method, params):
    with Daemon() as daemon:
        with pytest.raises(RpcError) as refused:
            daemon.operator().call(method, **params)
        assert refused.value.code == -32602


def test_an_answer_stays_below_one_mebibyte():
    config = {"session": {"max_message": "128KiB"}, **FAST}
    with Daemon(config) as daemon:
        operator = daemon.operator()
        client, session = speaking(daemon, operator)
        for _ in range(12):
            client.send(b"\x01" * 100_000 + b"\n")
        operator.call("send", to=session, text="\x01" * 170_000)
        operator.call("send", to=session, text="é" * 120_000)
        wait_until(lambda: operator.call("stats")["messages_in"] == 13, "all have come")
        with RawControl(daemon) as raw:
            raw.send(b'{"jsonrpc":"2.0","id":1,"method":"history","params":{}}\n')
            line = raw.lines.readline()
            assert len(line) < 1 << 20
            answer = json.loads(line)["result"]
            assert answer["more"] and answer["messages"]
        seen, before = 0, None
        while True:
            page = operator.call("history", **({"before": before} if before else {}))
            seen += len(page["messages"])
            if not page["more"]:
                break
            before = page["messages"][0]["seq"]
        assert seen == 15
        client.close()


def test_an_operator_who_asks_and_stops_sending_gets_the_answer():
    with Daemon() as daemon:
        operator = daemon.operator()
        speaking(daemon, operator)
        with RawControl(daemon) as raw:
            raw.send(b'{"jsonrpc":"2.0","id":1,"method":"history"}\n')
            raw.socket.shutdown(1)
            assert raw.answer()["result"]["messages"]
            raw.expect_end()


def test_an_operator_who_asks_and_goes_hurts_nobody():
    with Daemon() as daemon:
        operator = daemon.operator()
        speaking(daemon, operator)
        for _ in range(50):
            with RawControl(daemon) as raw:
                raw.send(b'{"jsonrpc":"2.0","id":1,"method":"history"}\n' * 10)
                raw.send(b'{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"since":0}}\n')
        assert operator.call("history")["messages"]


def test_events_from_before_a_restart_are_replayed(home):
    with Daemon(home=home) as daemon:
        before = daemon.operator()
        client, session = speaking(daemon, before)
        before.call("name", session=session, name="n")
        before.call("send", to=session, text="ä\x07")
        client.send(b"x" * 9000 + b"\n")
        before.wait_event("message", cut=True)
        client.leave()
        before.wait_event("disconnected")
        seen = [dict(event) for event in before.events]
    with Daemon(home=home) as daemon:
        with daemon.operator(subscribe=0) as operator:
            newcomer, _ = speaking(daemon, operator)
            last = operator.events[-1]["seq"]
            check_replay(operator.events, 0)
            again = {event["seq"]: event for event in operator.events}
            assert [again[event["seq"]] for event in seen] == seen
        with daemon.operator(subscribe=last - 1) as operator:
            operator.wait_event("message")
            check_replay(operator.events, last - 1)
        newcomer.close()


def test_subscribing_again_while_the_transcript_is_read_repeats_nothing(home):
    with Daemon(home=home) as daemon:
        operator = daemon.operator()
        with daemon.client() as client:
            session = operator.session_of(client)
            for number in range(20):
                client.send(b"%d\n" % number)
                operator.wait_event("message", session=session, text=str(number))
    with Daemon(home=home) as daemon, RawControl(daemon) as raw:
        subscribe = b'{"jsonrpc": "2.0", "id": %d, "method": "subscribe", "params": {"since": 0}}\n'
        raw.send(b"".join(subscribe % number for number in range(3)))
        results = [raw.answer()["result"] for _ in range(3)]
        last = results[-1]["seq"]
        seqs = [raw.answer()["params"]["seq"] for _ in range(last)]
        assert seqs == list(range(1, last + 1))
        # An event of now is the next one.
        with daemon.client():
            assert raw.answer()["params"]["seq"] == last + 1


def test_a_replay_joins_transcript_and_memory_without_gap_or_repeat():
    with Daemon(FAST) as daemon:
        operator = daemon.operator()
        client, _ = speaking(daemon, operator)
        count = scaled(8000)
        talk = threading.Thread(target=flood, args=(client, count))
        talk.start()
        numbers = random.Random(1)
        while talk.is_alive() or operator.events[-1]["seq"] < count:
            now = operator.events[-1]["seq"]
            since = numbers.randrange(now)
            with daemon.operator(subscribe=since, hello=False) as other:
                wait_until(lambda: other.events and other.events[-1]["seq"] >= now, "caught up")
                check_replay(other.events, since, now)
        talk.join()
        assert not operator.events_of("lagged")
        client.close()


def test_a_slow_operator_gets_all_from_the_transcript():
    with Daemon(FAST) as daemon:
        operator = daemon.operator()
        speaking(daemon, operator)[0].close()
        # Of so many origins that none is read slowly because the operator is slow.
        crowd = [daemon.client(source=f"127.0.2.{number}") for number in range(1, 65)]
        each = scaled(2560) // len(crowd)
        with RawControl(daemon) as slow:
            slow.ask(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"since":0}}\n')
            seqs = []
            done = 0

            def read(count):
                for _ in range(count):
                    seqs.append(json.loads(slow.lines.readline())["params"]["seq"])

            def all_have_come():
                # Who takes nothing for a second has to leave.
                if len(seqs) + 400 < done:
                    read(400)
                return said(operator) >= done

            for _ in range(4):
                for client in crowd:
                    flood(client, each, mark=f"r{done}-")
                done += each * len(crowd)
                wait_until(all_have_come, f"{done} messages have come")
            last = operator.call("stats")["events"]
            read(last - len(seqs))
            assert seqs == list(range(1, last + 1))
        for client in crowd:
            client.close()


@pytest.mark.skipif(
    SANITIZER == "thread", reason="it takes so long that the operator who does not read is detached"
)
def test_over_a_hundred_kills_an_operator_gets_each_event_once(home):
    kills = scaled(100)
    with Daemon(FAST, home=home) as daemon:
        operator = daemon.operator()
        clients = [speaking(daemon, operator)[0] for _ in range(50)]
        stop = threading.Event()

        def talk():
            while not stop.wait(0.002):
                for client in clients:
                    client.send(b"x" * 300 + b"\n")

        talker = threading.Thread(target=talk)
        talker.start()
        try:
            cursor, numbers = 0, random.Random(2)
            for _ in range(kills):
                with RawControl(daemon) as raw:
                    raw.send(
                        b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"since":%d}}\n'
                        % cursor
                    )
                    data = b""
                    wanted = numbers.randrange(1, 60_000)
                    while len(data) < wanted:
                        data += raw.socket.recv(wanted - len(data))
                whole = data[: data.rfind(b"\n") + 1]  # killed in the middle of a line
                for line in whole.splitlines()[1:]:
                    event = json.loads(line)
                    assert event["method"] != "lagged"
                    assert event["params"]["seq"] == cursor + 1
                    cursor += 1
            assert operator.call("stats")["sessions"] == len(clients)
        finally:
            stop.set()
            talker.join()
        assert cursor > kills


def test_what_comes_while_nobody_listens_waits(home):
    with Daemon(home=home) as daemon:
        with daemon.client() as client:
            client.send(b"one\n")
            operator = daemon.operator(subscribe=False)
            wait_until(lambda: operator.call("stats")["messages_in"] == 1, "one")
            welcome = operator.call("hello")
            assert (welcome["unread"], welcome["attended"]) == (1, 0)
            operator.call("subscribe", since=0)
            assert operator.wait_event("message")["text"] == "one"
            with daemon.operator() as other:
                assert other.welcome["unread"] == 0
                assert other.welcome["attended"] >= 2
            operator.close()
            watcher = daemon.operator(subscribe=False)
            wait_until(lambda: watcher.call("stats")["operators"] == 1, "it has gone")
            attended = watcher.call("hello")["attended"]
            client.send(b"two\nthree\n")
            wait_until(lambda: watcher.call("stats")["messages_in"] == 3, "three")
            assert watcher.call("hello")["unread"] == 2
    with Daemon(home=home) as daemon:
        operator = daemon.operator(subscribe=False)
        assert operator.welcome["unread"] == 2
        assert operator.welcome["attended"] == attended
        operator.call("subscribe", since=attended)
        assert operator.wait_event("message")["text"] == "two"
        assert operator.wait_event("message")["text"] == "three"
        assert operator.call("hello")["unread"] == 0
    with Daemon(home=home) as daemon:
        assert daemon.operator(subscribe=False).welcome["unread"] == 0


def test_after_a_crash_what_was_listened_to_counts_as_heard(home):
    daemon = Daemon(home=home)
    operator = daemon.operator()
    speaking(daemon, operator)
    wait_until(lambda: operator.recorded() >= 3, "it is recorded")
    daemon.kill()
    with Daemon(home=home) as daemon:
        welcome = daemon.operator(subscribe=False).welcome
        assert welcome["unread"] == 0 and welcome["attended"] >= 3
