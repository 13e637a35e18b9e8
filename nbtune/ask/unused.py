"""Which parameters of a function come to nothing in it, read from its bytecode. No code is run."""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Iterator
from typing import Any

_SEES_ALL = {"locals", "vars", "eval", "exec"}


def unused(function: Any) -> frozenset[str]:
    """The parameters that it never reads, or writes over before it reads them; none where its code is not known."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    if not isinstance(function, types.FunctionType):
        return frozenset()
    code = function.__code__
    if _SEES_ALL & set(code.co_names):
        return frozenset()
    parameters = set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    reading = (step for step in dis.get_instructions(code) if "LOAD" in step.opname or "CLOSURE" in step.opname)
    read = {name for step in reading for name in _names(step)}
    return frozenset(parameters - read - set(code.co_cellvars) | parameters & set(_overwritten(code)))


def _overwritten(code: types.CodeType) -> Iterator[str]:
    """Names that are written before they are read, as far as the code runs straight on."""
    seen: set[str] = set(code.co_cellvars)
    for step in dis.get_instructions(code):
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            return
        for name in _names(step):
            if name not in seen and step.opname == "STORE_FAST":
                yield name
            seen.add(name)


def _names(step: dis.Instruction) -> tuple[str, ...]:
    """The variables that an instruction is about; newer Pythons take two at a time."""
    if "FAST" not in step.opname and "DEREF" not in step.opname and "CLOSURE" not in step.opname:
        return ()
    return step.argval if isinstance(step.argval, tuple) else (step.argval,) if isinstance(step.argval, str) else ()
