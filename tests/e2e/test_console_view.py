"""What a console in a terminal shows and which keys lead through it: unread messages, what
came while nobody was there, days, pages of earlier messages, narrow and wide screens, with
colours and without."""

import re
import sqlite3
import unicodedata

import pytest

from harness import Daemon, Home, wait_until
from harness.desk import chatctl, connected

CONFIG = {"console": {"timestamps": "none"}}
FAST = {
    **CONFIG,
    "limits": {"messages_per_second": 1000000, "messages_burst": 1000000},
}


@pytest.fixture
def daemon():
    with Daemon(FAST) as running:
        yield running


def leave(desk):
    desk.text()
    desk.type("\x05\x15\x04")
    assert desk.wait_end() == 0


def width_of(text):
    """The number of columns that a terminal gives to the text."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def say(desk, client, text):
    """Says it, and waits until it is on the screen."""
    client.send(text.encode() + b"\n")
    desk.wait(rf"^\[\d+[^\]]*\]\|? {re.escape(text)}$")


def test_alt_a_goes_to_the_client_that_has_waited_longest(daemon):
    desk = chatctl(daemon)
    clients = [connected(desk, daemon)[0] for _ in range(3)]
    desk.wait_line("[1] (2:1 3:1) > ")
    say(desk, clients[0], "in focus, so it is read")
    desk.type("\x1ba")
    desk.wait_line("[2] (3:1) > ")
    say(desk, clients[0], "not in focus any more")
    desk.wait_line("[2] (3:1 1:1) > ")
    desk.type("\x1ba")
    desk.wait_line("[3] (1:1) > ")
    desk.type("\x1ba")
    desk.wait_line("[1] > ")
    desk.type("\x1ba")
    desk.wait(r"^\* nothing is unread$")
    # A client that somebody else has answered is not waiting any more.
    say(desk, clients[2], "who answers?")
    desk.wait_line("[1] (3:1) > ")
    daemon.operator().call("send", to=3, text="I do")
    desk.wait_line("[1] > ")
    # And a line that has been begun waits for its client, and is not sent to the next.
    say(desk, clients[1], "hello?")
    desk.type("for the first")
    desk.wait_line("[1] (2:1) > for the first")
    desk.type("\x1ba")
    desk.wait_line("[2] > ")
    desk.enter("for the second")
    clients[1].expect(b"for the second\n")
    desk.type("\x1b1")
    desk.wait_line("[1] > for the first")
    desk.enter()
    clients[0].expect(b"for the first\n")
    leave(desk)
    for client in clients:
        client.close()


def test_a_bye_that_waits_for_a_client_is_shown_as_waiting(daemon):
    desk = chatctl(daemon)
    client, _ = connected(desk, daemon, first_words=b"hi")
    desk.enter("an answer")
    client.expect(b"an answer")
    desk.enter("bye")
    desk.wait(r"^\[1\]\* is parting: it ends once the client has taken the bye$")
    client.send(b"well")
    client.expect(b"bye")
    client.send(b"bye")
    desk.wait(r"^\[1\]\* disconnected: bye")
    client.expect_end()
    # A client that takes it at once is gone, and nothing more is said.
    other, session = connected(desk, daemon)
    desk.enter(f"/bye {session}")
    other.expect_end()
    desk.wait(rf"^\[{session}\]\* disconnected: bye")
    desk.enter("/list")
    desk.wait(r"^\* nobody is connected$")
    assert desk.text().count("parting") == 1
    leave(desk)
    client.close()
    other.close()


def test_alt_and_a_digit_choose_a_client(daemon):
    desk = chatctl(daemon, columns=120)
    clients = [connected(desk, daemon)[0] for _ in range(10)]
    for digit in "3", "9", "1":
        desk.type("\x1b" + digit)
        desk.wait(rf"^\[{digit}\] .*>$")
    clients[1].leave()
    desk.wait(r"^\[2\]\* disconnected")
    # A free key goes to the client that has waited for one; nobody else's moves.
    desk.type("\x1b2")
    desk.wait(r"^\[10\] .*>$")
    desk.type("\x1b3")
    desk.wait(r"^\[3\] .*>$")
    desk.enter("/list")
    desk.wait(r"^\[10\] .* Alt-2 ")
    for client in clients[2:]:
        client.leave()
    desk.wait(r"^\[10\]\* disconnected")
    desk.type("\x1b3")
    desk.wait("no client has the key Alt-3; /list shows the keys")
    leave(desk)
    clients[0].close()


def test_the_prompt_and_the_list_count_alike(daemon):
    desk = chatctl(daemon, columns=120)
    clients = [connected(desk, daemon)[0] for _ in range(3)]
    say(desk, clients[1], "again")
    desk.wait_line("[1] (2:2 3:1) > ")

    def listed():
        head, *rows = table_of(desk, 3)
        end = head.index("unread") + len("unread")
        return [row[:end].split()[-1] for row in sorted(rows)]

    # The daemon counts all of them as unanswered.
    assert [s["unread"] for s in daemon.operator().call("sessions")] == [1, 2, 1]
    assert listed() == ["0", "2", "1"]
    desk.type("\x1ba\x1b1")
    desk.wait_line("[1] (3:1) > ")
    assert listed() == ["0", "0", "1"]
    leave(desk)
    for client in clients:
        client.close()


def test_what_came_while_nobody_was_attached_is_shown_first_and_counted(daemon):
    first, second = daemon.client(), daemon.client()
    witness = daemon.operator(subscribe=False)
    for i in range(2):
        first.send(b"first, %d\n" % i)
        second.send(b"second, %d\n" % i)
    wait_until(lambda: witness.call("stats")["messages_in"] == 4, "all have come")
    desk = chatctl(daemon)
    desk.wait(r"^\* 4 unread from 2 clients since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
    text = desk.text()
    begin = text.index("* 4 unread, the oldest first:")
    for i in range(2):
        for who in "first", "second":
            assert text.count(f"] {who}, {i}\n") == 1 and text.index(f"] {who}, {i}\n") > begin
    assert text.index("first, 0") < text.index("first, 1") < text.index("* 4 unread from")
    desk.wait(r"^\(\d:2 \d:2\) >$")
    leave(desk)
    wait_until(lambda: witness.call("stats")["operators"] == 1, "it has gone")
    desk = chatctl(daemon)
    assert "unread" not in desk.text(), "it was shown once"
    leave(desk)
    first.close()
    second.close()


def test_a_line_tells_when_the_day_changes():
    home = Home()
    try:
        with Daemon(CONFIG, home=home) as daemon:
            operator = daemon.operator(subscribe=False)
            with daemon.client() as client:
                for i in range(4):
                    client.send(b"day %d\n" % i)
                wait_until(lambda: operator.call("stats")["messages_in"] == 4, "all have come")
        database = sqlite3.connect(home.path / "chatd" / "transcript.db")
        days = {0: "2026-11-20T10:00:00", 1: "2026-11-20T23:59:59", 2: "2026-11-21T00:00:01"}
        for day, time in days.items():
            database.execute(
                "UPDATE events SET time = 1000 * unixepoch(?) WHERE text = ?", (time, f"day {day}")
            )
        database.commit()
        database.close()
        with Daemon(CONFIG, home=home) as daemon:
            desk = chatctl(daemon, "--timestamps", "time", env={"TZ": "UTC"})
            desk.wait(r"^\* 4 unread from 1 client since 2026-11-20 10:00:00$")
            assert re.search(
                r"^── Friday, 2026-11-20 ──\n10:00:00 \[1\] day 0\n23:59:59 \[1\] day 1\n"
                r"── Saturday, 2026-11-21 ──\n00:00:01 \[1\] day 2\n"
                r"── \w+day, 20\d\d-\d\d-\d\d ──\n\d\d:\d\d:\d\d \[1\] day 3$",
                desk.text(),
                re.MULTILINE,
            ), desk.text()
            leave(desk)
    finally:
        home.remove()


def test_history_and_search_page_without_getting_in_the_way(daemon):
    desk = chatctl(daemon)
    client, _ = connected(desk, daemon)
    other, _ = connected(desk, daemon, b"another one\n")
    for i in range(1, 46):
        client.send(b"needle %d\n" % i if i % 2 else b"straw %d\n" % i)
    desk.wait(r"^\[1\] straw 44\n\[1\] needle 45$")

    def shows(keys, lines, last):
        """Asserts that exactly these lines are shown, and then that one."""
        before = len(desk.text().splitlines())
        desk.enter(keys)
        wait_until(
            lambda: desk.text().splitlines()[before:][-2:-1] == [last], f"{last!r} after {keys}"
        )
        shown = desk.text().splitlines()[before:-2]
        assert shown == lines, shown

    def said(numbers):
        return [f"[1] needle {i}" if i % 2 else f"[1] straw {i}" for i in numbers]

    more = "* there are older messages; /more shows them"
    shows("/history", said(range(26, 46)), more)
    shows("/more", said(range(6, 26)), more)
    # What comes meanwhile is shown, and changes nothing about the pages.
    say(desk, other, "in between")
    desk.type("half a line")
    say(desk, client, "and another")
    desk.wait_line("[1] (2:2) > half a line")
    desk.type("\x15")
    desk.wait_line("[1] (2:2) > ")
    before = len(desk.text().splitlines())
    desk.enter("/more")
    wait_until(lambda: len(desk.text().splitlines()) >= before + 7, "the last page")
    assert desk.text().splitlines()[before : before + 6] == ["[1] hi", *said(range(1, 6))]
    shows("/more", [], "there is nothing more to show; begin with /history or /search")
    shows("/history 1 3", [*said([44, 45]), "[1] and another"], more)
    shows("/search needle", said(range(7, 46, 2)), more)
    before = len(desk.text().splitlines())
    desk.enter("/more")
    wait_until(lambda: len(desk.text().splitlines()) >= before + 4, "the last page")
    assert desk.text().splitlines()[before : before + 3] == said([1, 3, 5])
    shows("/search neverthere", [], "* nothing was found")
    desk.enter("/search " + "a." * 65)
    desk.wait("text has more than 64 words, the limit of a search")
    client.expect_silence(0.1)
    leave(desk)
    client.close()
    other.close()


WIDE = "\u4f60\u597d\U0001f98a"  # two columns each
NAMES = ["anna", WIDE, "Zo\u00eb", "e\u0301te", "a name that is much longer than a column is wide"]


def named_clients(desk, daemon):
    """A client of each name."""
    clients = [connected(desk, daemon)[0] for _ in NAMES]
    operator = daemon.operator()
    for session, name in enumerate(NAMES, 1):
        operator.call("name", session=session, name=name)
    desk.wait(rf"^\[{len(NAMES)} ")
    return clients


def table_of(desk, rows):
    """The rows of /list as they are on the screen, its head first."""
    before = desk.text().count("\nid ")
    desk.enter("/list")
    wait_until(
        lambda: desk.text().count("\nid ") > before and desk.current().endswith("> "), "a list"
    )
    lines = desk.text().rpartition("\nid ")[2].splitlines()
    return ["id " + lines[0], *lines[1 : rows + 1]]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_tables_fit_and_are_aligned_at_every_width(daemon, columns):
    desk = chatctl(daemon, columns=columns)
    clients = named_clients(desk, daemon)
    head, *rows = table_of(desk, len(NAMES))
    assert all(width_of(line) <= columns for line in [head, *rows]), rows
    titles = re.findall(r"\S+", head)
    assert titles[:4] == "id name waits unread".split()
    if columns == 200:
        assert titles[4:] == "last words key address idle held dialect since".split()
        assert NAMES[-1] in rows[-1]
    # Every cell begins where its column does, whatever is before it.
    at = head.index("address") if "address" in head else None
    for row, client in zip(rows, clients) if at else ():
        before = next(i for i in range(len(row)) if width_of(row[:i]) == at)
        assert row[before - 1] == " " and row[before] == "1", (head, row)
        if columns == 200:
            assert row[before:].startswith(client.address)
    # Numbers end where their title does.
    at = width_of(head[: head.index("unread") + len("unread")])
    for row in rows:
        end = next(i for i in range(len(row) + 1) if width_of(row[:i]) == at)
        assert row[end - 1].isdigit() and row[end : end + 1] in ("", " "), (head, row)
    leave(desk)
    for client in clients:
        client.close()


@pytest.mark.parametrize("columns", [40, 200])
def test_everything_works_at_any_width(daemon, columns):
    desk = chatctl(daemon, columns=columns)
    clients = named_clients(desk, daemon)
    # There is room for the line beside the prompt.
    desk.type(f"/focus {len(NAMES)}\r")
    desk.wait(rf"^\[{len(NAMES)}[^\]]*\] .*>$")
    assert width_of(desk.current()) <= columns // 3
    desk.enter("/focus 2")
    desk.wait(r"^\[2[^\]]*\] .*>$")
    line = f"{WIDE} and " + "quite a long line of text " * 8
    desk.type(line)
    for i in range(5):
        say(desk, clients[0], f"short {i}")
    desk.enter("!")
    clients[1].expect((line + "!\n").encode())
    desk.enter("/help all")
    desk.wait(r"^ +Alt-a")
    wait_until(lambda: desk.current().endswith("> "), "the prompt")
    help_text = desk.text().rpartition("> /help all")[2].splitlines()[1:-1]
    assert len(help_text) > 20
    assert all(width_of(row) <= columns for row in help_text), help_text
    leave(desk)
    for client in clients:
        client.close()


def test_ctrl_r_finds_earlier_lines(daemon):
    desk = chatctl(daemon)
    client, _ = connected(desk, daemon)
    for line in "the first line", "a second one", "the third line":
        desk.enter(line)
        client.expect(line.encode() + b"\n")
    desk.type("\x12line")
    desk.wait_line("(reverse-i-search)`line': the third line")
    desk.type("\x12")
    desk.wait_line("(reverse-i-search)`line': the first line")
    desk.type("\x07")  # Ctrl-G: as it was
    desk.wait_line("[1] > ")
    desk.type("\x12sec")
    desk.wait_line("(reverse-i-search)`sec': a second one")
    desk.type("\x05!\r")
    client.expect(b"a second one!\n")
    leave(desk)
    client.close()


def test_ids_and_names_are_completed(daemon):
    desk = chatctl(daemon)
    clients = named_clients(desk, daemon)
    prompt = re.escape(desk.current().rstrip())
    for typed, completed in [
        ("@an\t", "@1 "),
        ("@4\t", "@4 "),
        (f"/kick {WIDE[0]}\t", "/kick 2 "),
        ("/name Zo\t", "/name 3 "),
        ("/foc\t5\t", "/focus 5"),
        ("/sea\t", "/search "),
        ("an\tx", "an\tx"),
    ]:
        desk.type(typed)
        shown = re.escape(completed.rstrip()).replace(r"\t", " +").replace("\\\t", " +")
        desk.wait(f"^{prompt} {shown}$")
        desk.type("\x05\x15")
        desk.wait(f"^{prompt}$")
    desk.type("@a\t")
    desk.wait(r"^@1 anna  @5 a name that")
    desk.type("\x15/na\t3 x\r")
    desk.wait(r"^\[3 x\]\* is now called x$")
    leave(desk)
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    "typed, said",
    [
        ("/lsit", "did you mean /list?"),
        ("/kcik 1", "did you mean /kick"),
        ("/REL", "/REL may mean several commands: /release, /reload"),
        ("/something else", "unknown command /something; /help shows them all"),
        ("/", "unknown command /"),
        ("@", "to whom?"),
        ("@nobody hello", "nobody"),
        ("@99 hello", "no such session: 99"),
    ],
)
def test_an_unknown_command_is_never_sent(daemon, typed, said):
    desk = chatctl(daemon)
    client, _ = connected(desk, daemon)
    desk.wait_line("[1] > ")
    desk.enter(typed)
    desk.wait(re.escape(said))
    # What is typed next comes first.
    desk.enter("and this is text")
    client.expect(b"and this is text\n")
    assert daemon.operator().call("stats")["messages_out"] == 1
    leave(desk)
    client.close()


@pytest.mark.parametrize("how", ["colour", "NO_COLOR", "dumb"])
def test_the_client_in_focus_stands_out(daemon, how):
    env = {"colour": {}, "NO_COLOR": {"NO_COLOR": "1"}, "dumb": {"TERM": "dumb"}}[how]
    desk = chatctl(daemon, env=env)
    first, _ = connected(desk, daemon)
    second, _ = connected(desk, daemon)
    say(desk, first, "from the first")
    say(desk, second, "from the second")
    if how == "colour":
        assert "\x1b[1;35m[1]\x1b[0m \x1b[1mfrom the first\x1b[0m" in desk.raw
        assert "\x1b[94m[2]\x1b[0m from the second" in desk.raw
    else:
        assert re.search(r"^\[1\]\| from the first$", desk.text(), re.MULTILINE)
        assert re.search(r"^\[2\] from the second$", desk.text(), re.MULTILINE)
        assert not re.search(r"\x1b\[[\d;]*m", desk.raw)
    leave(desk)
    first.close()
    second.close()
