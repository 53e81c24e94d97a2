"""A whole shift: two operators, one of them at times by commands, and thirty clients. Whatever
happens, each question gets one answer: nobody is answered twice, and nobody is forgotten."""

import threading

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, RpcError, hand_over

PEOPLE = 24
ASKERS = 6
NOTE = "Wants the printer on floor 2."
LIMITS = {"limits": FOR_ONE_ORIGIN}


class Visitor:
    """A client with questions. `open` is what it has asked and has no answer to."""

    def __init__(self, daemon, witness, number):
        self.number = number
        self.client = daemon.client()
        self.session = witness.session_of(self.client)
        self.witness = witness
        self.asked = 0
        self.open = []

    def ask(self):
        self.asked += 1
        question = f"question {self.asked} of visitor {self.number}"
        self.client.send(question.encode() + b"\n")
        self.witness.wait_event("message", session=self.session, text=question)
        self.open.append(question)

    def is_answered(self):
        """Asserts that what came is one answer to each question, in their order. Returns who gave
        the last one."""
        assert self.open
        for question in self.open:
            answer, by = self.client.take_line().decode().split("; signed ")
            assert answer == f"answer to {question}"
        self.open = []
        return by.strip()


class Worker:
    """An operator. How it answers can be changed: `say(session, text)`."""

    def __init__(self, daemon, name):
        self.daemon = daemon
        self.name = name
        self.operator = daemon.operator(name=name)
        self.say = self.say_here

    def say_here(self, session, text):
        self.operator.call("send", to=session, text=text)

    def say_by_command(self, session, text):
        done = self.daemon.chatctl("--name", self.name, "send", str(session), text)
        assert done.returncode == 0, done.stderr

    def come_back(self):
        """Another process has the daemon's place now."""
        self.operator.wait_end()
        seen = self.operator.events[-1]["seq"]
        self.operator = self.daemon.operator(name=self.name, subscribe=seen)
        assert self.operator.name == self.name

    def claim(self, visitor):
        """Whether the visitor is this worker's now."""
        try:
            self.operator.call("claim", session=visitor.session)
        except RpcError as refused:
            assert refused.code in (1, 2), refused  # answered, or another's
            return False
        return True

    def answer(self, visitor):
        for question in visitor.open:
            self.say(visitor.session, f"answer to {question}; signed {self.name}")

    def work(self, visitors):
        """Answers everybody who waits, and is this worker's or nobody's."""
        for visitor in visitors:
            if not self.claim(visitor):
                continue
            listed = self.operator.session(visitor.session)
            if listed is not None and listed["unread"] > 0:
                self.answer(visitor)


def work_together(workers, visitors):
    """All of them at once, on the same queue, from both of its ends."""
    faults = []

    def work(worker, queue):
        try:
            worker.work(queue)
        except BaseException as fault:  # for the test's own thread
            faults.append(fault)

    threads = [
        threading.Thread(target=work, args=(worker, visitors[::step]))
        for worker, step in zip(workers, (1, -1))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def watch(daemon):
    """An operator who only looks on, and whom nobody has to be away for."""
    witness = daemon.operator(name="witness", subscribe=False)
    witness.call("subscribe", watch=True)
    return witness


def holders(operator):
    return {each["session"]: each["claimed_by"] for each in operator.call("sessions")}


def refusal(worker, visitor):
    with pytest.raises(RpcError) as refused:
        worker.say_here(visitor.session, "me, too")
    assert refused.value.code == 2
    return refused.value.message


def arrive(daemon, witness):
    visitors = [Visitor(daemon, witness, number) for number in range(1, PEOPLE + ASKERS + 1)]
    for visitor in visitors:
        visitor.ask()
    people, askers = visitors[:PEOPLE], visitors[PEOPLE:]
    for asker in askers:
        asker.client.close_sending()
        witness.wait_event("asking", session=asker.session)
    return people, askers


def expect_end_of(asker, witness):
    asker.is_answered()
    asker.client.expect_end()
    witness.wait_event("disconnected", session=asker.session, reason="answered")
    asker.client.close()


def test_each_question_of_a_shift_gets_one_answer():
    with Daemon(LIMITS) as daemon:
        witness = watch(daemon)
        ann, bob = Worker(daemon, "ann"), Worker(daemon, "bob")
        people, askers = arrive(daemon, witness)

        # Both work through the same queue. Half of the askers have to wait.
        work_together((ann, bob), people + askers[::2])
        for person in people:
            assert holders(witness)[person.session] == person.is_answered()
        for asker in askers[::2]:
            expect_end_of(asker, witness)
        # An announcement is nobody's answer.
        told = ann.operator.call("send", to="all", text="The printer is broken.")
        assert sorted(told["left_out"]) == [asker.session for asker in askers[1::2]]
        for person in people:
            person.client.expect(b"The printer is broken.\n")

        # From here on everybody has an operator, and bob's answers are those of commands.
        for person, worker in zip(people, (ann, bob) * PEOPLE):
            worker.operator.call("claim", session=person.session, force=True)
        bob.say = bob.say_by_command
        for person in people:
            person.ask()
        assert "is claimed by bob" in refusal(ann, people[1])
        for worker in (ann, bob):
            worker.work(people)
        assert [person.is_answered() for person in people] == ["ann", "bob"] * (PEOPLE // 2)

        # ann gives a client away, with what has to be known of it.
        given = people[0]
        given.ask()
        ann.operator.call("note", session=given.session, text=NOTE)
        noted = bob.operator.wait_event("noted", session=given.session)
        assert (noted["operator"], noted["text"]) == ("ann", NOTE)
        ann.operator.call("give", session=given.session, to="bob")
        claimed = bob.operator.wait_event("claimed", session=given.session, by="ann")
        assert (claimed["operator"], claimed["from"]) == ("bob", "ann")
        assert refusal(ann, given) == f"session {given.session} is claimed by bob"
        bob.answer(given)
        assert given.is_answered() == "bob"

        # bob is away: what is his is ann's for the asking, and only that.
        bob.operator.call("away", text="bob is at lunch")
        late = people[1]
        late.ask()
        assert refusal(ann, late).endswith("; bob is away: claim it to take over")
        ann.work([late])
        assert late.is_answered() == "ann"
        # Now both are, and a text is no answer.
        ann.operator.call("away", text="We are at lunch.")
        person = people[2]
        person.ask()
        person.client.expect(b"We are at lunch.\n")
        assert ann.operator.session(person.session)["unread"] == 1
        for worker in (ann, bob):
            worker.operator.call("back")
        ann.work([person])
        assert person.is_answered() == "ann"

        # The daemon gives its place to another process, while some wait for their answers.
        waiting = people[4:12]
        for person in waiting:
            person.ask()
        before = holders(witness)
        assert sorted(set(before.values()), key=str) == [None, "ann", "bob"]
        hand_over(daemon)
        # A command of bob's comes before his console does, and ends nothing by leaving.
        bob.answer(waiting[1])
        assert waiting[1].is_answered() == "bob"
        for worker in (ann, bob):
            worker.come_back()
        witness = watch(daemon)
        assert holders(witness) == before
        notes = ann.operator.call("notes", session=given.session)
        assert [(note["operator"], note["text"]) for note in notes] == [("ann", NOTE)]
        bob.say = bob.say_here
        work_together((ann, bob), waiting + askers[1::2])
        for person in waiting:
            if person.open:
                assert person.is_answered() == before[person.session]
        for asker in askers[1::2]:
            asker.witness = witness
            expect_end_of(asker, witness)

        for person in people:
            person.witness = witness
            person.ask()
        work_together((ann, bob), people)
        for person in people:
            assert person.is_answered() == before[person.session]

        # Nobody waits, and nobody got more than was due.
        assert [each for each in witness.call("sessions") if each["unread"] > 0] == []
        for person in people:
            person.client.send(b"bye\n")
            assert person.client.take_all() == b""
            person.client.close()
        answers = [
            message
            for message in ann.operator.call("history", limit=1000)["messages"]
            if message["text"].startswith("answer to ")
        ]
        texts = [answer["text"].split("; ")[0] for answer in answers]
        assert len(texts) == len(set(texts)) == sum(each.asked for each in people + askers)
