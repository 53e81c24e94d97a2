"""A whole shift: two operators, one of them at times by commands, and thirty clients; and once
more with two consoles, where what has been begun for each client is where it was. Whatever
happens, each question gets one answer: nobody is answered twice, and nobody is forgotten."""

import concurrent.futures
import re

import pytest

from harness import FOR_ONE_ORIGIN, Daemon, RpcError, hand_over, wait_until
from harness.desk import CONSOLE_CONFIG, RULE, arrive, chatctl, leave, prompt_of

PEOPLE = 24
ASKERS = 6
NOTE = "Wants the printer on floor 2."
LIMITS = {"limits": FOR_ONE_ORIGIN}
CONSOLES = CONSOLE_CONFIG | {"limits": CONSOLE_CONFIG["limits"] | FOR_ONE_ORIGIN}
COLUMNS = 200
"""So wide that each line has one row, and the prompt tells all."""

NOBODY = "nothing is unread"


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


def at_once(*tasks):
    """What each of them returns."""
    with concurrent.futures.ThreadPoolExecutor(len(tasks)) as hands:
        return [done.result() for done in [hands.submit(task) for task in tasks]]


def work_together(workers, visitors):
    """All of them at once, on the same queue, from both of its ends."""
    ann, bob = workers
    at_once(lambda: ann.work(visitors), lambda: bob.work(visitors[::-1]))


class Seated:
    """An operator with chatctl in a terminal, who goes by what stands there and nothing else."""

    def __init__(self, daemon, name):
        self.name = name
        self.desk = chatctl(daemon, "--name", name, columns=COLUMNS)

    def focus(self):
        """The client in focus; None: there is none."""
        return wait_until(lambda: prompt_of(self.desk), "a prompt")[0]

    def next(self):
        """The client that Alt-a leads to; None: nobody waits for this operator."""
        before, told = self.focus(), self.desk.text().count(NOBODY)
        self.desk.type("\x1ba")

        def turned():
            if self.desk.text().count(NOBODY) > told:
                return (None,)
            now = prompt_of(self.desk)
            return now and now[0] not in (None, before) and now

        return wait_until(turned, f"another client than {before}")[0]

    def turn(self, keys, session, line=""):
        """Turns to that client by these keys, and finds that line begun for it."""
        self.desk.type(keys)
        self.wait_line(session, line)

    def wait_line(self, session, line):
        prompt = rf"\[{session}\] (\(.*\) )?> {re.escape(line)}"
        wait_until(
            lambda: re.fullmatch(prompt, self.desk.current()),
            lambda: f"[{session}] > {line}, not\n{self.desk.text(last=24)}",
        )

    def begin(self, session, line):
        """Begins a line for the client in focus."""
        self.desk.type(line)
        self.wait_line(session, line)

    def say(self, session, text, begun=""):
        """Says it to the client in focus, for whom it has been begun so far."""
        assert text.startswith(begun)
        self.desk.enter(text[len(begun) :])
        self.desk.wait(rf"^\[{session}\]< {re.escape(text)}$")

    def answer_to(self, visitor):
        (question,) = visitor.open
        return f"answer to {question}; signed {self.name}"

    def claim(self, session):
        """Whether the client in focus is this operator's now. By its id, as an asker may leave at
        any moment: the other one has answered it."""
        self.desk.enter(f"/claim {session}")

        def holder():
            if re.search(rf"^\[{session}\]\* disconnected", self.desk.text(200), re.MULTILINE):
                return "nobody's"
            now = prompt_of(self.desk)
            whose = now and now[0] == session and re.search(r"(yours|\w+'s)$", now[1])
            return whose and whose.group()

        return wait_until(holder, f"somebody has claimed {session}") == "yours"

    def work(self, visitors):
        """Answers whoever waits, and is this operator's or nobody's. Returns who that was, in the
        order in which they came up."""
        seen = []
        session = self.focus() or self.next()
        while session is not None:
            visitor = visitors[session]
            if visitor.open and self.claim(session):
                self.say(session, self.answer_to(visitor))
                seen.append(session)
            session = self.next()
        return seen


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


def come(daemon, witness):
    visitors = [Visitor(daemon, witness, number) for number in range(1, PEOPLE + ASKERS + 1)]
    for visitor in visitors:
        visitor.ask()
    people, askers = visitors[:PEOPLE], visitors[PEOPLE:]
    for asker in askers:
        asker.client.close_sending()
        witness.wait_event("asking", session=asker.session)
    return people, askers


def ask_once(askers, witness):
    """Each asks its one question, and says no more."""
    for asker in askers:
        asker.ask()
        asker.client.close_sending()
        witness.wait_event("asking", session=asker.session)


def leaves(person):
    """What it had not heard before."""
    person.client.send(b"bye\n")
    rest = person.client.take_all()
    person.client.close()
    return rest


def expect_end_of(asker, witness):
    asker.is_answered()
    asker.client.expect_end()
    witness.wait_event("disconnected", session=asker.session, reason="answered")
    asker.client.close()


def test_each_question_of_a_shift_gets_one_answer():
    with Daemon(LIMITS) as daemon:
        witness = watch(daemon)
        ann, bob = Worker(daemon, "ann"), Worker(daemon, "bob")
        people, askers = come(daemon, witness)

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
            assert leaves(person) == b""
        answers = [
            message
            for message in ann.operator.call("history", limit=1000)["messages"]
            if message["text"].startswith("answer to ")
        ]
        texts = [answer["text"].split("; ")[0] for answer in answers]
        assert len(texts) == len(set(texts)) == sum(each.asked for each in people + askers)


def test_two_consoles_share_a_shift_and_each_draft_is_where_it_was():
    with Daemon(CONSOLES) as daemon:
        witness = watch(daemon)
        ann, bob = Seated(daemon, "ann"), Seated(daemon, "bob")
        everybody = [Visitor(daemon, witness, number) for number in range(1, PEOPLE + ASKERS + 1)]
        visitors = {each.session: each for each in everybody}
        people, askers, late = (
            everybody[:PEOPLE],
            everybody[PEOPLE : PEOPLE + ASKERS // 2],
            everybody[PEOPLE + ASKERS // 2 :],
        )
        one, two, three, four, five, six, seven, eight, nine = people[:9]  # who have keys

        def answered(*those):
            for each in those:
                assert each.is_answered() == owners[each.session]

        # The askers have waited longest. Both operators take whoever comes up.
        ask_once(askers, witness)
        for person in people:
            person.ask()
        for worker in (ann, bob):
            worker.desk.wait(rf"^\[{people[-1].session}\] {people[-1].open[0]}$")
        orders = at_once(lambda: ann.work(visitors), lambda: bob.work(visitors))
        assert sorted(sum(orders, [])) == [each.session for each in people + askers]
        for order in orders:  # Alt-a has gone by how long each has waited, and to askers last.
            assert order == sorted(order)
        for person in people:
            assert person.is_answered() == holders(witness)[person.session]
        for asker in askers:
            expect_end_of(asker, witness)

        # From here on everybody has an operator.
        owners = {
            person.session: worker.name for person, worker in zip(people, (ann, bob) * PEOPLE)
        }
        for worker in (ann, bob):
            for session, name in owners.items():
                if name == worker.name:
                    worker.desk.enter(f"/claim {session} --force")
        wait_until(lambda: owners.items() <= holders(witness).items(), "all are claimed")

        # Each of them begins what is to be said to several clients.
        for worker in (ann, bob):
            worker.turn("\x1b9", nine.session)
        for person in people[:8]:
            person.ask()
        drafts = {}
        for worker, those in ((ann, (one, five, seven)), (bob, (four, six, eight))):
            for person in those:
                worker.turn(f"\x1b{person.number}", person.session)
                drafts[person] = worker.answer_to(person).partition(";")[0]
                worker.begin(person.session, drafts[person])
        ann.turn("\x1b9", nine.session)
        ann.begin(nine.session, "by the way, nine")
        for worker, those in ((ann, (five, one, seven)), (bob, (six, four, eight))):
            for person in those:
                worker.turn(f"\x1b{person.number}", person.session, drafts[person])

        # ann gives a client away, with what has to be known of it.
        ann.turn("\x1b3", three.session)
        ann.desk.enter(f"/note {NOTE}")
        ann.desk.enter("/give 3 bob")
        bob.desk.wait(r"^\[3\]\* is given to you by ann$")
        owners[three.session] = "bob"
        rows = arrive(bob.desk, "\x1b3", three.session)
        assert rows[:2] == [f"{RULE} [3] {RULE}", f"[3]* note by ann: {NOTE}"]
        assert re.fullmatch(rf"{RULE} 1 new since \d\d:\d\d {RULE}", rows[-2])
        assert re.fullmatch(rf"\[3\]\|? {re.escape(three.open[0])}", rows[-1])
        ann.desk.enter("me, too")
        ann.desk.wait(r"not sent: session 3 is claimed by bob; /claim 3 --force takes it$")
        bob.say(three.session, bob.answer_to(three))
        answered(three)

        # bob is away: whoever of his has waited longest comes up for ann, who may take it.
        bob.desk.enter("/away bob is at lunch")
        ann.desk.wait(r"^\* operator bob away: bob is at lunch$")
        assert ann.next() == two.session
        ann.desk.enter("me, too")
        ann.desk.wait(r"claimed by bob; bob is away: claim it to take over; /claim 2 takes it$")
        ann.desk.enter("/claim")
        ann.desk.wait(r"^\[2\]\* is yours now, taken from bob$")
        owners[two.session] = "ann"
        ann.say(two.session, ann.answer_to(two))
        answered(two)
        bob.desk.enter("/back")
        ann.desk.wait(r"^\* operator bob back$")

        # The daemon gives its place to another process. Some wait for an answer; one line is being
        # typed, others have been put away.
        ask_once(late, witness)
        for person in people[9:14]:
            person.ask()
        ann.turn("\x1b1", one.session, drafts[one])
        before = holders(witness)
        hand_over(daemon)
        for worker in (ann, bob):
            worker.desk.wait("attached again$")
        witness = watch(daemon)
        for each in everybody:
            each.witness = witness
        assert holders(witness) == before
        ann.wait_line(one.session, drafts[one])
        for worker, those in ((ann, (seven, five, one)), (bob, (eight, six, four))):
            for person in those:
                worker.turn(f"\x1b{person.number}", person.session, drafts[person])
                worker.say(person.session, worker.answer_to(person), begun=drafts[person])
                answered(person)
                worker.turn(f"\x1b{person.number}", person.session)
        # What was begun for somebody who leaves comes up for nobody else, whoever gets the key.
        ann.turn("\x1b9", nine.session, "by the way, nine")
        ann.turn("\x1b1", one.session)
        people.remove(nine)
        assert leaves(nine) == b""
        ann.desk.wait(r"^\* \[9\] has left; what you had begun for it is kept, /focus 9 brings it")
        ann.desk.wait(r"^ +by the way, nine$")
        ann.turn("\x1b9", people[8].session)
        ann.desk.enter("/focus 9")
        ann.desk.wait(r"> by the way, nine$")
        ann.desk.enter()
        ann.desk.wait(r"not sent: \[9\] has left")
        ann.desk.type("\x05\x15")

        # Who has waited meanwhile has been forgotten by nobody.
        orders = at_once(lambda: ann.work(visitors), lambda: bob.work(visitors))
        assert sorted(sum(orders, [])) == [each.session for each in people[8:13] + late]
        for order in orders:
            assert order == sorted(order)
        answered(*people[8:13])
        for asker in late:
            expect_end_of(asker, witness)
        for person in people:
            person.ask()
        for worker in (ann, bob):
            worker.desk.wait(rf"^\[{people[-1].session}\] {people[-1].open[0]}$")
        at_once(lambda: ann.work(visitors), lambda: bob.work(visitors))
        answered(*people)

        # Nobody waits, and nobody got more than was due.
        assert [each for each in witness.call("sessions") if each["unread"] > 0] == []
        for person in people:
            assert leaves(person) == b""
        said = [
            message["text"].split("; ")[0]
            for message in witness.call("history", limit=1000)["messages"]
            if message["direction"] == "out"
        ]
        assert len(said) == len(set(said)) == sum(each.asked for each in everybody)
        for worker in (ann, bob):
            leave(worker.desk)
