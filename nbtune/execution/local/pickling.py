"""Jobs as bytes, for the workers: as cloudpickle writes them, with the files and cells that code comes from.

From 3.1.3 on cloudpickle leaves them out, and tracebacks could not quote the user's lines.
"""

from __future__ import annotations

import io
import types
from collections import ChainMap
from collections.abc import Callable
from typing import Any, ClassVar

import cloudpickle


def dumps(thing: Any) -> bytes:
    file = io.BytesIO()
    _Pickler(file).dump(thing)
    return file.getvalue()


def _code(code: types.CodeType) -> tuple[Any, ...]:
    make, parts = cloudpickle.CloudPickler.dispatch_table[types.CodeType](code)
    return _in_file, (code.co_filename, make, parts)


def _in_file(name: str, make: Callable[..., types.CodeType], parts: tuple[Any, ...]) -> types.CodeType:
    return make(*parts).replace(co_filename=name)


class _Pickler(cloudpickle.CloudPickler):
    dispatch_table: ClassVar = ChainMap({types.CodeType: _code}, cloudpickle.CloudPickler.dispatch_table)
