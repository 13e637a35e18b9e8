"""How often each test set has been looked at: kept in the project, for whoever looks once too often."""

from __future__ import annotations

import json
from pathlib import Path

from nbtune.record import files

FILE = "test_sets.json"


def looked(project: Path, digest: str) -> int:
    """Notes that the test set with this digest is looked at now, and returns how often that has been by now.

    Raises:
        OSError: it cannot be written down.
    """
    try:
        found = json.loads(files.read(project / FILE, project, files.MOST_JSON))
    except (FileNotFoundError, ValueError):
        found = {}
    counts = {key: n for key, n in found.items() if isinstance(n, int)} if isinstance(found, dict) else {}
    counts[digest] = counts.get(digest, 0) + 1
    files.write(project / FILE, project, json.dumps(counts).encode())
    return counts[digest]
