"""All that may happen in a world. Each act draws from the dice of its step alone, does one thing
and waits for nothing; it returns what is to be said of it if the world turns out to be at fault."""

import signal

from clients import KINDS, Client
from web_clients import PageClient, WebSocketClient
from operators import HAND_OVER, NO_SESSION, CLAIMED, UNKNOWN, Operator

BY_WEB = {"websocket": WebSocketClient, "page": PageClient}
MOST_CLIENTS = 40
MOST_OPERATORS = 6


class Acts:
    """A part of World, which has `clients`, `operators`, `ledger`, `settings`, `daemon`,
    `addresses`, `by_address`, `context`, `counts`, `answers` and `refused`."""

    def act(self, dice):
        """Does one thing, and says what it was."""
        weights = {
            self.come: 30, self.say: 40, self.flood: 5, self.half_close: 3, self.say_bye: 3,
            self.reset: 3, self.leave: 2, self.change_reading: 6, self.wish_name: 5,
            self.operator_comes: 4, self.operator_leaves: 2, self.operator_turns_deaf: 1,
            self.send: 40, self.send_much: 4, self.claim: 6, self.release: 3, self.bye: 2,
            self.kick: 3, self.give_name: 3, self.ban: 2, self.unban: 2, self.ask_past: 5,
            self.ask: 5, self.garbage: 3, self.away: 2, self.reload: 3, self.hand_over: 3,
            self.note: 4, self.give: 3, self.tell_operators: 2, self.write: 3,
            self.page_goes: 4, self.page_comes_back: 6,
        }  # fmt: skip
        (act,) = dice.choices(list(weights), list(weights.values()))
        return f"{act.__name__} {act(dice) or ''}"

    # Clients.

    def come(self, dice):
        live = [client for client in self.clients if client.live]
        if len(live) >= MOST_CLIENTS:
            dice.choice(live).close_sending()
        kind = dice.choices(list(KINDS), (6, 3, 3, 3, 2, 1, 1, 4, 5))[0]
        listener = dice.choice(KINDS[kind])
        context = self.context if listener == "tls" and dice.random() < 0.7 else None
        how = {"on_moved": self._knows_address} if kind == "page" else {}
        make = BY_WEB.get(kind, Client)
        number, address = len(self.clients) + 1, self.addresses[listener]
        client = make(number, kind, listener, address, dice, context=context, **how)
        self.clients.append(client)
        self.counts["clients"] += 1
        self._knows_address(client)
        # An original client that is silent for a second would be taken for a person.
        if dice.random() < 0.7 or kind == "original":
            client.say(dice)
        if kind == "asker":
            if dice.random() < 0.3:
                client.say(dice)
            if dice.random() < 0.7:
                client.close_sending()
        return client

    def _knows_address(self, client):
        if client.ended is None and client.address is not None:
            self.by_address[client.address] = client

    def page_goes(self, dice):
        """Its connection is lost, one way or another."""
        pages = [each for each in self.clients if each.kind == "page" and each.live]
        if pages:
            page, how = dice.choice(pages), dice.choice(("close", "reset", "frame"))
            page.go_away(how)
            return f"{page} {how}"
        return None

    def page_comes_back(self, dice):
        pages = [each for each in self.clients if each.kind == "page" and each.away]
        if pages:
            page = dice.choice(pages)
            page.come_back(dice, self.addresses[page.listener])
            return page
        return None

    def _client(self, dice):
        """One that is there; None if there is none."""
        live = [client for client in self.clients if client.live]
        return dice.choice(live) if live else None

    def _with_client(self, dice, do):
        client = self._client(dice)
        if client is not None:
            do(client)
        return client

    def say(self, dice):
        return self._with_client(dice, lambda client: client.say(dice))

    def flood(self, dice):
        """Past its rate, and sometimes past the longest message."""
        client = self._client(dice)
        if client is None or client.kind in ("original", "raw"):
            return None
        if dice.random() < 0.2:
            client.say(dice, dice.choice((8000, 8192, 20_000)))
        for _ in range(dice.choice((20, 100, 300))):
            client.say(dice, 3)
        client.flush()
        if dice.random() < 0.3:
            dice.choice((client.reset, client.close_sending, client.close))()
        return client

    def half_close(self, dice):
        return self._with_client(dice, Client.close_sending)

    def say_bye(self, dice):
        return self._with_client(dice, Client.say_bye)

    def reset(self, dice):
        return self._with_client(dice, Client.reset)

    def leave(self, dice):
        return self._with_client(dice, Client.close)

    def change_reading(self, dice):
        client = self._client(dice)
        if client is not None:
            client.reads = dice.choice((0, 0, 16, 512, 65536))
        return f"{client} {client and client.reads}"

    def wish_name(self, dice):
        name = dice.choice(("Ada", "Grace", "x" * 40, "a*b", "", "12"))
        return self._with_client(dice, lambda client: client.wish_name(name))

    # Operators.

    def operator_comes(self, dice):
        if len(self.operators) < MOST_OPERATORS:
            self._new_operator(dice)

    def _new_operator(self, dice):
        self.counts["operators"] += 1
        number = self.counts["operators"]
        name = dice.choice(("ann", "bob", "cat", f"op{number}"))
        listens = (lambda method, event: None) if dice.random() < 0.6 else None
        quiet = dice.random() < 0.2
        operator = Operator(number, self.settings.home.control_path, name, listens, quiet=quiet)
        operator.excused = self.is_handing_over()
        self.operators.append(operator)
        return operator

    def _operator(self, dice):
        there = [each for each in self.operators if not each.ended and each.reads]
        return dice.choice(there) if there else self._new_operator(dice)

    def operator_leaves(self, dice):
        operator = self._operator(dice)
        operator.leave()
        return operator

    def operator_turns_deaf(self, dice):
        operator = self._operator(dice)
        operator.reads = False
        operator.excused = True
        for _ in range(dice.randint(1, 40)):
            operator.ask("history", {"limit": 1000})
        return operator

    def _session(self, dice):
        """A session that there is, or sometimes one that has gone, or never was."""
        if dice.random() < 0.04:
            return dice.randint(1, 10_000)
        there = [session.id for session in self.ledger.open()]
        sessions = list(self.ledger.sessions) if dice.random() < 0.1 else there
        return dice.choice(sessions) if sessions else 1

    def send(self, dice, size=None):
        operator = self._operator(dice)
        size = size if size is not None else dice.choice((1, 3, 10, 60, 900, 1100, 3000))
        text = operator.text(dice, size)
        self.counts["texts"] += 1
        how = dice.random()
        if how < 0.3:
            to = "all"
            self.ledger.to_all.add(text)
        elif how < 0.45:
            to = [self._session(dice) for _ in range(dice.randint(1, 5))]
        else:
            to = self._session(dice)

        def answered(result, error):
            if error is None:
                self.answers += [(text, result[state], state) for state in ("delivered", "held")]
            elif error["code"] in (HAND_OVER, NO_SESSION, CLAIMED):
                self.refused.append(text)

        operator.ask("send", {"to": to, "text": text}, answered)
        return f"{operator} to {to}: {text[:12]}"

    def send_much(self, dice):
        for _ in range(dice.randint(1, 4)):
            self.send(dice, dice.choice((20_000, 60_000, 200_000)))

    def claim(self, dice):
        operator = self._operator(dice)
        params = {"session": self._session(dice)}
        for word in ("force", "stay"):
            if dice.random() < 0.3:
                params[word] = True
        operator.ask("claim", params)
        return f"{operator} {params}"

    def release(self, dice):
        operator = self._operator(dice)
        claimed = [session.id for session in self.ledger.open() if session.holder]
        session = dice.choice(claimed) if claimed else self._session(dice)
        operator.ask("release", {"session": session})
        return f"{operator} {session}"

    def give(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        to = dice.choice(("ann", "bob", "cat", "nobody"))
        operator.ask("give", {"session": session, "to": to})
        return f"{operator} {session} to {to}"

    def note(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        text = dice.choice(("x", "é" * 300, "a\nb", " ", "y" * 1024, "z" * 1025))
        operator.ask("note", {"session": session, "text": text})
        operator.ask("notes", {"session": session})
        return f"{operator} {session} {text[:3]}"

    def tell_operators(self, dice):
        operator = self._operator(dice)
        operator.ask("ops", {"text": dice.choice(("who?", "x" * 8192, "\n"))})
        return operator

    def write(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        operator.ask("writing", {"session": session})
        return f"{operator} {session}"

    def bye(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        operator.ask("bye", {"session": session})
        return f"{operator} {session}"

    def kick(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        operator.ask("kick", {"session": session, "reason": dice.choice(("", "noise"))})
        return f"{operator} {session}"

    def give_name(self, dice):
        operator, session = self._operator(dice), self._session(dice)
        name = dice.choice(("Zoe", "Ada", "", "x" * 64, "é" * 40, "a\nb"))
        operator.ask("name", {"session": session, "name": name})
        return f"{operator} {session} {name}"

    def ban(self, dice):
        networks = ("127.0.0.4", "127.0.0.5/32", "2001:db8::/32", "192.0.2.0/24", "no")
        params = {"address": dice.choice(networks)}
        if dice.random() < 0.5:
            params["seconds"] = dice.choice((1, 60))
        self._operator(dice).ask("ban", params)
        return params

    def unban(self, dice):
        address = dice.choice(("127.0.0.4", "127.0.0.5", "2001:db8::/32", "192.0.2.7"))
        self._operator(dice).ask("unban", {"address": address})
        return address

    def ask_past(self, dice):
        operator = self._operator(dice)
        params = {"limit": dice.choice((1, 10, 1000))}
        if dice.random() < 0.5:
            params["before"] = dice.randint(1, self.ledger.seq + 1)
        if dice.random() < 0.5:
            params["session"] = self._session(dice)
        if dice.random() < 0.5:
            params["text"] = dice.choice(("xxx", "c1*", "z*", "zxz o1", "é", "nothing", "*"))
            operator.ask("search", params)
        else:
            operator.ask("history", params, lambda page, error: self.check_page(params, page))
        return f"{operator} {params}"

    def ask(self, dice):
        operator = self._operator(dice)
        method = dice.choice(("stats", "sessions", "bans", "operators", "desk", UNKNOWN))
        operator.ask(method)
        return f"{operator} {method}"

    def garbage(self, dice):
        operator = self._operator(dice)
        kind = dice.randrange(7)
        if kind == 0:
            operator.say_garbage(b"hello\n")
        elif kind == 1:
            operator.say_garbage(b"[1,2]\n")
        elif kind == 2:
            operator.say_garbage(b"[" * dice.choice((20, 100_000)) + b"\n")
        elif kind == 3:
            operator.say_garbage(bytes(dice.randrange(128, 256) for _ in range(50)) + b"\n")
        elif kind == 4:
            operator.ask("send", {"to": dice.choice((0, -1, "one", [], {})), "text": "?"})
        elif kind == 5:
            operator.ask("name", {"session": self._session(dice), "nmae": "?"})
        else:
            operator.say_too_much()
        return f"{operator} {kind}"

    def away(self, dice):
        operator = self._operator(dice)
        if dice.random() < 0.5:
            operator.count += 1
            operator.ask("away", {"text": f"[a{operator.number}.{operator.count}:lunch]"})
        else:
            operator.ask("back")
        return operator

    # The administrator.

    def reload(self, dice):
        self.counts["reloads"] += 1
        if dice.random() < 0.3:
            self.settings.put_fault(dice)
        else:
            self.settings.put(self.settings.draw(dice, extra=dice.random() < 0.6))
        if dice.random() < 0.5:
            self.daemon.send_signal(signal.SIGHUP)
        else:
            self._operator(dice).ask("reload")

    def hand_over(self, dice):
        if self.is_handing_over():
            return "(one is under way)"
        if dice.random() < 0.8:
            self.settings.put_back()
        self.counts["hand-overs"] += 1
        for operator in self.operators:
            operator.excused = True
        self.begin_hand_over()
        return None
