"""How long a Service answers nobody."""

import itertools
import selectors
import threading
import time

from harness import Client, wait_until


class Probe:
    """Clients that ask for telnet options, one every few milliseconds: the daemon answers
    each itself, so the longest time without an answer is how long nobody was there."""

    INTERVAL = 0.002

    def __init__(self, service):
        self.clients = service.machine.connected(lambda: [Client(("127.0.0.1", 8080)) for _ in range(40)])
        self.times = []
        self.errors = []
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        wait_until(lambda: len(self.times) > 50, "the daemon answers")

    def _run(self):
        try:
            asked = itertools.cycle((client, verb) for verb in (b"\xfd", b"\xfb") for client in self.clients)
            with selectors.DefaultSelector() as selector:
                for client in self.clients:
                    client.socket.setblocking(False)
                    selector.register(client.socket, selectors.EVENT_READ)
                for number, (client, verb) in enumerate(asked):
                    if self.ending:
                        return
                    option = number // (2 * len(self.clients)) + 1
                    assert option < 255, "all options are asked for"
                    client.socket.sendall(b"\xff" + verb + bytes([option]))
                    until = time.monotonic() + self.INTERVAL
                    while (left := until - time.monotonic()) > 0:
                        for key, _ in selector.select(left):
                            assert key.fileobj.recv(4096), "end of file"
                            self.times.append(time.monotonic())
        except Exception as error:  # the test says it
            self.errors.append(repr(error))

    def longest_silence(self):
        return max(b - a for a, b in itertools.pairwise(self.times))

    def stop(self):
        self.ending = True
        self.thread.join()

    def close(self):
        self.stop()
        for client in self.clients:
            client.close()
