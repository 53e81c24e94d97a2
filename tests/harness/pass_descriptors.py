"""Runs a program and passes descriptors to it as a service manager does: they are 3, 4, ...
there, and LISTEN_PID is its process id. Usage: pass_descriptors.py FD,FD/NAME:NAME COMMAND..."""

import fcntl
import os
import sys

numbers, names = sys.argv[1].split("/", 1)
# Duplicates above the targets first: one of those numbers may be a target itself.
above = 3 + numbers.count(",") + 1
fds = [fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, above) for number in numbers.split(",")]
for number in numbers.split(","):
    os.set_inheritable(int(number), False)
for place, fd in enumerate(fds, 3):
    os.dup2(fd, place, inheritable=True)
os.environ["LISTEN_FDS"] = str(len(fds))
os.environ["LISTEN_FDNAMES"] = names
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
