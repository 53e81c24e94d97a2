"""A hundred thousand recorded messages: history and search are answered by the thread
of the transcript, and the loop has next to nothing to do with it."""

import os
import threading

from harness import SANITIZER, Daemon, Home, RpcError, scaled, speaking, wait_until

COUNT = scaled(100_000)
CONFIG = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}


def cpu_ns(daemon):
    """The CPU time of the loop's thread, and that of all others."""
    loop = others = 0
    for thread in os.listdir(f"/proc/{daemon.pid}/task"):
        with open(f"/proc/{daemon.pid}/task/{thread}/schedstat") as stat:
            spent = int(stat.read().split()[0])
        if int(thread) == daemon.pid:
            loop += spent
        else:
            others += spent
    return loop, others


def talk_for_long(daemon):
    """Records COUNT messages of ten sessions, and one of an eleventh. Returns the ids of one
    of the ten and of the eleventh."""
    operator = daemon.operator()
    clients = [speaking(daemon, operator) for _ in range(11)]
    (silent, silent_session), speakers = clients[0], clients[1:]
    operator.close()
    operator = daemon.operator(subscribe=False)
    asking = threading.Lock()

    def behind():
        stats = operator.call("stats")
        return stats["events"] - stats["recorded"]

    def talk(client):
        for start in range(0, COUNT // 10, 100):
            # Not faster than any disk: what is too much would be dropped.
            with asking:
                wait_until(lambda: behind() < COUNT // 4, "it is written")
            lines = (
                f"line {i} is about item{i % 977} and nothing common {i % 7}"
                for i in range(start, start + 100)
            )
            client.send("\n".join(lines).encode() + b"\n")

    threads = [threading.Thread(target=talk, args=(client,)) for client, _ in speakers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: operator.call("stats")["messages_in"] >= COUNT + 11, "all have come")
    wait_until(lambda: behind() == 0, "all are recorded")
    assert operator.call("stats")["recording_lost"] == 0
    for client, _ in clients:
        client.close()
    return speakers[3][1], silent_session


def test_questions_about_many_messages_do_not_delay_the_loop():
    home = Home()
    try:
        with Daemon(CONFIG, home=home) as daemon:
            session, silent = talk_for_long(daemon)
        with Daemon(CONFIG, home=home) as daemon:
            operator = daemon.operator(subscribe=False)
            before = cpu_ns(daemon)
            for i in range(300):
                asked = [
                    operator.begin("search", text="common nothing", limit=20),
                    operator.begin("search", text=f"item{i}", session=session, limit=200),
                    operator.begin("search", text="neverthere common"),
                    operator.begin("history", limit=20),
                    operator.begin("history", session=session, limit=200),
                ]
                common, rare, never, history, of_session = [operator.finish(one) for one in asked]
                assert len(common["messages"]) == 20 and common["more"]
                assert rare["messages"] and not rare["more"]
                assert never["messages"] == []
                assert len(history["messages"]) == 20
                assert len(of_session["messages"]) == 200
            loop, others = (after - then for after, then in zip(cpu_ns(daemon), before))
            assert loop < others, f"{loop} ns on the loop, {others} elsewhere"
            # The slowest question: a word that all others have said. Nobody waits for it.
            askers = [daemon.operator(subscribe=False) for _ in range(4)]
            before = cpu_ns(daemon)
            asked = [
                (asker, asker.begin("search", text="common", session=silent))
                for _ in range(16)
                for asker in askers
            ]
            with daemon.operator(subscribe=False) as other, daemon.client() as client:
                other.call("subscribe")
                client.send(b"does anybody hear me?\n")
                session = other.wait_event("message")["session"]
                other.call("send", to=session, text="at once")
                client.expect(b"at once\n")
            assert sum(one in asker.answers for asker, one in asked) < len(asked)
            answered = 0
            for asker, one in asked:
                try:
                    assert asker.finish(one)["messages"] == []
                    answered += 1
                except RpcError as late:  # what is asked together has two seconds together
                    assert late.code == 4
            assert answered > 0
            loop, others = (after - then for after, then in zip(cpu_ns(daemon), before))
            # With the thread sanitizer there are a tenth of the messages to look at.
            ratio = 5 if SANITIZER == "thread" else 10
            assert ratio * loop < others, f"{loop} ns on the loop, {others} elsewhere"
    finally:
        home.remove()
