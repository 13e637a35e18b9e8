"""What a trial's result depends on, as hashes: equal fingerprints and equal values mean an equal result.

A `Fingerprint` has a part for the function and all that it reaches, for the data, for the terms of the fit and for the
versions, so that a difference can be named. Comments and layout of the code do not count.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nbtune import machine
from nbtune.ask.function import Function
from nbtune.ask.options import Options
from nbtune.data.content import live
from nbtune.data.content.objects import Contents, NoFingerprint
from nbtune.data.content.stated import Stated
from nbtune.data.rows import Data, Rows
from nbtune.data.streams import GRAPH, files_of

Fingerprint = dict[str, str]
_PACKAGES = ("nbtune", "keras", "tensorflow", "tensorflow-cpu")


def fingerprint(
    options: Options, function: Function, data: Data, patches: Mapping[str, Any] = MappingProxyType({})
) -> Fingerprint:
    """What a search's results depend on.

    Args:
        patches: what the notebook has set in libraries, by its path.

    Raises:
        NoFingerprint: something cannot be compared; it is named.
    """
    content = Contents()
    content.modules.outside.files |= files_of(data.stream)
    return {
        "function": _of_function(content, function, patches),
        "data": content([[list(part) for part in _read(data)], *_stream(options, data), *_groups(data)]),
        "terms of the fit": _with_modules(content, [options.terms, data.batch_size, options.callbacks]),
        "settings of Keras": content.surroundings(),
        "files that are read": content.outside(),
        "versions": content([[f"{name} {machine.installed(name)}" for name in _PACKAGES], content.modules.libraries]),
    }


def function_of(function: Function, patches: Mapping[str, Any]) -> str:
    """The part of a fingerprint for the function and all that it reaches, as that is now; "" where it cannot be compared."""
    try:
        return _of_function(Contents(), function, patches)
    except NoFingerprint:
        return ""


def _of_function(content: Contents, function: Function, patches: Mapping[str, Any]) -> str:
    return _with_modules(content, [function.name, function.call, sorted(patches), [patches[path] for path in sorted(patches)]])


def _with_modules(content: Contents, thing: Any) -> str:
    """The hash of a thing, and of what it may find in the user's own modules but in their texts, which count already."""
    stated = Stated(content.modules)
    found = {path: hash for path, hash in live.reached(thing).items() if not stated.says(path)}
    return content([content(thing), sorted(found.items()), _held_at(content, found)])


def _held_at(content: Contents, paths: Mapping[str, str]) -> list[str]:
    """The hashes, with all that they lead to, of what stands there; where that cannot be compared, its own stands for it."""
    found = []
    for path in sorted(paths):
        with contextlib.suppress(NoFingerprint, LookupError):
            found.append(content(live.value(path)))
    return found


def _read(data: Data) -> list[Rows]:
    """The rows that were read for good."""
    return data.parts[1:] if data.stream else data.parts


def _stream(options: Options, data: Data) -> list[Any]:
    """What decides on the rows of datasets that are read anew: a graph as it is, any other by what it consists of."""
    if data.stream is None:
        return []
    sources = ((options.data, data.stream.training), (options.validation_data, data.stream.validation))
    return [source.payload if source and source.kind == GRAPH else given for given, source in sources if source]


def _groups(data: Data) -> list[Any]:
    return [] if data.groups is None else [data.groups]


def contents(objects: Mapping[str, Mapping[Any, Any]]) -> tuple[dict[str, dict[Any, str]], list[str]]:
    """The hashes of what stands behind names: axis to name to hash, and what is to be said of them.

    What cannot be compared is equal to nothing later.
    """
    notes: list[str] = []

    def of(axis: str, name: Any, thing: Any) -> str:
        content = Contents()
        try:
            return _with_modules(content, thing) + content.outside()
        except NoFingerprint as error:
            notes.append(f"No earlier result of {axis} {name} can be used: {error}.")
            return uuid.uuid4().hex

    return {axis: {name: of(axis, name, thing) for name, thing in things.items()} for axis, things in objects.items()}, notes


def key(values: Mapping[str, Any], hashes: Mapping[str, Mapping[Any, str]]) -> str:
    """What tells a combination from the others; things that stand behind a name count with their hashes, of `contents`."""
    things = {name: hashes[name][value] for name, value in values.items() if value in hashes.get(name, ())}
    return json.dumps([dict(values), things], sort_keys=True)


def differences(one: Fingerprint, other: Fingerprint) -> list[str]:
    """The names of the parts that are not equal."""
    return [part for part in {**one, **other} if one.get(part) != other.get(part)]
