"""Threads that may talk to the page of the cell that starts them."""

from __future__ import annotations

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any


def in_marimo() -> bool:
    """Whether a marimo notebook runs this, with a page."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def start(target: Callable[..., object], name: str, *arguments: Any) -> threading.Thread:
    """A daemon thread that has begun.

    A plain one has no context, and ipykernel 7.0.1 finds the cell that it belongs to only there; marimo has a kind of its own.
    """
    kind = sys.modules["marimo"].Thread if in_marimo() else threading.Thread
    run = contextvars.copy_context().run
    thread: threading.Thread = kind(target=run, args=(target, *arguments), name=name, daemon=True)
    thread.start()
    return thread
