"""A place to train is left once, whoever asks for it, and only when nothing runs there any more."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import SimpleNamespace

from nbtune.run.site import Site


def test_who_closes_it_meanwhile_waits_and_the_workers_are_given_back_after_their_end(tmp_path):
    said, may_end, closing = [], threading.Event(), threading.Event()

    def close():
        closing.set()
        assert may_end.wait(10)
        said.append("ended")

    leaving = ExitStack()
    leaving.callback(lambda: said.append("given back"))
    leaving.callback(close)
    site = Site(SimpleNamespace(close=close), tmp_path, leaving)
    first = threading.Thread(target=site.close)
    first.start()
    assert closing.wait(10)
    second = threading.Thread(target=lambda: (site.close(), said.append("seen by another")))
    second.start()
    second.join(0.3)
    may_end.set()
    for thread in (first, second):
        thread.join(10)
    site.close()
    assert said == ["ended", "given back", "seen by another"]
