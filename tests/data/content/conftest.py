"""Modules of the user's own, for a test."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes modules of the user's own, which are forgotten after the test."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(**texts):
        for name, text in texts.items():
            file = tmp_path / (name.replace("__", "/") + ".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]
