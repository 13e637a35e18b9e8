"""nbtune with `--engine fused`, by somebody who ran the same before: what XLA compiled is still there."""

from __future__ import annotations

from benchmarks.peers.nbtune_fused import main

if __name__ == "__main__":
    main("fused")
