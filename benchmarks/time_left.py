"""How far off the time left is that a running search shows: `python -m benchmarks.time_left a b c d`.

For each grid the estimate is read five times a second, and held against the time that it took in the end.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.peers.nbtune_fused import begun
from benchmarks.workloads import WORKLOADS, Workload
from nbtune import machine
from nbtune.record.remaining import seconds_left, share_done

AT = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)  # of the time


class Reading(NamedTuple):
    """Seconds since the start, the share that is done, and seconds left (None where nothing is said)."""

    at: float
    share: float
    left: float | None


def readings(workload: Workload) -> tuple[list[Reading], float]:
    """All readings of one search, and how many seconds it took."""
    found: list[Reading] = []
    with tempfile.TemporaryDirectory() as folder:
        search = begun(workload, folder, wait=False)
        progress, start = search._run.progress, time.monotonic()
        while search.state == "running":
            found.append(Reading(time.monotonic() - start, share_done(progress), seconds_left(progress, machine.now())))
            time.sleep(0.2)
    return found, time.monotonic() - start


def errors(found: Sequence[Reading], took: float) -> list[str]:
    """For each of `AT` how far off the total was that the estimate came to, relative to the true one."""
    texts = []
    for share in AT:
        reading = min(found, key=lambda one: abs(one.at - share * took))
        texts.append("–" if reading.left is None else f"{(reading.at + reading.left) / took - 1:+.0%}")
    return texts


def main() -> None:
    print("grid", "seconds", *(f"at {share:.0%}" for share in AT), sep="\t")
    for name in sys.argv[1:] or "abcd":
        found, took = readings(WORKLOADS[name])
        print(name, f"{took:.1f}", *errors(found, took), sep="\t", flush=True)


if __name__ == "__main__":
    main()
