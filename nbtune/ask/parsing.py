"""A `%%tune` line → the text of each option → `Options`."""

from __future__ import annotations

import argparse
import dataclasses
import keyword
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from nbtune.ask.option import Option, Reads, flag
from nbtune.ask.options import Options, nearest, table
from nbtune.ask.values import Evaluate, expand, split
from nbtune.errors import UsageError, about

DEFAULT_NAME = "search"


def read(line: str) -> tuple[str, dict[str, Any]]:
    """Splits a `%%tune` line into the name of its search and the text of each option; nothing is evaluated.

    Raises:
        UsageError: an unknown option, or one without its value.
    """
    words = split(line)
    for word in words:
        if word[0] in "–—":  # as word processors and chats write two hyphens
            name = word.lstrip("–—-").partition("=")[0]
            raise UsageError(f"{word} begins with a long dash" + (nearest(name, flag) or "; options begin with --"))
    name = words.pop(0) if words and not words[0].startswith("-") else DEFAULT_NAME
    if words and not words[0].startswith("-"):
        raise UsageError(f"{words[0]!r} is one word too many; the name of a search is one word: %%tune {name}_{words[0]} …")
    found = vars(_parser().parse_args(words))
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{name!r} cannot be the name of a variable; write %%tune my_search --data x,y")
    return name, {key: text for key, text in found.items() if text is not None}


def typed(texts: Mapping[str, Any], evaluate: Evaluate, defaults: Mapping[str, Any] | None = None) -> Options:
    """Options from the texts of `read`.

    Args:
        evaluate: the value of an expression in the user's namespace.
        defaults: values for options that the line leaves out.

    Raises:
        UsageError: as `Options.of`.
    """
    values = {}
    for key, text in texts.items():
        with about(key):
            values[key] = _from_text(table()[key], text, evaluate)
    return dataclasses.replace(Options.of(**{**(defaults or {}), **values}), texts=texts)


def _from_text(option: Option, text: Any, evaluate: Evaluate) -> Any:
    match option.reads:
        case Reads.SWITCH | Reads.YES_NO:
            return text
        case Reads.EXPRESSION:
            return evaluate(text.removeprefix("$"))
        case Reads.ADDRESS:
            return expand(text, evaluate) if ":" in text or text[0] in "{$" else evaluate(text)
        case Reads.TEXT:
            return text
        case Reads.PAIRS:
            return _pairs(option, text, evaluate)
        case _:
            return expand(text, evaluate)


def _pairs(option: Option, texts: Sequence[str], evaluate: Evaluate) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise UsageError(f"{option.flag} {name}: write {option.flag} NAME=VALUES, like {option.flag} dropout=0,0.2")
        with about(name):
            if name in found:
                raise UsageError(f"{option.flag} {name} is given twice; one list holds all of its values")
            found[name] = expand(values, evaluate)
    return found


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        message = message.replace("argument ", "").replace(": expected one argument", " needs a value")
        raise UsageError(f"{message}; %%tune? shows which")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            raise _unknown(rest[0], args, found)
        return found


def _unknown(word: str, line: Sequence[str], found: Any) -> UsageError:
    """What to say of a word that is no option and no option's value."""
    before = line[line.index(word) - 1] if word in line[1:] else ""
    for option in table().values():
        pairs = getattr(found, option.name) if option.reads is Reads.PAIRS else None
        if before.isidentifier() and before in (pairs or ()):
            return UsageError(f"{option.flag} {before}: write {option.flag} {before}={word}", before)
    if not word.startswith("-"):
        lists = [option.flag for option in table().values() if option.is_axis or option.name in ("data", "validation_data")]
        at = line.index(word) - 2
        how = f"write {line[at]} {before},{word}" if at >= 0 and line[at] in lists else "a list has commas, like 16,32,64"
        return UsageError(f"{word!r} is one word too many; {how}")
    name, equals, values = word.partition("=")
    if name in ("-h", "--help", "-?"):
        return UsageError(f"unknown option {name}; %%tune? shows the help")
    hint = nearest(name, flag)
    if not hint and name.startswith("--"):
        parameter = name.lstrip("-").replace("-", "_")
        following = line[line.index(word) + 1 :][:1]
        shown = values if equals else following[0] if following and not following[0].startswith("-") else "VALUES"
        hint = f"; for a parameter of your function write --axis {parameter}={shown}" if parameter.isidentifier() else ""
    return UsageError(f"unknown option {name}{hint}; %%tune? lists the options")


class _Once(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            raise UsageError(f"{option_string} is given twice; one list holds all of its values", self.dest)
        setattr(namespace, self.dest, " ".join(values) if isinstance(values, list) else values)


_ACTIONS: Mapping[Reads, Any] = {
    Reads.YES_NO: argparse.BooleanOptionalAction,
    Reads.SWITCH: "store_true",
    Reads.PAIRS: "append",
}


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    for option in table().values():
        settings: dict[str, Any] = {"nargs": "+"} if option.reads is Reads.TEXT else {}
        parser.add_argument(option.flag, dest=option.name, default=None, action=_ACTIONS.get(option.reads, _Once), **settings)
    return parser
