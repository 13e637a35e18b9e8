"""What is private in Dask; behind this fence alone, and nothing breaks where a release renames it."""

from __future__ import annotations

from typing import Any


def forget_topic(name: str, dask_scheduler: Any) -> None:
    """Removes a topic from a scheduler, for which Dask has no command; else it keeps the last thousand messages."""
    topics = getattr(getattr(dask_scheduler, "_broker", None), "_topics", {})
    topics.pop(name, None)
