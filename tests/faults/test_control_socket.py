"""The file of the control socket, removed or replaced while the daemon runs: who is
attached stays, a reload opens it again where it is free, and what somebody else put there
is not touched."""

import os
import signal
import socket

import pytest
from harness import Daemon, wait_until
from witness import Witness


def a_file(path):
    path.write_text("somebody else's")
    return lambda: path.read_text() == "somebody else's"


def a_folder(path):
    path.mkdir()
    return path.is_dir


def a_link(path):
    target = path.parent / "target"
    target.write_text("untouched")
    path.symlink_to(target)
    return lambda: path.is_symlink() and target.read_text() == "untouched"


def a_live_socket(path):
    other = socket.socket(socket.AF_UNIX)
    other.bind(str(path))
    other.listen()

    def is_untouched():
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
        return other.fileno() >= 0

    return is_untouched


def test_a_socket_that_was_removed_is_opened_again_by_a_reload():
    with Daemon() as daemon:
        witness = Witness(daemon)
        daemon.control_path.unlink()
        witness.is_served()
        assert daemon.chatctl("list").returncode == 3
        witness.operator.call("reload")
        with daemon.operator() as operator:
            assert len(operator.call("sessions")) == 1
        assert daemon.chatctl("list").returncode == 0
        assert oct(daemon.control_path.stat().st_mode & 0o777) == "0o660"
        # The whole folder, as one who tidies up does.
        daemon.control_path.unlink()
        daemon.control_path.parent.rmdir()
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.chatctl("list").returncode == 0, "it is there again")
        assert oct(daemon.control_path.parent.stat().st_mode & 0o777) == "0o750"
        # Nothing happens to one that is where it should be.
        inode = daemon.control_path.stat().st_ino
        witness.operator.call("reload")
        assert daemon.control_path.stat().st_ino == inode
        witness.all_is_back()
    assert not daemon.control_path.exists()


@pytest.mark.parametrize("put", [a_file, a_folder, a_link, a_live_socket])
def test_what_somebody_put_in_its_place_stays_and_the_daemon_goes_on(put):
    with Daemon() as daemon:
        witness = Witness(daemon)
        os.unlink(daemon.control_path)
        is_untouched = put(daemon.control_path)
        witness.is_served()
        with pytest.raises(Exception, match="control socket"):
            witness.operator.call("reload")
        assert is_untouched()
        witness.is_served()
        witness.all_is_back()
        daemon.send_signal(signal.SIGTERM)
        daemon.check_end()
        assert is_untouched()
