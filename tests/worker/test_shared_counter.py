"""The number that a parent shows to its forked children."""

from __future__ import annotations

import os

from worker.shared_counter import SharedCounter


def test_it_counts_from_nought() -> None:
    counter = SharedCounter()
    assert counter.value() == 0
    assert [counter.increase(), counter.increase()] == [1, 2]
    assert counter.value() == 2


def test_two_counters_are_two() -> None:
    one, other = SharedCounter(), SharedCounter()
    one.increase()
    assert other.value() == 0


def test_a_forked_child_sees_every_change_of_its_parent() -> None:
    counter = SharedCounter()
    counter.increase()
    ask, asked = os.pipe()
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        # No cleaning up in the child: the test runner is the parent's.
        try:
            while os.read(ask, 1) == b"?":
                os.write(tell, bytes([counter.value()]))
        finally:
            os._exit(0)
    try:
        seen = []
        for _ in range(3):
            os.write(asked, b"?")
            seen.append(os.read(told, 1)[0])
            counter.increase()
        assert seen == [1, 2, 3]
    finally:
        os.write(asked, b".")
        os.waitpid(pid, 0)
        for end in (ask, asked, told, tell):
            os.close(end)
