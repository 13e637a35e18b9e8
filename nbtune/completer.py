"""The Tab key in IPython: on `%%tune` and `%tune` lines what nbtune offers, and nothing else."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Sequence
from functools import partial
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from nbtune.ask.completion import Offer, Scope, complete

COMMANDS = ("%%tune", "%tune")
_IDENTIFIER = "nbtune"


def install(shell: InteractiveShell, verbs: Sequence[str]) -> None:
    """In place of an earlier one."""
    remove(shell)
    try:
        from IPython.core.completer import context_matcher
    except ImportError:  # before IPython 8.6, as on Colab
        for command in COMMANDS:
            shell.set_hook("complete_command", partial(_complete, verbs), str_key=command)
        return

    @context_matcher(identifier=_IDENTIFIER)
    def matcher(context: Any) -> Any:
        return _match(shell, verbs, context)

    shell.Completer.custom_matchers.append(matcher)


def remove(shell: InteractiveShell) -> None:
    matchers = getattr(shell.Completer, "custom_matchers", [])
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "matcher_identifier", "") != _IDENTIFIER]
    for command in COMMANDS:
        shell.strdispatchers["complete_command"].strs.pop(command, None)


def _match(shell: InteractiveShell, verbs: Sequence[str], context: Any) -> Any:
    """What IPython's matchers return; on a line of ours the others have nothing to say."""
    from IPython.core.completer import SimpleCompletion

    line = context.text_until_cursor.lstrip()
    is_cell = line.startswith("%%tune ") and context.cursor_line == 0
    if not is_cell and not line.startswith("%tune "):
        return {"completions": []}
    body = context.full_text.partition("\n")[2] if is_cell else ""
    fragment, offers = complete(line, scope(shell.user_ns, verbs, body))
    # where nothing fits, what is there stays: IPython heeds "suppress" only beside a completion
    completions = [SimpleCompletion(text, type=kind) for text, kind in offers or [Offer(fragment, "")]]
    return {"completions": completions, "matched_fragment": fragment, "suppress": True, "ordered": True}


def _complete(verbs: Sequence[str], shell: InteractiveShell, event: Any) -> list[str]:
    """The hook of older IPythons, which complete from the last comma, bracket or blank on."""
    fragment, offers = complete(event.text_until_cursor.lstrip(), scope(shell.user_ns, verbs, ""))
    begun = fragment[: len(fragment) - len(event.symbol)] if fragment.endswith(event.symbol) else ""
    return [offer.text[len(begun) :] for offer in offers]


def scope(names: dict[str, Any], verbs: Sequence[str], body: str) -> Scope:
    """What the user has defined, and the cell is about to."""
    own = {name: thing for name, thing in names.items() if not name.startswith("_") and name not in ("In", "Out")}
    functions = [name for name, thing in own.items() if isinstance(thing, types.FunctionType) or _is_hyper_model(thing)]
    return Scope(
        data=[name for name, thing in own.items() if _is_data(thing)],
        functions=functions,
        searches=[name for name, thing in own.items() if type(thing).__name__ == "Search"],
        verbs=verbs,
        parameters=lambda function: _parameters(function, own, body),
    )


def _is_data(thing: Any) -> bool:
    """Arrays, DataFrames, tensors, datasets, lists and dicts of them."""
    if isinstance(thing, (str, bytes, types.ModuleType, type)) or callable(thing):
        return False
    return any(hasattr(thing, name) for name in ("shape", "element_spec", "__len__"))


def _is_hyper_model(thing: Any) -> bool:
    return hasattr(thing, "build") and not isinstance(thing, (type, types.ModuleType)) and not hasattr(thing, "get_weights")


def _parameters(function: str, names: dict[str, Any], body: str) -> list[str]:
    """Of a function that has been defined, or of the last one of a cell that may not be complete yet."""
    if function or not body.strip():
        try:
            return list(inspect.signature(names[function]).parameters)
        except (KeyError, TypeError, ValueError):
            return []
    try:
        found = [node for node in ast.parse(body).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        return []
    return [argument.arg for argument in [*found[-1].args.args, *found[-1].args.kwonlyargs]] if found else []
