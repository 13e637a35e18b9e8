"""How futures end whose task has no result."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future

import pytest

from nbtune.errors import WorkerLost
from nbtune.execution.outcome import abandon


@pytest.mark.parametrize(("why", "raised"), [(None, CancelledError), (WorkerLost("gone"), WorkerLost)])
def test_whoever_waits_for_what_will_never_come_is_told(why, raised):
    futures = {1: Future(), 2: Future()}
    waiting = list(futures.values())
    abandon(futures, why)
    assert not futures
    for future in waiting:
        with pytest.raises(raised):
            future.result(timeout=1)
