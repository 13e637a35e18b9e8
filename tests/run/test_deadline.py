"""The time that a search may take: pauses do not count, and each start has all of it."""

import threading
import time

from nbtune.run.deadline import Deadline


def test_pauses_do_not_count_and_it_tells_once():
    told = []
    deadline = Deadline(0.3 / 60, lambda: told.append(time.monotonic()))
    began = time.monotonic()
    deadline.run()
    time.sleep(0.1)
    deadline.halt()
    time.sleep(0.4)
    assert not told
    assert not deadline.is_over
    deadline.run()
    deadline.run()
    time.sleep(0.5)
    assert len(told) == 1
    assert 0.6 < told[0] - began < 1.0
    assert deadline.is_over
    deadline.run()
    time.sleep(0.4)
    assert len(told) == 1


def test_a_new_start_has_all_of_it():
    over = threading.Event()
    deadline = Deadline(0.2 / 60, over.set)
    deadline.run()
    assert over.wait(5)
    over.clear()
    deadline.renew()
    assert not deadline.is_over
    deadline.run()
    assert over.wait(5)


def test_without_a_limit_it_never_ends():
    deadline = Deadline(None, lambda: 1 / 0)
    deadline.run()
    deadline.halt()
    deadline.renew()
    assert not deadline.is_over
