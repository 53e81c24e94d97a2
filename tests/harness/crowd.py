"""Many clients that talk, in one thread, and an operator who answers each of them, over any number
of hand-overs and restarts, with a ledger at both ends: every text is answered once, with its own
words, and nobody gets anything else."""

import selectors
import threading
import time

from harness.operators import Operator
from harness.speakers import answer_to
from harness.waiting import GUARD, wait_until

MOST_UNREADY = 50
"""Clients that connect, shake hands or ask for a WebSocket at the same time."""


class Crowd:
    """Speakers, each of which says up to `goal` texts, one after the other, and at least one if it
    is an original client. What went wrong is in `errors`. A text that may be cut is said in two
    parts, `pause` seconds apart. `run` calls what it is given, in a network of its own if need
    be."""

    def __init__(self, speakers, pause=0.2, run=lambda function: function()):
        self.speakers = speakers
        self.pause = pause
        self.goal = 0
        self.errors = []
        self.ending = False
        self.connected = False
        self.thread = threading.Thread(target=run, args=(self._run,), daemon=True)
        self.thread.start()
        wait_until(lambda: self.connected or self.errors, self._who_is_missing, timeout=3 * GUARD)
        assert not self.errors, self.errors

    def _run(self):
        try:
            with selectors.DefaultSelector() as self.selector:
                for speaker in self.speakers:
                    speaker.connect()
                    self._watch(speaker)
                    self._hear(0)
                    while self._unready() > MOST_UNREADY and not self.errors:
                        self._hear(1)
                while self._unready() and not self.errors:
                    self._hear(1)
                self.connected = True
                while not self.errors and not self.ending:
                    self._hear(0.01)
                    self._say()
        except Exception as error:  # the test says it
            self.errors.append(repr(error))
            raise

    def _who_is_missing(self):
        missing = [speaker.name for speaker in self.speakers if not speaker.ready]
        return f"all have connected; {len(missing)} have not, such as {missing[:5]}"

    def _unready(self):
        """Those who have connected and are not ready."""
        return sum(speaker.wire is not None and not speaker.ready for speaker in self.speakers)

    def _watch(self, speaker):
        if speaker.wire:
            self.selector.register(speaker.wire.socket, selectors.EVENT_READ, speaker)

    def _hear(self, timeout):
        for key, _ in self.selector.select(timeout):
            speaker = key.data
            try:
                ended = speaker.hear()
            except OSError as error:
                ended = True
                speaker.error = speaker.error or repr(error)
            if ended or speaker.error:
                # The selector must not see a closed socket.
                self.selector.unregister(key.fileobj)
                if speaker.error or not speaker.come_back():
                    self.errors.append(f"{speaker.name}: {speaker.error or 'end of file'}")
                    return
                self._watch(speaker)
            if not speaker.due:
                speaker.next_at = 0.0

    def _say(self):
        now = time.monotonic()
        for speaker in self.speakers:
            if speaker.next_at > now:
                continue
            if speaker.wire and speaker.wire.rest:
                speaker.wire.finish()
            elif speaker.due:
                speaker.nudge()
            elif speaker.texts < self.goal and speaker.can_say():
                connected = speaker.wire is not None
                speaker.say_next()
                if not connected:
                    self._watch(speaker)
            # Nothing else happens by itself before it has heard something, but for the second part.
            cut = speaker.wire and speaker.wire.rest
            speaker.next_at = now + (self.pause if cut or speaker.due else 0.0)

    def answered(self):
        """How many texts have been said and answered."""
        return sum(speaker.texts - bool(speaker.due) for speaker in self.speakers)

    def wait_answered(self, more):
        """Waits until `more` further texts have been answered."""
        goal = self.answered() + more
        wait_until(lambda: self.errors or self.answered() >= goal, f"{more} more answers")
        assert not self.errors, self.errors

    def wait_quiet(self, timeout=GUARD):
        """Waits until nothing is under way: all have said their texts and heard what is due."""

        def busy():
            return [s for s in self.speakers if s.due or s.texts < self.goal or (s.wire and s.wire.rest)]

        def why():
            some = [(s.name, s.texts, list(s.due)) for s in busy()[:5]]
            return f"{len(busy())} of them go on: {some}"

        wait_until(lambda: self.errors or not busy(), why, timeout, interval=0.1)
        assert not self.errors, self.errors

    def expect_all(self, text):
        """Everybody who hears what is said to all is to hear that next. To be called while it is
        quiet; returns how many they are."""
        hearing = [speaker for speaker in self.speakers if speaker.HEARS_ALL]
        for speaker in hearing:
            speaker.due.append(text)
        return len(hearing)

    def close(self):
        self.ending = True
        self.thread.join()
        for speaker in self.speakers:
            if speaker.wire:
                speaker.wire.close()


class Answerer:
    """An operator in a thread of its own, who attaches again whenever the daemon goes, and goes on
    behind the last event that it heard. It knows from the events what was answered already, and
    never answers twice."""

    def __init__(self, path):
        self.path = path
        self.errors = []
        self.heard = {}  # texts by session
        self.answered = 0
        self.attached = 0
        self.ending = False
        self.last = None
        self.pending = {}  # answers that were not sent yet, as session and text
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: self.attached or self.errors, "the operator has attached")

    def _run(self):
        try:
            while not self.ending:
                try:
                    operator = Operator(self.path, subscribe=False)
                except (OSError, AssertionError):
                    time.sleep(0.01)  # nobody is there just now
                    continue
                with operator:
                    self._answer(operator)
                self.errors += [a["error"] for a in operator.answers.values() if "error" in a]
        except Exception as error:  # the test says it
            self.errors.append(repr(error))

    def _answer(self, operator):
        caught_up = operator.welcome["seq"]
        if self.last is None:
            self.last = caught_up
        asked = self.last >= caught_up
        try:
            operator.call("subscribe", since=self.last)
        except (AssertionError, OSError):
            return
        self.attached += 1
        while not self.ending:
            try:
                event = operator.next_event(timeout=0.1)
            except AssertionError:
                if operator.ended:
                    return
                event = None
            fresh = event and self._take(event)
            if self.last < caught_up:
                continue
            if not asked:  # All that was before is known.
                asked, fresh = True, list(self.pending)
            try:
                for session, text in fresh or []:
                    operator.begin("send", to=session, text=text)
            except OSError:
                return

    def _take(self, event):
        """What is to be sent for that event."""
        if event["seq"] != self.last + 1:
            self.errors.append(f"event {event['seq']} after {self.last}: {event}")
        self.last = event["seq"]
        session = event.get("session")
        if event["method"] == "message":
            if event.get("cut"):
                self.errors.append(f"a part of a text: {event}")
            self.heard.setdefault(session, []).append(event["text"])
            if answer := answer_to(event["text"]):
                self.pending[(session, answer)] = True
                return [(session, answer)]
        elif event["method"] == "sent" and event["text"].startswith("re: "):
            if self.pending.pop((session, event["text"]), None) is None:
                self.errors.append(f"answered twice: {event}")
            self.answered += 1
        return []

    def close(self):
        self.ending = True
        self.thread.join(GUARD)


def check_ledgers(crowd, answerer, others=()):
    """Once it is quiet: what was said was heard, once, in order and as said by who said it, and all
    of it was answered. `others` have a name, texts and what they said as well. Returns the sessions
    of each, by its name."""
    speakers = [*crowd.speakers, *others]
    said = sum(len(speaker.said) for speaker in speakers)

    def heard():
        return sum(map(len, answerer.heard.values()))

    wait_until(
        lambda: answerer.errors or (heard() >= said and not answerer.pending),
        lambda: f"of {said} texts {heard()} were heard, and {len(answerer.pending)} wait for an answer",
    )
    assert answerer.errors == []
    sessions, texts = {}, {}
    for session, each in sorted(answerer.heard.items()):
        (name,) = {text.split()[0] for text in each if " says " in text}
        sessions.setdefault(name, []).append(session)
        texts.setdefault(name, []).extend(each)
    assert texts == {speaker.name: speaker.said for speaker in speakers if speaker.said}
    assert answerer.answered == sum(speaker.texts for speaker in speakers)
    return sessions
