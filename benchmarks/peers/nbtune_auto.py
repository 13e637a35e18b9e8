"""nbtune as it comes, with `--engine auto`."""

from __future__ import annotations

from benchmarks.peers.nbtune_fused import main

if __name__ == "__main__":
    main("auto")
