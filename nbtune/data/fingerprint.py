"""What a trial's result depends on, as hashes: equal fingerprints and equal values mean an equal result.

A `Fingerprint` has a part for the function and all that it reads, for the data, for the terms of the fit and for the
versions, so that a difference can be named. Comments and layout of the code do not count.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import pickle
import sys
import sysconfig
import textwrap
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nbtune import machine
from nbtune.ask.function import Function, global_values, user_functions
from nbtune.ask.options import Options
from nbtune.data.rows import Data, blocks
from nbtune.data.tree import named_leaves
from nbtune.errors import UsageError

Fingerprint = dict[str, str]
_PACKAGES = ("nbtune", "keras", "tensorflow", "tensorflow-cpu")


class NoFingerprint(UsageError):
    """Something has no content that could be compared later; nothing can be reused then."""


def fingerprint(options: Options, function: Function, data: Data) -> Fingerprint:
    """Raises NoFingerprint, naming what cannot be compared."""
    terms = {name: repr(value) for name, value in options.terms.items()}
    return {
        "function": _hash(_function(function)),
        "data": _hash(*_data(data)),
        "terms of the fit": _hash(json.dumps(terms, sort_keys=True), str(data.batch_size)),
        "versions": _hash(*(f"{name} {machine.installed(name)}" for name in _PACKAGES)),
    }


def key(values: Mapping[str, Any], objects: Mapping[str, Mapping[str, Any]]) -> str:
    """What tells a combination from the others; things that stand behind a name count with their content."""
    known = {name: objects.get(name, {}) for name in values}
    things = {name: _thing(known[name][value]) for name, value in values.items() if value in known[name]}
    return json.dumps([dict(values), things], sort_keys=True)


def differences(one: Fingerprint, other: Fingerprint) -> list[str]:
    """The names of the parts that are not equal."""
    return [part for part in {**one, **other} if one.get(part) != other.get(part)]


def _hash(*parts: str | bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        piece = part.encode() if isinstance(part, str) else part
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def _data(data: Data) -> Iterable[bytes]:
    for rows in data.parts:
        for key, part in named_leaves(rows._asdict()):
            yield f"{key} {part.dtype} {part.shape}".encode()
            digest = hashlib.blake2b(digest_size=16)
            for block in blocks(part):
                digest.update(np.ascontiguousarray(block).data)
            yield digest.digest()


def _function(function: Function) -> str:
    """The code of the function and of the user's functions below it, and the content of all that they read."""
    parts = []
    for part in user_functions(function.call):
        defaults = {name: p.default for name, p in inspect.signature(part).parameters.items() if p.default is not p.empty}
        read = {name: _thing(thing) for name, thing in {**global_values(part), **defaults}.items()}
        parts.append([_code(part), sorted(read.items())])
    return json.dumps([function.name, parts or _thing(function.call)])


def _code(thing: Any) -> str:
    """The syntax tree of a function or class; comments and layout are gone, docstrings stay."""
    try:
        return ast.dump(ast.parse(textwrap.dedent(inspect.getsource(thing))))
    except (OSError, TypeError, SyntaxError):  # no text, or a lambda within a line
        code = getattr(thing, "__code__", None)
        if code is None:
            raise NoFingerprint(f"the code of {getattr(thing, '__name__', thing)!r} cannot be read") from None
        return _bytecode(code)


def _bytecode(code: types.CodeType) -> str:
    consts = [_bytecode(const) if isinstance(const, types.CodeType) else repr(const) for const in code.co_consts]
    return repr((code.co_code, consts, code.co_names, code.co_varnames))


def _thing(thing: Any) -> str:
    """A text that is equal for equal content, in this process and in later ones."""
    if thing is None or isinstance(thing, (bool, int, float, str, bytes)):
        return f"{type(thing).__name__} {thing!r}"
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        return _hash(str((thing.dtype, thing.shape)), np.ascontiguousarray(thing).tobytes())
    if isinstance(thing, (list, tuple)):
        return json.dumps([type(thing).__name__, *map(_thing, thing)])
    if isinstance(thing, (set, frozenset)):
        return json.dumps(["set", *sorted(map(_thing, thing))])
    if isinstance(thing, Mapping):
        return json.dumps([[_thing(key), _thing(value)] for key, value in thing.items()])
    if isinstance(thing, types.ModuleType):
        return f"module {thing.__name__} {_file_of_the_users(thing)}"
    if inspect.isroutine(thing) or inspect.isclass(thing):
        return _named(thing)
    if hasattr(thing, "get_config") and callable(thing.get_config):  # a Keras optimizer, loss, initialiser or layer
        return json.dumps([_thing(type(thing)), _thing(thing.get_config())])
    return _pickled(thing)


def _named(thing: Any) -> str:
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', thing)}"
    if module is None or module.__name__ == "__main__":
        return f"{name} {_code(thing)}"
    return f"{name} {_file_of_the_users(module)}"


def _file_of_the_users(module: types.ModuleType) -> str:
    """The content of a module's file, if it is the user's own and not an installed package, whose version counts."""
    file = getattr(module, "__file__", None)
    installed = {Path(path).resolve() for path in sysconfig.get_paths().values()}
    if not file or any(folder in Path(file).resolve().parents for folder in installed):
        return ""
    return _hash(Path(file).read_bytes())


def _pickled(thing: Any) -> str:
    try:
        return _hash(pickle.dumps(thing, protocol=4))
    except Exception as error:  # pickling can raise anything
        what = f"the function reads a {type(thing).__name__}, which cannot be compared with a later one"
        raise NoFingerprint(f"{what} ({error})") from None
