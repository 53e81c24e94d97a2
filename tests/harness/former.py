"""What a former version of chatd has left to the next process, kept for tests: its document, and what
the descriptors at its places were. leave() lets a program leave it; take_over() makes descriptors of
the same kinds anew and lets this chatd find them as a service manager would pass them.

As a program, `former.py CHATD FILE` writes the FILE for a test, with that chatd."""

import array
import base64
import json
import os
import select
import socket
import sys
from pathlib import Path

from harness.clients import Client
from harness.daemons import speaking
from harness.managers import Manager
from harness.waiting import wait_until

TALK = {
    # name: (its first words, and what it has begun to say)
    "line": (b"hello\n", b"the beginning, "),
    "telnet": (b"\xff\xfb\x01hi\r\n", b"and "),
    "original": (b"This is from Client", b""),
    "asker": (b"deploy?\n", b""),
}


def role_of(fd, clients):
    """What a descriptor of the former process is: a client's name, or another word."""
    name = os.readlink(f"/proc/self/fd/{fd}")
    if not name.startswith("socket:"):
        return "watched" if "eventpoll" in name else "records"
    with socket.socket(fileno=os.dup(fd)) as sock:
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return "control" if sock.family == socket.AF_UNIX else "listener"
        return clients[sock.getpeername()[1]]


def unpack(manager):
    """The descriptors that are packed into its store, by place."""
    found = {}
    for end in [fd for name, fd in manager.store if name == "chatd-pack"]:
        with socket.socket(fileno=os.dup(end)) as sock:
            while select.select([sock], [], [], 0)[0]:
                data, control, _, _ = sock.recvmsg(4, socket.CMSG_SPACE(253 * 4))
                fds = array.array("i")
                for _, _, content in control:
                    fds.frombytes(content)
                found |= dict(enumerate(fds, int.from_bytes(data, sys.byteorder)))
    return [found[place] for place in sorted(found)]


def leave(program):
    """What that chatd leaves at a restart, with one client of each kind of TALK."""
    with Manager(store=100, job="restart") as manager:
        with manager.start({"session": {"settle": "200ms"}}, program=program) as daemon:
            operator = daemon.operator()
            clients = {}
            for name, (words, begun) in TALK.items():
                client, session = speaking(daemon, operator, words)
                clients[name] = client
                operator.call("name", session=session, name=name)
                if name == "asker":
                    client.close_sending()
                    wait_until(lambda: operator.session(session)["state"] == "asking", "it asks")
                    continue
                operator.call("send", to=session, text=f"hello, {name}")
                client.send(begun)
                if name == "original":
                    operator.call("send", to=session, text="held")
            wait_until(lambda: operator.session(1)["idle_ms"] > 300, "all was read")
            daemon.stop()
        ports = {client.socket.getsockname()[1]: name for name, client in clients.items()}
        roles = [role_of(fd, ports) for fd in unpack(manager)]
        (document,) = [fd for name, fd in manager.store if name == "chatd-document"]
        whole = os.pread(document, os.fstat(document).st_size, 0)
        return {"roles": roles, "document": base64.b64encode(whole).decode()}


def take_over(manager, left):
    """Puts it into the manager's store. Returns the clients by name, and a socket that holds the
    control socket's place; both have to be kept until the daemon has started."""
    listener = socket.create_server(("127.0.0.1", 0))
    control_path = manager.home.control_path
    control_path.parent.mkdir(mode=0o750)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    control.bind(str(control_path))
    control_path.chmod(0o660)
    control.listen()
    watched = select.epoll()
    clients, fds, kept = {}, [], [listener, control, watched]
    for role in left["roles"]:
        if role in TALK:
            clients[role] = Client(listener.getsockname())
            kept.append(listener.accept()[0])
            if role == "asker":
                clients[role].close_sending()
            fds.append(kept[-1].fileno())
        elif role == "records":
            kept.append(os.fdopen(os.memfd_create("chatd-records")))
            fds.append(kept[-1].fileno())
        else:
            fds.append({"listener": listener, "control": control, "watched": watched}[role].fileno())
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
    ends[0].sendmsg([bytes(4)], [rights])
    document = os.memfd_create("chatd-state")
    os.write(document, base64.b64decode(left["document"]))
    manager.store += [("chatd-document", document)] + [("chatd-pack", end.detach()) for end in ends]
    for each in kept:
        each.close()
    return clients


if __name__ == "__main__":
    chatd, file = sys.argv[1:]
    Path(file).write_text(json.dumps(leave(chatd), indent=1) + "\n")
