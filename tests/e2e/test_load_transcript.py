"""A hundred thousand recorded messages: history and search are answered by the thread
of the transcript, and the loop has next to nothing to do with it."""

import os
import threading

from chatd_support import Daemon, scaled, speaking, wait_until

COUNT = scaled(100_000)
CONFIG = {"limits": {"messages_per_second": 1000000, "messages_burst": 1000000}}


def cpu_ticks(daemon):
    """Of the loop's thread, and of all others."""
    loop = others = 0
    for thread in os.listdir(f"/proc/{daemon.pid}/task"):
        with open(f"/proc/{daemon.pid}/task/{thread}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        if int(thread) == daemon.pid:
            loop += ticks
        else:
            others += ticks
    return loop, others


def test_questions_about_many_messages_do_not_delay_the_loop():
    with Daemon(CONFIG) as daemon:
        operator = daemon.operator(subscribe=False)
        listener = daemon.operator()
        clients = [speaking(daemon, listener) for _ in range(10)]
        listener.close()

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

        threads = [threading.Thread(target=talk, args=(client,)) for client, _ in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wait_until(lambda: operator.call("stats")["messages_in"] >= COUNT, "all have come")
        wait_until(lambda: behind() == 0, "all are recorded")
        assert operator.call("stats")["recording_lost"] == 0
        before = cpu_ticks(daemon)
        session = clients[3][1]
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
        loop, others = (after - then for after, then in zip(cpu_ticks(daemon), before))
        assert loop < others, f"{loop} ticks on the loop, {others} elsewhere"
        for client, _ in clients:
            client.close()
