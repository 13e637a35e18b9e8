"""Importing this before Keras leaves out what it and TensorFlow import for nothing here: more than half of the time they take.

What they import for a few of their users is put off until somebody looks into it, so it works as ever: Keras's wrappers for
scikit-learn and its picture galleries, which bring scikit-learn, SciPy and Matplotlib along; the Keras that was a part of
TensorFlow once, whose layers nobody trains here; what TensorFlow has for TPUs, and the names of its first version.
pandas and IPython, which Keras asks for but does not require, it does not find: rows are NumPy's by the time that they are
here. And no object that an import makes goes away, so looking for rubbish meanwhile finds none.

Measured with TensorFlow 2.21 and Keras 3.15: 4.3 → 2.0 s of processor time and 667 → 525 MB,
which is a quarter of a cold search on digits (8 s).
A name that goes away is not imported at all, and so not put off: nothing else depends on the list.
"""

from __future__ import annotations

import gc
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_NOT_FOUND = ("IPython", "pandas")
_API = "tensorflow._api.v2"
PUT_OFF = frozenset(
    [
        *("keras.wrappers", "keras.visualization", "keras.src.visualization"),
        *("tensorflow.python.keras.callbacks", "tensorflow.python.keras.models", "requests"),
        # not lite and distribute: what they bring takes their name in `tensorflow` if it is imported later
        *(f"{_API}.{part}" for part in ("compat.v2", "debugging.experimental", "__internal__.feature_column")),
        *(f"{_API}.{part}" for part in ("feature_column", "raw_ops", "tpu")),
        *(f"{_API}.compat.v1.{part}" for part in ("compat", "feature_column", "raw_ops", "tpu")),
    ]
)


_KNOWN_BEFORE = frozenset(["__file__", "__loader__", "__name__", "__spec__"])  # `inspect` asks all modules for these


class Unloaded(ModuleType):
    """A module that is loaded when it is first looked into.

    `importlib.util.LazyLoader` would not do: modules of TensorFlow's first version put something else in their place in
    `sys.modules` when they are loaded, which it takes for an error.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in _KNOWN_BEFORE:
            return super().__getattribute__(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)  # type: ignore[union-attr]
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "__class__":
            self.__dict__  # noqa: B018 - or what is set would be lost once it is loaded
        super().__setattr__(name, value)


class _Later(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__
        module.__spec__.loader = module.__loader__ = self._loader
        module.__class__ = Unloaded


class _PutOff:
    """A finder (`importlib.abc.MetaPathFinder`) of what is put off."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in PUT_OFF else None
        if spec and spec.loader:
            spec.loader = _Later(spec.loader)
        return spec


def settle() -> None:
    """Ends what importing this began: to be called once Keras is imported."""
    sys.meta_path.remove(_PutOff)
    for name in _hidden:
        del sys.modules[name]
    gc.freeze()  # or every collection walks through TensorFlow, 0.2 s of a trial's 2
    gc.enable()


_hidden = [name for name in _NOT_FOUND if name not in sys.modules]
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]
sys.meta_path.insert(0, _PutOff)
gc.disable()
