from __future__ import annotations

import socket
from contextlib import closing

from worker.embedded.ports import free_port, is_free


def test_the_last_port_is_kept_while_it_is_free() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port


def test_a_taken_port_is_not_free() -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert not is_free(taken)
        assert free_port(taken) != taken
