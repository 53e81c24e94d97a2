"""A client and an operator who are served while something else breaks, and who check
afterwards that all is as it was."""

from harness import SANITIZER, speaking, wait_until

MIB = 1 << 20


class Witness:
    """A client and an operator of a daemon. It is made when all is well."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.operator = daemon.operator(name="witness")
        self.client, self.session = speaking(daemon, self.operator, b"witness\n")
        self.number = 0
        self.is_served()
        self.fds = daemon.fds()
        self.rss = daemon.rss()

    def is_served(self, after_others=False):
        """Asserts that a question and its answer go through the whole daemon. Something else
        may have been sent to everybody before."""
        self.number += 1
        question, answer = f"question {self.number}", f"answer {self.number}"
        self.client.send(question.encode() + b"\n")
        self.operator.wait_event("message", session=self.session, text=question)
        receipt = self.operator.call("send", to=self.session, text=answer)
        assert receipt["delivered"] == [self.session], receipt
        while (line := self.client.take_line()) != answer.encode() + b"\n":
            assert after_others, f"{line!r} instead of {answer!r}"

    def sums(self):
        """The counters; asserts that they add up."""
        stats = self.operator.call("stats")
        total = stats["delivered"] + stats["held"] + stats["lost"]
        assert stats["messages_out"] == total, stats
        return stats

    def all_is_back(self, memory=4 * MIB):
        """Asserts, when the others are gone, that descriptors are exactly and memory is about
        what they were at the start, that counters add up, and that the log has no report."""
        daemon = self.daemon
        self.is_served()
        wait_until(lambda: self.operator.call("stats")["sessions"] == 1, "the others are gone")
        wait_until(lambda: daemon.fds() == self.fds, f"{self.fds} descriptors again")
        stats = self.sums()
        assert stats["held"] == 0 and stats["queued_bytes"] == 0, stats
        if not SANITIZER:
            grown = daemon.rss() - self.rss
            assert grown < memory, f"{grown} bytes more than at the start"
        return stats
