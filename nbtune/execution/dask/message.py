"""What travels through the scheduler, which keeps the last thousand messages of a topic: small, and readable by JSON alone."""

from __future__ import annotations

import json
import zlib
from typing import Any

from nbtune import machine

RESOURCE = "nbtune"  # each Dask worker has one of it, and each task takes one: so one task a worker at a time
_TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tf-nightly")


def packed(message: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(message).encode(), 1)


def unpacked(data: bytes) -> dict[str, Any]:
    message = json.loads(zlib.decompress(data))
    assert isinstance(message, dict)
    return message


def versions() -> dict[str, str]:
    """Of what has to be equal on all machines of a search, by the names that people know."""
    found = [version for name in _TENSORFLOW if (version := machine.installed(name)) != "none"]
    return {
        "Python": machine.python(),
        "nbtune": machine.installed("nbtune"),
        "Keras": machine.installed("keras"),
        "TensorFlow": found[0] if found else "none",
    }
