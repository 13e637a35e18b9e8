"""A job for machines that share no disk with this one: the function, the user's own modules that it needs, the data."""

from __future__ import annotations

import dis
import pickletools
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from nbtune.ask.function import user_functions
from nbtune.data.content.modules import Module, Modules
from nbtune.execution.local import pickling
from nbtune.execution.local.pickling import CODE
from nbtune.record.job import Terms

JOB, PROJECT = "job.pickle", "project"
_MOST_AT_ONCE = 2**23  # bytes of a message


class Piece(NamedTuple):
    """Some of a file's bytes; `path` is relative, with slashes."""

    path: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Parcel:
    """What is to be in the folder of a job.

    Attributes:
        files: path in that folder to the content, or to the file that has it here.
    """

    name: str
    project: Path
    files: Mapping[str, bytes | Path]

    @classmethod
    def of(cls, name: str, job: Terms, worker_mb: float | None) -> Parcel:
        """Raises UsageError where the function cannot be sent."""
        there = replace(job, folder=Path(job.folder.name), project=Path(PROJECT), worker_mb=worker_mb)
        try:
            function = pickling.dumps(there)
        except Exception as error:  # pickling a user's objects can raise anything
            raise pickling.refusal(job.function, error) from None
        data = {f"{job.folder.name}/{file.relative_to(job.folder).as_posix()}": file for file in _files(job.folder)}
        code = {f"{CODE}/{path}": file for path, file in _own_modules(job, function).items()}
        return cls(name, job.project, {JOB: function, **code, **data})

    def messages(self) -> Iterator[list[Piece]]:
        """All of it in parts that are small enough to be sent through the scheduler."""
        found: list[Piece] = []
        size = 0
        for piece in self._pieces():
            if found and size + len(piece.content) > _MOST_AT_ONCE:
                yield found
                found, size = [], 0
            found.append(piece)
            size += len(piece.content)
        yield found

    def _pieces(self) -> Iterator[Piece]:
        for path, source in self.files.items():
            if isinstance(source, bytes):
                for offset in range(0, len(source), _MOST_AT_ONCE):
                    yield Piece(path, offset, source[offset : offset + _MOST_AT_ONCE])
            else:
                with source.open("rb") as file:
                    while (content := file.read(_MOST_AT_ONCE)) or not file.tell():
                        yield Piece(path, file.tell() - len(content), content)
                        if not content:
                            break


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _own_modules(job: Terms, pickled: bytes) -> dict[str, Path]:
    """The user's own modules that a job names, or that its functions import when they run: path to import from, file."""
    modules, found, seen = Modules(), dict[str, Path](), set[str]()
    named = [text for each in (pickled, job.frozen) if each for _, text, _ in pickletools.genops(each) if isinstance(text, str)]
    following = [name for text in (*named, *job.expected) if (name := text.partition(":")[0]) in sys.modules]
    for thing in (job.function.call, job.function.fit, job.callbacks):
        for function in user_functions(thing):
            following += _imported(function.__code__)
    while following:
        name = following.pop()
        file = None if name in seen or name.startswith("__") or modules.library(name) else modules.file(name)
        seen.add(name)
        if file is None or not file.is_file():
            continue
        parts = name.split(".")
        found["/".join([*parts, file.name] if file.stem == "__init__" else [*parts[:-1], file.name])] = file
        following += [each.name for each in modules.describe(Module(name)).parts if isinstance(each, Module)]
        following += [".".join(parts[:n]) for n in range(1, len(parts))]
    return found


def _imported(code: types.CodeType) -> Iterator[str]:
    """The names of modules that a function, and what is defined in it, imports when it runs; a name in them may be one too."""
    module = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            module = str(step.argval)
            yield module
        elif step.opname == "IMPORT_FROM":
            yield f"{module}.{step.argval}"
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _imported(inner)
