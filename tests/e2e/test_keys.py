"""No key does harm: whatever a terminal sends, what is typed after it arrives where it was
meant to, or nothing is sent. The keys are typed at a person's speed, in a pty; the clients
and another operator's events tell what arrived."""

import concurrent.futures
import os
import re
import signal
import subprocess
import termios
import time

import pexpect
import pytest

from harness import CHATCTL, FOR_ONE_ORIGIN, GUARD, Daemon, Home, speaking, wait_until
from harness.desk import CONSOLE_CONFIG, Desk, chatctl, connected, prompt_of, shell_of

ESC = "\x1b"
PAUSE = 0.13
"""Between a key and what a person types after it: longer than Esc waits."""

READING = 1.2
"""After the question whether the daemon is to end: sooner nobody can have read it."""

PASTE_PAUSE = 1.13
"""The same behind a paste that has broken off, whose rest is waited for for longer."""

GAP = 0.03
"""Between two letters of somebody who is fast; a terminal that pastes is faster."""

TERMINALS = [
    {},
    {"TERM": "rxvt", "NO_COLOR": "1"},
    {"TERM": "linux", "LANG": "C"},
    {"TERM": "vt220"},
    {"TERM": "dumb"},
]
TYPISTS = 16
"""One of them at the daemon's own console."""


def with_modifiers(number, finals, modifiers=range(2, 9)):
    """As xterm tells of Shift, Alt, Ctrl and all of them together."""
    return [f"{ESC}[{number};{m}{final}" for m in modifiers for final in finals]


F_NUMBERS = [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34]
"""Of F1 to F20, in the sequences that VT220 began with."""

EDITING = range(1, 9)
"""Home, Insert, Delete, End, Page-Up, Page-Down, and Home and End of rxvt, likewise."""

FUNCTION_KEYS = [
    # the VT220, xterm, and what GNOME's and KDE's terminals once made of them
    *(f"{ESC}O{c}" for c in "PQRS"),
    *(f"{ESC}O{m}{c}" for m in ("2", "5", "1;2") for c in "PQRS"),
    *(f"{ESC}[{number}~" for number in F_NUMBERS),
    *with_modifiers(1, "PQRS"),
    *(key for number in (15, 24) for key in with_modifiers(number, "~")),
    *(key for number in F_NUMBERS[5:11] for key in with_modifiers(number, "~", (2, 5))),
    # rxvt, and there with Alt
    *(f"{ESC}[{number}{end}" for number in (11, 15, 24, 34) for end in "^$@"),
    *(f"{ESC}{ESC}[{number}~" for number in F_NUMBERS[:4]),
    f"{ESC}{ESC}OP",
    # the Linux console, kitty, Sun, SCO
    *(f"{ESC}[[{c}" for c in "ABCDE"),
    *(f"{ESC}[{c}" for c in "PQRS"),
    *(f"{ESC}[{number}z" for number in (192, 208, 214, 222, *range(224, 236), 247)),
    *(f"{ESC}[{c}" for c in "LNTUVWXYabcdefghijklmnopqrstuvwxyz@\\]^_`{"),
]

# But for Up and Down without a modifier, which recall lines.
MOVING_KEYS = [
    *(f"{ESC}[{c}" for c in "CDEFGHZ"),
    *(f"{ESC}O{c}" for c in "CDFHEjklmnopqrstuvwxyMXIabcd"),
    *with_modifiers(1, "ABCDEFH"),
    *(f"{ESC}[{number}~" for number in EDITING),
    *(f"{ESC}[{number}{end}" for number in (2, 3, 5, 7) for end in "^$@"),
    *(key for number in EDITING for key in with_modifiers(number, "~", (2, 5))),
    *(f"{ESC}{ESC}[{c}" for c in "ABCDFH"),
    *(f"{ESC}{ESC}O{c}" for c in "ABCDFH"),
    *(f"{ESC}{ESC}[{number}~" for number in (2, 3, 5)),
]

MICE = [
    f"{ESC}[I",
    f"{ESC}[O",
    # X10: a button, a column, a row, each as one byte
    *(f"{ESC}[M{button}!!" for button in " !\"#`aC"),
    f"{ESC}[M \x7f\x7f",
    *(f"{ESC}[M ".encode() + place for place in (b"\xb75", b"5\xb7", b"\xff\xff", b"\xc3\xa5")),
    # SGR, urxvt, and the locator of DEC
    *(f"{ESC}[<{button};12;7{end}" for button in (0, 1, 2, 35, 64, 65, 20) for end in "Mm"),
    f"{ESC}[<0;1203;407M",
    *(f"{ESC}[{button};12;7M" for button in (32, 34, 35, 96, 97)),
    f"{ESC}[1;4;12;7;0&w",
]

ANSWERS = [
    # what it is: DA1 to DA3, XTVERSION
    *(f"{ESC}[?{kind}c" for kind in ("64;1;2", "1;2", "6", "62;22;52")),
    f"{ESC}[>41;354;0c",
    f"{ESC}P!|7E565445{ESC}\\",
    f"{ESC}P>|XTerm(379){ESC}\\",
    # how it is, where the cursor is, how large the window is, what it is called
    f"{ESC}[0n",
    f"{ESC}[?997;1n",
    f"{ESC}[24;80R",
    f"{ESC}[1;2R",
    f"{ESC}[?24;80;1R",
    *(f"{ESC}[{size}t" for size in ("8;24;80", "4;480;640", "6;16;8", "3;0;0", "1")),
    f"{ESC}[48;24;80;384;640t",
    *(f"{ESC}]{letter}a title{ESC}\\" for letter in "lL"),
    # modes: DECRPM, of kitty's keyboard; settings: DECRQSS; capabilities: XTGETTCAP
    f"{ESC}[?2026;2$y",
    f"{ESC}[4;1$y",
    f"{ESC}[?0u",
    f"{ESC}[?1u",
    f"{ESC}P1$r0m{ESC}\\",
    f"{ESC}P0$r{ESC}\\",
    f"{ESC}P1+r544e=787465726d{ESC}\\",
    f"{ESC}P0+r544e{ESC}\\",
    # colours, the clipboard (more than a read), and what has no better place
    *(f"{ESC}]{n};rgb:ffff/0/1e1e{end}" for n in (10, 11, 12) for end in ("\x07", f"{ESC}\\")),
    f"{ESC}]4;1;rgb:cdcd/0000/0000{ESC}\\",
    f"{ESC}]52;c;aGVsbG8=\x07",
    f"{ESC}]52;c;{'QUFB' * 500}{ESC}\\",
    f"{ESC}]1337;ReportCellSize=16.0;8.0{ESC}\\",
    f"{ESC}_Gi=31;OK{ESC}\\",
    f"{ESC}^private{ESC}\\",
    f"{ESC}Xa string{ESC}\\",
]

# As kitty tells of them (CSI u) and xterm (modifyOtherKeys); those that are Enter, Tab or a jump
# elsewhere are so here as well.
NUMBERED_KEYS = [
    *(f"{ESC}[97;{modifiers}u" for modifiers in ("5", "9", "17", "1:3", "5:3", "33:3")),
    *(f"{ESC}[{key}u" for key in ("99;6", "9;2", "9;5", "27", "27;2", "32;5", "127;5", "127;2")),
    *(f"{ESC}[{key}u" for key in ("", "0", "155", "55296", "1114112", "99999999999", "1;2;3;4")),
    *(f"{ESC}[{key}u" for key in (57344, 57358, 57364, 57376, 57399, "57441;2", "57447;1:3")),
    *(f"{ESC}[1;1:{event}{c}" for event in (1, 2, 3) for c in "ABCDHFPS"),
    *(f"{ESC}[{number};1:3~" for number in (2, 3, 5, 6, 15)),
    *(f"{ESC}[27;{key}~" for key in ("6;99", "5;9", "5;59", "5;97", "5;103", "8;97", "5;48")),
]

JUMPS = "aA123456789"
NEW_LINE = "\r\n"
ALT_KEYS = [
    *(ESC + chr(c) for c in range(0x80) if chr(c) not in JUMPS + NEW_LINE),
    *(ESC + c for c in "äß你🦊"),
]

# But for those that end, stop, send, complete, recall, look for, and begin a line.
NO_CONTROL_KEYS = f"\x03\x04\t\n\r\x10\x12\x1a\x1c{ESC}"
CONTROL_KEYS = [key for key in map(chr, [*range(0x20), 0x7F]) if key not in NO_CONTROL_KEYS]

# They lapse. With Ctrl-G and the like a sequence breaks off by itself.
HALVES = [
    ESC,
    ESC * 2,
    ESC * 3,
    *(f"{ESC}{begin}" for begin in ("[", "O", "P", "]", "X", "^", "_", f"{ESC}[", f"{ESC}O")),
    *(f"{ESC}[{half}" for half in ("1", "1;", "1;5", "<0;12", "?64;1", "200", "201")),
    *(f"{ESC}[{half}" for half in ("[", "M", "M ", "M !")),
    *(f"{ESC}[{half}" for half in ("\x07", "1;\x07", "<0;1\x00", "[\x07", "M\x07")),
    f"{ESC}O5",
    *(f"{ESC}]0;half a title{end}" for end in ("", ESC, "\x18", "\x1a")),
    f"{ESC}P1$r",
    f"{ESC}_Gi=31",
    b"\xc3",
    b"\xe4\xbd",
    b"\xf0\x9f\xa6",
    b"\xff\xfe",
]

# What is typed behind it is what it has left in the line, and then that.
BROKEN_PASTES = {
    f"{ESC}[200~": "",
    f"{ESC}[200~half ": "half ",
    f"{ESC}[200~half {ESC}": "half ",
    f"{ESC}[200~half {ESC}[201": "half ",
    f"{ESC}[200~half\tä{ESC}[Z": f"half\tä{ESC}[Z",
    f"{ESC}[200~two\rlines\r": "two\nlines\n",
    f"{ESC}[200~two\r\n@1 lines\r\n/quit\r\n": "two\n@1 lines\n/quit\n",
}

# As xterm's mode 1005 has X10: a column or a row beyond 95 is a character of two bytes.
FAR_MICE = [f"{ESC}[M {place}" for place in ("\xb65", "5\xb6", "\xb6\xc4", "\u0101\xb6")]

# What a terminal that was told so (S8C1T) sends instead of Esc and a letter, and what of that is
# left in UTF-8.
EIGHT_BITS = [b"\x9bD", b"\x9b15~", b"\x9b1;5P", b"\x8fP", b"\x9b<0;12;7M", b"\x9b?64;1;2c"]
EIGHT_BITS += [b"\x9d11;rgb:0/0/0\x9c", b"\x90>|XTerm(379)\x9c", b"\x9fGi=31;OK\x9c"]
EIGHT_BITS += [key.decode("latin-1") for key in EIGHT_BITS]
EIGHT_BITS += [b"\x9b", b"\x8f", b"\x84", b"\x85", "\x84", "\x85"]

KINDS = {
    "function keys": FUNCTION_KEYS,
    "moving keys": MOVING_KEYS,
    "mice": MICE,
    "mice far away": FAR_MICE,
    "answers": ANSWERS,
    "numbered keys": NUMBERED_KEYS,
    "Alt": ALT_KEYS,
    "Ctrl": CONTROL_KEYS,
    "halves": HALVES,
    "8 bits": EIGHT_BITS,
    "broken pastes": list(BROKEN_PASTES),
}

# Of each kind one, for every typist.
SOME_KEYS = [
    *(ESC + key for key in ("[15~", "[1;5C", "b", "", "[", "[99;6u")),
    *(ESC + key for key in ("[M !!", "[<0;12;7M", "]11;rgb:0/0/0\x07")),
]


@pytest.fixture
def table():
    """chatctl with a focus, two clients, and an operator who hears all."""
    with Daemon(CONSOLE_CONFIG) as daemon:
        operator = daemon.operator(name="witness")
        desk = chatctl(daemon)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        focus(desk, 1)
        yield desk, daemon, operator, first, second
        desk.text()
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


def focus(desk, session):
    desk.enter(f"/focus {session}")
    wait_until(lambda: desk.current().startswith(f"[{session}]"), "the focus")


class Typist:
    """A person at a console, with a client in focus and another one beside it."""

    def __init__(self, desk, daemon, operator):
        self.desk = desk
        desk.child.delaybeforesend = None  # pexpect's own pause; those that matter are here
        self.name = re.search(r"^\* operator (\S+);", desk.text(), re.MULTILINE)[1]
        self.client, self.focus = speaking(daemon, operator)
        self.other_client, self.other = speaking(daemon, operator)
        focus(desk, self.focus)
        desk.enter("/only")  # so that nobody's screen has what everybody types
        wait_until(lambda: "shown alone" in desk.raw, "the others are hidden")

    def mark(self, text):
        """Says it to both clients, whatever stands in the line."""
        self.desk.type("\x11\x05\x15")
        self.desk.enter(text)
        self.desk.enter(f"@{self.other} {text}")
        return [("sent", self.focus, text), ("sent", self.other, text)]

    def press(self, key):
        # All of it at once, as a terminal does it.
        key_bytes = key if isinstance(key, bytes) else key.encode()
        assert os.write(self.desk.child.child_fd, key_bytes) == len(key_bytes)
        self.desk.wait_taken()
        time.sleep(PASTE_PAUSE if key in BROKEN_PASTES else PAUSE)

    def type_line(self, line, slowly):
        """The first letter alone, for that is what a key might swallow or change."""
        for letter in line[: 3 if slowly else 1]:
            self.desk.type(letter)
            self.desk.wait_taken()
            if slowly:
                time.sleep(GAP)
        if slowly:
            time.sleep(PAUSE)
        self.desk.enter(line[3 if slowly else 1 :])
        self.desk.wait_taken()

    def type_after_each(self, keys):
        """Each key, a pause, and a text; the same with a command and with an `@` line. Returns
        what that has to do."""
        meant = []
        for key in keys:
            named = f"after {ascii(key)[:60]}"
            acts = [
                ("sent", self.focus, f"a text {named}", ""),
                ("noted", self.other, f"a note {named}", f"/note {self.other} "),
                ("sent", self.other, f"a hint {named}", f"@{self.other} "),
            ]
            for method, session, text, begin in acts:
                self.press(key)
                self.type_line(begin + text, key in BROKEN_PASTES)
                # Behind a text in the line a `/` and an `@` are letters.
                left = BROKEN_PASTES.get(key)
                whole = ("sent", self.focus, f"{left}{begin}{text}")
                meant.append(whole if left else (method, session, text))
        return meant

    def close(self):
        self.client.close()
        self.other_client.close()


class Typists:
    """Some people who type at once, each in another terminal, and who sees what comes of it."""

    def __init__(self, daemon, own_desk):
        self.daemon = daemon
        self.operator = daemon.operator(name="witness")
        self.bystander, _ = speaking(daemon, self.operator)
        desks = [own_desk]
        for i in range(1, TYPISTS):
            env = TERMINALS[i % len(TERMINALS)]
            desks.append(chatctl(daemon, "--name", f"hand-{i}", env=env))
        self.all = [Typist(desk, daemon, self.operator) for desk in desks]
        self.sessions = self.known()

    def known(self):
        keys = ("session", "name", "claimed_by", "held", "state")
        return [[each.get(key) for key in keys] for each in self.operator.call("sessions")]

    def type_after_each(self, what, keys_of):
        """`keys_of(i)` are the keys of a typist. All that they meant is done, and nothing else."""
        begin, end = f"now {what}", f"that was all of {what}"
        with self.operator.changed:
            self.operator.unread.clear()
        for each in self.all:
            each.mark(begin)
        with concurrent.futures.ThreadPoolExecutor(TYPISTS) as people:
            meant = list(
                people.map(lambda i: self.all[i].type_after_each(keys_of(i)), range(TYPISTS))
            )
        meant = [acts + each.mark(end) for each, acts in zip(self.all, meant, strict=True)]
        done = self.done_between(begin, end)
        for each, acts in zip(self.all, meant, strict=True):
            assert done[each.name] == acts, (each.name, each.desk.raw[-2000:])
            for client, session in (each.client, each.focus), (each.other_client, each.other):
                sent = [text for method, to, text in acts if (method, to) == ("sent", session)]
                assert arrived(client, begin, end) == "".join(f"{text}\n" for text in sent)
                client.expect_silence(0)
        assert set(done) == {each.name for each in self.all}
        self.bystander.expect_silence(0.1)
        assert self.known() == self.sessions

    def done_between(self, begin, end):
        """By the name of who has done it. What a test that failed has left is passed over."""
        done = {}
        going_on = {each.name: ("sent", each.other, end) for each in self.all}
        begins = [("sent", each.other, begin) for each in self.all]
        while going_on:
            event = self.operator.next_event()
            if event["method"] == "writing":
                continue
            who = event.get("operator") or event["method"]
            act = (event["method"], event.get("session"), event.get("text"))
            if act in begins:
                done[who] = []
            elif who in done or who not in going_on:
                done.setdefault(who, []).append(act)
            if act == going_on.get(who):
                del going_on[who]
        return done

    def close(self):
        for each in self.all[1:]:
            each.desk.type("\x11\x05\x15\x04")
            assert each.desk.wait_end() == 0
        for each in self.all:
            each.close()
        self.bystander.close()
        self.daemon.send_signal(signal.SIGTERM)
        assert self.all[0].desk.wait_end() == 0


def arrived(client, begin, end):
    """What a client has got between two marks, with the second one."""
    while client.take_line() != f"{begin}\n".encode():
        pass
    text = ""
    while not text.endswith(f"{end}\n"):
        text += client.take_line().decode()
    return text


@pytest.fixture(scope="module")
def typists():
    config = CONSOLE_CONFIG | {"limits": CONSOLE_CONFIG["limits"] | FOR_ONE_ORIGIN}
    env = {"TERM": "xterm", "LANG": "C.UTF-8"}
    with Daemon(config, console=None, terminal=True, env=env) as daemon:
        own_desk = Desk(daemon.terminal)
        own_desk.wait(r"^\* operator .*/help")
        typists = Typists(daemon, own_desk)
        yield typists
        typists.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_typed_after_a_key_arrives_where_it_was_meant_to(typists, kind):
    typists.type_after_each(kind, lambda i: KINDS[kind][i::TYPISTS])


def test_keys_mean_the_same_in_every_terminal(typists):
    typists.type_after_each("every terminal", lambda i: SOME_KEYS)


def test_esc_then_a_word_that_begins_like_a_key_of_ours(table):
    desk, _, _, first, second = table
    desk.type(ESC)
    time.sleep(3 * PAUSE)
    desk.enter("all right, the code is 4711")
    first.expect(b"all right, the code is 4711\n")
    desk.type(ESC)
    time.sleep(3 * PAUSE)
    desk.enter("@2 hello")
    second.expect(b"hello\n")


def test_alt_enter_and_ctrl_j_are_new_lines(table):
    desk, _, _, first, _ = table
    desk.type(f"one{ESC}\rtwo\nthree{ESC}[13;2ufour")
    desk.enter()
    first.expect(b"one\ntwo\nthree\nfour\n")
    desk.enter("still emacs\x01> ")
    first.expect(b"> still emacs\n")


def test_ctrl_c_clears_the_line_which_can_be_recalled(table):
    desk, _, _, first, _ = table
    desk.type("half a thought")
    wait_until(lambda: desk.current().endswith("half a thought"), "it is typed")
    desk.type("\x03")
    wait_until(lambda: desk.current().startswith("[1]") and desk.current().endswith("> "), "clear")
    desk.enter(f"{ESC}[A, and the rest")
    first.expect(b"half a thought, and the rest\n")
    # What was typed before an earlier line was recalled and sent is not lost either.
    desk.enter(f"a second thought{ESC}[A!")
    first.expect(b"half a thought, and the rest!\n")
    desk.enter(f"{ESC}[A{ESC}[A?")
    first.expect(b"a second thought?\n")
    # A search that is broken off gives the line back.
    desk.type("a third\x12half")
    desk.wait(r"reverse-i-search\)`half'")
    desk.type("\x03")
    wait_until(lambda: desk.current().endswith("> a third"), "the line is back")
    desk.enter()
    first.expect(b"a third\n")


def test_a_paste_that_breaks_off_is_never_run_line_by_line(table):
    desk, _, operator, first, _ = table
    desk.type(f"{ESC}[200~first\r/kick 2\r@2 third\r")
    wait_until(lambda: "@2 third" in desk.text(last=8), "it lapses")
    desk.type("late\r/quit\r")
    wait_until(lambda: "/quit" in desk.text(last=8), "the rest")
    time.sleep(PAUSE)  # a person is not as fast as a terminal
    desk.type("!")
    time.sleep(PAUSE)
    desk.enter()
    first.expect(b"first\n/kick 2\n@2 third\nlate\n/quit\n!\n")
    assert [each["session"] for each in operator.call("sessions")] == [1, 2]


@pytest.mark.parametrize("marks", [(f"{ESC}[200~", f"{ESC}[201~"), ("", "")])
def test_a_search_takes_the_beginning_of_what_is_pasted(table, marks):
    desk, _, _, first, _ = table
    begin, end = marks
    desk.type(f"\x12{begin}{'x' * 900}{end}")
    wait_until(lambda: "xxx" in desk.text(last=24), "it is looked for")
    desk.type("\x03")
    wait_until(lambda: prompt_of(desk), "the line is empty")
    assert "x" * 900 not in desk.text().replace("\n", "")
    desk.enter("not found")
    first.expect(b"not found\n")


@pytest.mark.parametrize("mode", ["vi", "emacs"])
def test_an_inputrc_cannot_take_our_keys_or_lose_a_line(mode, tmp_path):
    inputrc = tmp_path / "inputrc"
    # In vi mode readline itself loses what it keeps of two keys, and a sanitizer says so.
    editor, keys = {"emacs": (r"\C-x\C-e", "\x18\x05"), "vi": (r"\C-o", "\x0f")}[mode]
    inputrc.write_text(
        f"set editing-mode {mode}\n"
        "set enable-bracketed-paste off\n"
        '"\\C-a": accept-line\n'
        '"\\e[15~": "/quit\\n"\n'
        f'"{editor}": edit-and-execute-command\n'
        '"\\C-t": insert-comment\n'
        '"\\C-g": revert-line\n'
        '"\\t": accept-line\n'
        '"\\C-m": revert-line\n'
    )
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, env={"INPUTRC": str(inputrc), "EDITOR": "/bin/false"})
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        desk.type(f"{ESC}1")
        wait_until(lambda: desk.current().startswith("[1]"), "Alt-1")
        desk.type(f"{ESC}[15~{keys}a line\x14\x07")
        desk.enter()
        first.expect(b"a line\n")
        desk.type(f"{ESC}2")
        wait_until(lambda: desk.current().startswith("[2]"), "Alt-2")
        desk.type(f"one{ESC}\rtwo{ESC}[200~\rthree{ESC}[201~")
        desk.enter()
        second.expect(b"one\ntwo\nthree\n")
        if mode == "vi":
            desk.type("ax cut")
            desk.type(ESC)
            time.sleep(PAUSE)
            desk.type("v#0x")  # neither an editor nor a comment; and in the command mode
            wait_until(lambda: desk.current().endswith("> x cut"), "Esc is the command mode")
            desk.type(f"{ESC}1")
            wait_until(lambda: desk.current().startswith("[1]"), "Alt-1 in the command mode")
            desk.type(f"{ESC}2")
            wait_until(lambda: desk.current().startswith("[2]"), "Alt-2 in the command mode")
            desk.type("\x03")
            wait_until(lambda: desk.current().endswith("> "), "Ctrl-C in the command mode")
        first.send(b"unread\n")
        desk.wait(r"^\[1\] unread$")
        desk.type(f"{ESC}a")
        wait_until(lambda: desk.current().startswith("[1]"), "Alt-a")
        desk.type("/sta\t")
        wait_until(lambda: desk.current().endswith("/stats "), "Tab")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


# --- the daemon's own console ---


@pytest.fixture
def own():
    env = {"TERM": "xterm", "LANG": "C.UTF-8"}
    with Daemon(CONSOLE_CONFIG, console=None, terminal=True, env=env) as daemon:
        desk = Desk(daemon.terminal)
        desk.wait(r"^\* operator .*/help")
        yield desk, daemon
        desk.text()


@pytest.mark.parametrize("key", ["\x03", "\x04", "/quit\r"], ids=["Ctrl-C", "Ctrl-D", "/quit"])
def test_the_daemon_ends_only_if_that_is_wished_twice(own, key):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type("half a line")
    wait_until(lambda: desk.current().endswith("half a line"), "it is typed")
    desk.type("\x03")
    desk.wait_line("[1] > ")
    desk.type(key)
    desk.wait(r"^\* 1 client is connected, and this stops the daemon")
    if not key.startswith("/"):
        desk.type("x\x7f" + key)  # any other key withdraws it
        wait_until(lambda: desk.text().count("this stops the daemon") == 2, "it asks again")
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    time.sleep(READING)
    desk.type(key)
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


@pytest.mark.parametrize("keys", ["\x03\x03\x03", "\x04\x04\x04", "/quit\r/quit\r"])
def test_the_daemon_does_not_end_before_the_question_could_be_read(own, keys):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type(keys)
    desk.wait(r"^\* 1 client is connected, and this stops the daemon")
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    time.sleep(READING)
    desk.type("/quit\r" if keys.startswith("/") else "\x03")
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


# How long keyboards wait before they repeat a key: at once, as many do, as X does by itself.
@pytest.mark.parametrize("key, wait", [("\x03", 0.03), ("\x04", 0.25), ("\x03", 0.66)])
def test_a_key_that_is_held_does_not_end_the_daemon(own, key, wait):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    if key == "\x03":
        desk.type("half a line")
        wait_until(lambda: desk.current().endswith("half a line"), "it is typed")
    desk.child.delaybeforesend = None  # pexpect's own pause
    for pause in [wait] + [0.03] * 66:
        desk.type(key)
        time.sleep(pause)
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    assert desk.text().count("this stops the daemon") == 1
    # Whoever lets it go and wishes the same again means it.
    time.sleep(READING)
    desk.type(key)
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


def test_without_clients_the_daemon_ends_at_once(own):
    desk, _ = own
    desk.type("\x03")
    assert desk.wait_end() == 0


def test_keys_and_signals_that_stop_programs_do_not_stop_the_daemon(own):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    desk.type("\x1a")
    desk.wait(r"Ctrl-Z would stop every client")
    desk.type("\x1c")
    desk.wait(r"Ctrl-\\ ends nothing here")
    for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        os.kill(daemon.pid, number)
    client.send(b"still served\n")
    desk.wait(r"^\[1\] still served$")
    os.kill(daemon.pid, signal.SIGQUIT)
    assert desk.wait_end() == 0
    client.expect_end()
    client.close()


def test_a_terminal_that_hangs_up_ends_no_service(own):
    desk, daemon = own
    client, _ = connected(desk, daemon)
    operator = daemon.operator(name="witness")
    desk.reading.clear()
    client.send(b"something\n")
    wait_until(desk.parked.is_set, "nobody reads the terminal any more")
    nowhere = os.open("/dev/null", os.O_RDWR)
    os.dup2(nowhere, desk.child.child_fd)  # which closes the terminal
    os.close(nowhere)
    operator.wait_event("operator", state="detached")
    client.send(b"still served\n")
    operator.wait_event("message", text="still served")
    daemon.send_signal(signal.SIGTERM)
    client.expect_end()
    client.close()


# --- a daemon that goes away ---


def test_chatctl_waits_for_its_daemon_with_the_line_in_hand():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon)
        client, _ = connected(desk, first_daemon)
        desk.type("half a li")
        wait_until(lambda: desk.current().endswith("half a li"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        desk.type("ne")
        desk.enter()
        desk.wait(r"not sent: the daemon is not there")
        wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
        client.close()
        with Daemon(home=home) as daemon:
            desk.wait(r"^\* attached again$")
            wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
            assert desk.text().count("waiting for it") == 1
            again = daemon.client()
            again.send(b"hello again\n")
            desk.wait(r"^\[\d+\]\|? hello again$")
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
            again.close()
    finally:
        home.remove()


def test_chatctl_stays_where_it_is_refused_when_it_comes_back():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon)
        desk.type("half a line")
        wait_until(lambda: desk.current().endswith("half a line"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        os.kill(desk.child.pid, signal.SIGSTOP)  # so that somebody else comes first
        with Daemon(CONSOLE_CONFIG | {"control": {"max_operators": 1}}, home=home) as daemon:
            other = daemon.operator(name="other")
            os.kill(desk.child.pid, signal.SIGCONT)
            desk.wait(r"^\* not attached again: ")
            wait_until(lambda: desk.current().endswith("> half a line"), "the line is there")
            other.close()
            desk.wait(r"^\* attached again$")
            assert desk.text().count("not attached again") == 1
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
    finally:
        home.remove()


def test_a_line_for_all_that_was_begun_before_the_daemon_came_back_waits():
    home = Home()
    try:
        first_daemon = Daemon(CONSOLE_CONFIG, home=home)
        desk = chatctl(first_daemon, columns=200)
        client, _ = connected(desk, first_daemon)
        desk.type("/all a secret")
        wait_until(lambda: desk.current().endswith("a secret"), "it is typed")
        first_daemon.kill()
        desk.wait(r"^\* the daemon has gone; waiting for it")
        client.close()
        with Daemon(home=home) as daemon:
            desk.wait(r"^\* attached again$")
            other = daemon.client()
            other.send(b"somebody else\n")
            desk.wait(r"^\[\d+\]\|? somebody else$")
            desk.enter()
            desk.wait("not done yet: this line was begun before the daemon was attached again")
            wait_until(lambda: desk.current().endswith("> /all a secret"), "the line is kept")
            other.expect_silence(0.1)
            desk.enter()
            other.expect(b"a secret\n")
            desk.type("\x03\x03")
            assert desk.wait_end() == 0
            other.close()
    finally:
        home.remove()


# --- the terminal ---


def test_a_shell_gets_its_terminal_back_from_ctrl_z_and_ctrl_backslash():
    with Daemon(CONSOLE_CONFIG) as daemon:
        shell = shell_of(daemon)
        attributes = lambda: subprocess.run(  # noqa: E731
            ["stty", "-g"], stdin=shell.child_fd, capture_output=True, check=True
        ).stdout
        before = attributes()
        shell.sendline(f"ulimit -c 0; {CHATCTL} --socket {daemon.control_path}")
        shell.expect("/help")
        shell.send("half a l")
        shell.expect("half a l")
        shell.send("\x1a")
        shell.expect("Stopped.*shell> ")
        assert attributes() == before
        shell.sendline("fg")
        shell.expect("half a l")
        shell.send("ine")
        shell.expect("ine")
        shell.send("\x1c")
        shell.expect("Quit.*shell> ")
        assert attributes() == before
        shell.sendline("echo $?.")
        shell.expect(r"131\.")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        shell.close()


def test_a_console_that_went_on_in_the_background_edits_lines_when_it_comes_back():
    with Daemon(CONSOLE_CONFIG) as daemon:
        shell = shell_of(daemon)

        def edits():
            return not termios.tcgetattr(shell.child_fd)[3] & (termios.ICANON | termios.ECHO)

        shell.sendline(f"{CHATCTL} --socket {daemon.control_path}")
        shell.expect("/help")
        wait_until(edits, "it edits lines")
        # Not by a key, so that it could not give the terminal back before.
        os.kill(os.tcgetpgrp(shell.child_fd), signal.SIGSTOP)
        shell.expect("Stopped.*shell> ")
        wait_until(lambda: not edits(), "the shell has its terminal")
        shell.sendline("bg")
        shell.expect("&.*shell> ")
        shell.sendline("fg")
        wait_until(edits, "it edits lines again")
        shell.send("\x04")
        shell.expect("shell> ")
        wait_until(lambda: not edits(), "the terminal is given back")
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        shell.close()


PROMPT = "[1] > "


def line_of(desk):
    """The prompt and what is typed behind it, in all the rows that they take. (Behind a row that
    is full the next one has a blank, which is how a line editor gets there.)"""
    with desk.changed:
        columns = desk.screen.columns
        rows = ["".join(row) for row in desk.screen.lines[: desk.screen.row + 1]]
    begin = max((i for i, row in enumerate(rows) if row.startswith(PROMPT)), default=0)
    return ("".join(row.ljust(columns) for row in rows[begin:-1]) + rows[-1]).rstrip()


@pytest.mark.parametrize("length", [4, 50, 360])
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_a_line_survives_a_window_that_changes_its_size(columns, length):
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, columns=columns)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        desk.enter("@2 and so are you")  # so that the prompt is the same at every width
        second.expect(b"and so are you\n")
        desk.wait_line(PROMPT)
        line = ("a line of some words " * 20)[:length]
        desk.type(line)
        is_whole = lambda: line_of(desk) == (PROMPT + line).rstrip()  # noqa: E731
        wait_until(is_whole, "it is typed")
        before, last = columns, "[2]< and so are you"
        for now in [each for each in (20, 200, 40, 80) if each != columns] + [columns]:
            desk.resize(now)
            fitted = len(PROMPT + line) < before
            desk.type("!")
            line += "!"
            wait_until(is_whole, f"all of it at {now}")
            if fitted:  # else it is begun anew below, for where it stands now nobody knows
                assert prompts_below(desk, last) == 1
            # What comes meanwhile stands above it, once.
            first.send(b"said at %d\n" % now)
            before, last = now, f"[1] said at {now}"
            wait_until(lambda: last in desk.text().splitlines(), f"it is shown at {now}")
            wait_until(is_whole, f"all of it again at {now}")
            assert prompts_below(desk, last) == 1
        rows = desk.text().splitlines()
        assert all(rows.count(f"[1] said at {each}") == 1 for each in (20, 40, 80, 200))
        desk.enter()
        first.expect(line.encode() + b"\n")
        desk.wait_line(PROMPT)
        second.expect_silence(0.1)
        desk.type("\x04")
        assert desk.wait_end() == 0
        first.close()
        second.close()


def prompts_below(desk, row):
    """How often the prompt begins a row below the last one that is that."""
    rows = desk.text().splitlines()
    below = rows[::-1].index(row)
    return sum(each.startswith(PROMPT.strip()) for each in rows[len(rows) - below :])


def test_a_dumb_terminal_gets_no_escape_sequence():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon, env={"TERM": "dumb"})
        desk.enter("/bans")
        desk.wait(r"no address is banned")
        desk.type("\x03")
        assert desk.wait_end() == 0
        assert ESC not in desk.raw


def test_what_was_put_away_for_a_client_is_kept_between_runs():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon)
        first, _ = connected(desk, daemon)
        second, _ = connected(desk, daemon)
        desk.type(f"a draft for one{ESC}2")
        desk.wait_line("[2] > ")
        os.kill(desk.child.pid, signal.SIGTERM)
        desk.wait_end()
        desk = chatctl(daemon)
        focus(desk, 1)
        desk.type(f"{ESC}[A{ESC}[A")
        wait_until(lambda: desk.current().endswith("a draft for one"), "it is recalled")
        desk.enter()
        first.expect(b"a draft for one\n")
        desk.type("\x03")
        assert desk.wait_end() == 0
        first.close()
        second.close()


def test_lines_are_kept_between_runs():
    with Daemon(CONSOLE_CONFIG) as daemon:
        desk = chatctl(daemon)
        client, _ = connected(desk, daemon)
        desk.enter("two\nlines \\n")
        client.expect(b"two\nlines \\n\n")
        desk.type("never sent")
        wait_until(lambda: desk.current().endswith("never sent"), "it is typed")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        kept = daemon.home.path / "chatd" / "lines"
        assert kept.stat().st_mode & 0o777 == 0o600
        desk = chatctl(daemon)
        focus(desk, 1)
        desk.enter(f"{ESC}[A{ESC}[A, now")
        client.expect(b"never sent, now\n")
        desk.enter("\x12two")
        client.expect(b"two\nlines \\n\n")
        desk.type("\x03\x03")
        assert desk.wait_end() == 0
        client.close()

