"""An operator with many conversations: arrival shows what was said, drafts wait for their client,
the focus can be alone on the screen, who has left is not forgotten, and nothing that was begun
goes to the strangers whom another daemon has under the same ids."""

import os
import re
import signal

import pytest

from harness import Daemon, Home, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, RULE, arrive, chatctl, connected, leave, prompt_of
from test_rows import FORGED, paddings


@pytest.fixture
def daemon():
    with Daemon(CONSOLE_CONFIG) as running:
        yield running


def say(desk, client, text):
    """Says it, and waits until it is on the screen."""
    client.send(text.encode() + b"\n")
    desk.wait(rf"^\[\d+[^\]]*\]\|? {re.escape(text)}$")


@pytest.mark.parametrize("keys", ["\x1ba", "\x1b2", "/focus 2\r", "/foc AN\r"])
def test_arrival_shows_the_conversation_and_what_is_new(daemon, keys):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon, b"message 1\n")
    daemon.operator().call("name", session=2, name="anna")
    desk.wait_line("[1] (anna:1) > ")
    for i in range(2, 16):
        say(desk, second, f"message {i}")
    desk.enter("@2 an answer")
    second.expect(b"an answer\n")
    desk.wait_line("[1] > ")
    for i in range(3):
        say(desk, second, f"new {i}")
    desk.wait_line("[1] (anna:3) > ")
    rows = arrive(desk, keys, 2)
    assert rows[0] == f"{RULE} [2 anna] {RULE}"
    said = [re.sub(r"^\[2( anna)?\]", "[2]", row) for row in rows]
    assert said[1:11] == [f"[2] message {i}" for i in range(7, 16)] + ["[2]< an answer"]
    assert re.fullmatch(rf"{RULE} 3 new since \d\d:\d\d {RULE}", rows[11])
    assert said[12:] == [f"[2] new {i}" for i in range(3)]
    # Once they were shown they are read, and the next arrival has nothing new.
    rows = arrive(desk, "\x1b1", 1)
    assert rows == [f"{RULE} [1] {RULE}", "[1] hi"]
    rows = arrive(desk, "\x1b2", 2)
    assert len(rows) == 11 and not any(" new since " in row for row in rows)
    leave(desk)
    first.close()
    second.close()


def test_a_console_that_came_later_asks_for_what_was_said_before(daemon):
    witness = daemon.operator()
    client = daemon.client()
    for i in range(20):
        client.send(b"message %d\n" % i)
        witness.wait_event("message", text=f"message {i}")
    desk = chatctl(daemon)
    rows = arrive(desk, "\x1b1", 1)
    assert f"{RULE} 20 new since " in "\n".join(rows)
    assert [row for row in rows if "message" in row] == [f"[1] message {i}" for i in range(20)]
    say(desk, client, "and now")
    rows = arrive(desk, "/focus 1\r", 1)
    assert rows[1:] == [f"[1] message {i}" for i in range(11, 20)] + ["[1] and now"]
    leave(desk)
    client.close()


def test_arrival_works_without_transcripts():
    with Daemon(CONSOLE_CONFIG | {"transcript": {"enabled": False}}) as daemon:
        witness = daemon.operator()
        client = daemon.client()
        client.send(b"before\n")
        witness.wait_event("message", text="before")
        desk = chatctl(daemon)
        desk.wait_line("(1:1) > ")
        rows = arrive(desk, "\x1ba", 1)
        assert rows[0] == f"{RULE} [1] {RULE}" and "1 new" in rows[1] and len(rows) <= 3
        say(desk, client, "and now")
        leave(desk)
        client.close()


def test_who_has_left_unread_can_still_be_read(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon, b"is anybody there\n")
    third, _ = connected(desk, daemon)
    second.leave()
    desk.wait_line("[1] (3:1 left 2:1) > ")
    desk.enter("/list")
    desk.wait(r"^id .*\n(.*\n)*\[3\] .*127")
    rows = desk.text().rpartition("\nid ")[2].rpartition("\n")[0]
    assert "[2]" not in rows
    # Those who can be answered come first.
    arrive(desk, "\x1ba", 3)
    desk.wait_line("[3] (left 2:1) > ")
    desk.type("\x1ba")
    desk.wait_line("> ")
    desk.wait(rf"^{RULE} \[2\] has left {RULE}\n{RULE} 1 new .*\n\[2\]\|? is anybody there$")
    desk.enter("too late")
    desk.wait("no client is in focus")
    desk.type("\x1ba")
    desk.wait(r"^\* nothing is unread$")
    desk.enter("/focus 2")
    desk.wait("no such session: 2")
    leave(desk)
    first.close()
    third.close()


def test_askers_come_behind_those_who_talk(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    asker, _ = connected(desk, daemon, b"one question\n")
    asker.close_sending()
    desk.wait(r"^\[2\]\* waits for one answer")
    third, _ = connected(desk, daemon)
    desk.wait_line("[1] (3:1 2:1) > ")
    arrive(desk, "\x1ba", 3)
    arrive(desk, "\x1ba", 2)
    leave(desk)
    for client in first, asker, third:
        client.close()


@pytest.mark.parametrize("keys", ["\x1bo", "/only\r"])
def test_the_focus_can_be_alone_and_the_rest_is_counted(daemon, keys):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.type(keys)
    desk.wait("the client in focus is shown alone")
    desk.wait_line("[1] (2:1, only) > ")
    second.send(b"not seen\n")
    desk.wait_line("[1] (2:2, only) > ")
    say(desk, first, "seen")
    assert "not seen" not in desk.text()
    desk.enter("@2 what I say is seen")
    desk.wait(r"^\[2\]< what I say is seen$")
    second.send(b"hidden again\n")
    desk.wait_line("[1] (2:1, only) > ")
    desk.type(keys)
    desk.wait("all clients are shown again; 2 messages were hidden")
    desk.wait_line("[1] (2:1) > ")
    rows = arrive(desk, "\x1ba", 2)
    assert rows[-1] == "[2] hidden again" and "[2] not seen" in rows
    say(desk, first, "all is seen")
    leave(desk)
    first.close()
    second.close()


def test_nothing_of_a_muted_client_is_shown_or_counted(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.enter("/mute 2")
    desk.wait(r"^\[2\]\* is muted")
    desk.wait_line("[1] > ")
    witness = daemon.operator()
    second.send(b"nobody hears me\n")
    witness.wait_event("message", text="nobody hears me")
    say(desk, first, "but me")
    assert "nobody hears me" not in desk.text()
    desk.type("\x1ba")
    desk.wait("nothing is unread but what others have claimed, or you have muted")
    desk.enter("/mute")
    desk.wait(r"^\* muted: \[2\]$")
    desk.enter("/list")
    desk.wait(r"^\[2\].*muted")
    desk.enter("/mute 2")
    desk.wait(r"^\[2\]\* is not muted any more$")
    desk.wait_line("[1] (2:2) > ")
    rows = arrive(desk, "\x1ba", 2)
    assert rows[-1] == "[2] nobody hears me"
    leave(desk)
    first.close()
    second.close()


def test_a_line_that_was_begun_waits_for_its_client(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    third, _ = connected(desk, daemon)
    desk.type("for one")
    desk.type("\x1b2")
    desk.wait_line("[2] (3:1) > ")
    desk.type("for two")
    desk.wait_line("[2] (3:1) > for two")
    desk.type("\x1b3")
    desk.wait_line("[3] > ")
    desk.enter("/focus 1")
    desk.wait_line("[1] > for one")
    desk.type(" alone")
    desk.type("\x1b2")
    desk.wait_line("[2] > for two")
    desk.enter("!")
    second.expect(b"for two!\n")
    desk.type("\x1b1")
    desk.wait_line("[1] > for one alone")
    desk.type("\x1b1")
    desk.wait_line("[1] > for one alone")
    desk.enter()
    first.expect(b"for one alone\n")
    third.expect_silence(0.1)
    leave(desk)
    for client in first, second, third:
        client.close()


def test_a_draft_of_who_has_left_is_kept_and_sent_to_nobody(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.type("for the first alone\x1b2")
    desk.wait_line("[2] > ")
    first.leave()
    desk.wait(r"^\* \[1\] has left; what you had begun for it is kept, /focus 1 brings it back:$")
    desk.wait(r"^ +for the first alone$")
    third, _ = connected(desk, daemon)
    desk.enter("/focus 1")
    desk.wait_line("(3:1) > for the first alone")
    desk.enter()
    desk.wait(r"not sent: \[1\] has left")
    desk.wait_line("(3:1) > for the first alone")
    desk.type("\x1ba")
    desk.wait_line("[3] > for the first alone")
    third.expect_silence(0.1)
    desk.enter()
    desk.wait("not sent yet: this line was begun")
    desk.wait_line("[3] > for the first alone")
    third.expect_silence(0.1)
    desk.type("\x03")
    desk.wait_line("[3] > ")
    desk.enter("hello")
    third.expect(b"hello\n")
    second.expect_silence(0.1)
    leave(desk)
    second.close()
    third.close()


def test_keys_typed_ahead_run_no_draft_that_was_not_seen(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    desk.type("\x1b2")
    desk.wait_line("[2] > ")
    desk.type("@1 a secret,")
    desk.wait_line("[2] > @1 a secret,")
    desk.type("\x1b1")
    desk.wait_line("[1] > ")
    desk.type("/focus 2\rhello\r")
    desk.wait_line("[2] > @1 a secret,hello")
    first.expect_silence(0.1)
    second.expect_silence(0.1)
    desk.enter()
    first.expect(b"a secret,hello\n")
    leave(desk)
    first.close()
    second.close()


def test_a_name_means_who_had_it_when_it_was_typed(daemon):
    desk = chatctl(daemon, columns=200)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    third, _ = connected(desk, daemon)
    operator = daemon.operator()
    operator.call("name", session=1, name="anna")
    operator.call("name", session=2, name="annabel")
    desk.wait(r"is now called annabel")
    desk.type("@anna for her alone")
    wait_until(lambda: desk.current().endswith("> @anna for her alone"), "it is typed")
    first.leave()
    desk.wait(r"^\[1 anna\]\* disconnected")
    desk.enter()
    desk.wait(r"this line meant \[1\] when it was typed, and means \[2 annabel\] now")
    second.expect_silence(0.1)
    desk.enter()
    second.expect(b"for her alone\n")
    desk.type("/kick annabel")
    wait_until(lambda: desk.current().endswith("> /kick annabel"), "it is typed")
    operator.call("name", session=2, name="bob")
    operator.call("name", session=3, name="annabel")
    desk.wait(r"^\[3 annabel\]\* is now called annabel")
    desk.enter()
    desk.wait(r"this line meant \[2 bob\] when it was typed, and means \[3 annabel\] now")
    desk.type("\x03")
    third.send(b"still here\n")
    desk.wait(r"^\[3 annabel\]\|? still here$")
    leave(desk)
    second.close()
    third.close()


def test_commands_and_names_by_their_beginning(daemon):
    desk = chatctl(daemon)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    for session, name in (1, "Anna"), (2, "Zo\u00eb B"):
        desk.enter(f"/NA {session} {name}")
        desk.wait(rf"^\[{session} {name}\]\* is now called {name}$")
    desk.enter("@zo hello")
    second.expect(b"hello\n")
    desk.enter("/rel")
    desk.wait("/rel may mean several commands: /release, /reload")
    desk.enter("/help rele")
    desk.wait(r"^  /release \[ID\] ")
    desk.enter("/name 1")
    desk.wait(r"^\[1\]\* its name was removed$")
    leave(desk)
    first.close()
    second.close()


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_view_lets_a_client_begin_a_row(daemon, columns):
    desk = chatctl(daemon, columns=columns)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    witness = daemon.operator()
    texts = [text for text in paddings() if len(text) < 500][:: 1 if columns < 200 else 3]
    for text in texts:
        second.send(text.encode() + b"\n")
    second.send(b"that was all FORGED\n")
    witness.wait_event("message", text="that was all FORGED")
    desk.wait("that was all")
    own = r"\[[12][^\]]*\]?|\* |── | |id |> |no |usage|Alt|chat|$"
    said, listed, one = "that was all", "\nid ", f"\n{RULE} [1]"
    views = {"\x1ba": said, "/history 2 200\r": said, "/search FORGED\r": said}
    views |= {"/list\r": listed, "\x1b1": one, "\x1b2": said}
    for keys, shown in views.items():
        before, forged = (desk.text().count(each) for each in (shown, "FORGED"))
        desk.type(keys)
        wait_until(lambda: desk.text().count(shown) > before, lambda: desk.text(last=24))
        wait_until(lambda: prompt_of(desk), "a prompt")
        assert shown != said or desk.text().count("FORGED") >= forged + 9
    for row in desk.text().splitlines():
        assert re.match(own, row), f"a client has begun the row {row!r}"
        assert not any(row.startswith(forged) for forged in FORGED), row
    leave(desk)
    first.close()
    second.close()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LANG": "C"}])
def test_a_plain_terminal_shows_the_same(daemon, env):
    desk = chatctl(daemon, env=env)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon, b"words\n")
    desk.type("half a line")
    desk.type("\x1ba")
    desk.wait_line("[2] > ")
    desk.wait(rf"^{RULE} \[2\] {RULE}\n{RULE} 1 new since \d\d:\d\d {RULE}\n\[2\]\|? words$")
    desk.type("\x1b1")
    desk.wait_line("[1] > half a line")
    leave(desk)
    first.close()
    second.close()


def test_a_console_of_many_colours_gives_each_client_its_own(daemon):
    desk = chatctl(daemon, env={"TERM": "xterm-256color"})
    clients = [connected(desk, daemon)[0] for _ in range(3)]
    leads = [re.search(rf"(\x1b\[(1;)?38;5;\d+m)\[{i}\]\x1b\[0m ", desk.raw) for i in (1, 2, 3)]
    assert len({lead.group(1).replace("1;3", "3") for lead in leads}) == 3
    leave(desk)
    for client in clients:
        client.close()


def test_prepared_replies_go_to_the_focus_with_names_put_in():
    replies = {"hours": "Dear {name}, nine to five. {operator}", "hold": "One moment."}
    with Daemon(CONSOLE_CONFIG | {"replies": replies}) as daemon:
        desk = chatctl(daemon, "--name", "bob")
        client, _ = connected(desk, daemon)
        desk.enter("/r hou")
        client.expect(b"Dear 1, nine to five. bob\n")
        desk.enter("/name 1 anna")
        desk.wait("is now called anna")
        desk.type("/reply hou\t")
        desk.wait_line("[1 anna] > /reply hours ")
        desk.enter()
        client.expect(b"Dear anna, nine to five. bob\n")
        desk.enter("/r ho")
        desk.wait("'ho' may mean several replies: hold, hours")
        desk.enter("/reply")
        desk.wait(r"^  hold: One moment\.\n  hours: Dear \{name\}, nine to five\. \{operator\}$")
        # As any line, it goes to nobody else.
        desk.type("/r hold")
        client.leave()
        desk.wait(r"^\[1 anna\]\* disconnected")
        other, _ = connected(desk, daemon)
        desk.enter()
        desk.wait("not sent yet")
        other.expect_silence(0.1)
        leave(desk)
        other.close()


def test_words_to_look_out_for_ring_and_stand_out():
    console = CONSOLE_CONFIG["console"] | {"bell": "all", "highlight": ["Fire"]}
    with Daemon(CONSOLE_CONFIG | {"console": console}) as daemon:
        desk = chatctl(daemon, env={"NO_COLOR": "1"})
        client, _ = connected(desk, daemon)
        bells = desk.raw.count("\a")
        client.send(b"no fires\nfire!\n")
        desk.wait(r"^\[1\]\| no fires\n\[1\]! fire!$")
        wait_until(lambda: desk.raw.count("\a") == bells + 1, "the bell rings once")
        leave(desk)
        client.close()


# --- another daemon, with other clients ---

CLIENTS = 7
REPLIES = CONSOLE_CONFIG | {"replies": {"hold": "a secret"}}

# What is typed, what the daemon makes of it in the end, and for whom; None: for the one in focus.
BEGUN = [
    ("a secret", "sent", None),
    ("/r hold", "sent", None),
    ("bye", "disconnected", None),
    ("/note a secret", "noted", None),
    ("@7 a secret", "sent", [7]),
    ("@anna a secret", "sent", [3]),
    ("/kick 3 rude", "disconnected", [3]),
    ("/kick 3,4 rude", "disconnected", [3, 4]),
    ("/kick 127.0.0.0/8 rude", "disconnected", [*range(1, CLIENTS + 1)]),
    ("/bye 3", "disconnected", [3]),
    ("/name 3 thief", "named", [3]),
    ("/note 3 a secret", "noted", [3]),
    ("/give 3 eve", "claimed", [3]),
]


class Replaced:
    """A console whose daemon is killed, and another one that comes to the same socket. It knows
    nothing of the first, and counts its clients from 1, too. Of both, client 3 is called anna."""

    def __init__(self):
        self.homes = Home(), Home()
        self.homes[1].control_path = self.homes[0].control_path
        self.daemon = Daemon(REPLIES, home=self.homes[0])
        self.clients, self.operator = self.seven()
        self.desk = chatctl(self.daemon, columns=200)
        arrive(self.desk, "\x1b3", 3)

    def seven(self):
        """Clients of the daemon of now, and an operator who has heard of all of them."""
        operator = self.daemon.operator(name="eve")
        clients = [speaking(self.daemon, operator)[0] for _ in range(CLIENTS)]
        assert [each["session"] for each in operator.call("sessions")] == [*range(1, CLIENTS + 1)]
        operator.call("name", session=3, name="anna")
        operator.wait_event("named", session=3)
        return clients, operator

    def replace(self, when):
        """The strangers are there before the console comes back, or come after it."""
        self.daemon.kill()
        for client in self.clients:
            client.close()
        self.desk.wait(r"^\* the daemon has gone; waiting for it")
        if when == "before":
            os.kill(self.desk.child.pid, signal.SIGSTOP)
        self.daemon = Daemon(REPLIES, home=self.homes[1])
        if when == "after":
            self.desk.wait(r"^\* attached again$")
        self.clients, self.operator = self.seven()
        if when == "after":
            self.desk.wait(r"^\[3 anna\]\* is now called anna by eve$")
        else:
            os.kill(self.desk.child.pid, signal.SIGCONT)
            self.desk.wait(r"^\* the focus is cleared$")
        self.heard = len(self.operator.events)

    def effects(self):
        """What has happened to the strangers, as far as it was the console's doing."""
        return [
            (each["method"], each["session"])
            for each in self.operator.events[self.heard :]
            if each["method"] in ("sent", "disconnected", "noted", "named", "claimed")
        ]

    def end(self):
        self.desk.child.close(force=True)
        if self.daemon.alive():
            self.daemon.stop()
        for home in self.homes:
            home.remove()


@pytest.fixture
def replaced():
    both = Replaced()
    yield both
    both.end()


@pytest.mark.parametrize(
    "when, typed, effect, whom",
    [("before", *each) for each in BEGUN]
    + [("after", *each) for each in (BEGUN[0], BEGUN[4], BEGUN[6])],
)
def test_a_line_that_was_begun_is_not_for_strangers_under_the_same_ids(
    when, typed, effect, whom, replaced
):
    desk = replaced.desk
    desk.type(typed)
    desk.wait(rf"^\[3 anna\] .*> {re.escape(typed)}$")
    replaced.replace(when)
    desk.enter()
    desk.wait("not (sent|done)")
    desk.wait(rf"> {re.escape(typed)}$")
    if whom is None and when == "before":
        # It belongs to nobody now, and waits until a client is chosen.
        assert replaced.effects() == []
        desk.type("\x1b3")
        desk.wait(rf"^\[3 anna\] .*> {re.escape(typed)}$")
    # What the console had sent so far would have come before this.
    replaced.operator.call("ops", text="so far")
    replaced.operator.wait_event("ops", text="so far")
    assert replaced.effects() == []
    desk.enter()
    if whom is None:  # The first of them to come has the focus, as ever.
        whom = [3] if when == "before" else [1]
    for session in whom:
        replaced.operator.wait_event(effect, session=session)
    # Once, and nothing else.
    desk.enter("/ops that was all")
    replaced.operator.wait_event("ops", text="that was all")
    assert sorted(replaced.effects()) == [(effect, session) for session in whom]
    for session, client in enumerate(replaced.clients, 1):
        if effect == "disconnected" and session in whom:
            assert client.take_all() == b""
        else:
            said = effect == "sent" and session in whom
            assert client.leave() == (b"a secret\n" if said else b"")


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_put_away_for_a_client_does_not_come_up_for_a_stranger(when, replaced):
    desk = replaced.desk
    for key, line in (1, "for one"), (2, "@7 for seven"), (4, ""):
        arrive(desk, f"\x1b{key}", key)
        desk.type(line)
        desk.wait(rf"^\[{key}\] .*> ?{re.escape(line)}$")
    replaced.replace(when)
    for session, line in (1, "for one"), (2, "@7 for seven"):
        # It is not lost,
        told = f"* what you had begun for [{session}], who may have left:\n  {line}\n"
        assert desk.text().count(told) == 1
        # but here is another one, with an empty line.
        arrive(desk, f"\x1b{session}", session)
    desk.type("\x1b[A")
    desk.wait(r"> @7 for seven$")
    desk.type("\x1b[A")
    desk.wait(r"> for one$")
    desk.type("\x03")
    wait_until(lambda: prompt_of(desk), "the line is empty")
    desk.enter("/ops that was all")
    replaced.operator.wait_event("ops", text="that was all")
    assert replaced.effects() == []
    for client in replaced.clients:
        assert client.leave() == b""
