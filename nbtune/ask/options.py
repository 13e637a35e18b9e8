"""Every option, once: what it is called, how its text is read, what it accepts, its default and its help.

`%%tune` lines and `nbtune.tune` keywords both end in one `Options`, checked by one set of rules.
"""

from __future__ import annotations

import argparse
import dataclasses
import keyword
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NoReturn

from nbtune.ask import names
from nbtune.ask.objective import Objective
from nbtune.ask.space import Axis
from nbtune.ask.strategy import ENGINES
from nbtune.ask.values import Evaluate, expand, read_value, read_values, split
from nbtune.errors import UsageError, did_you_mean
from nbtune.machine import SHARED_MB, WORKER_MB

Check = Callable[[str, Any], Any]


def _axis(check_value: Callable[[str, Any], None] | None = None, spell: Callable[[str], str] = str) -> Check:
    def check(name: str, values: Any) -> Axis | None:
        if values is None or isinstance(values, Axis):
            return values
        axis = Axis.of(name, _listed(values, spell))
        for value in axis.values:
            if check_value and value not in axis.objects:
                check_value(name, value)
        return axis

    return check


def _listed(values: Any, spell: Callable[[str], str]) -> Any:
    """The values of a text; names in Keras's own spelling."""
    values = read_values(values) if isinstance(values, str) else values
    return [spell(v) if isinstance(v, str) else v for v in values] if isinstance(values, (list, tuple)) else values


def _count(least: int) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise UsageError(f"{name}: {value!r} is not a whole number of {least} or more")

    return check


def _rate(name: str, value: Any) -> None:
    if isinstance(value, (bool, str)) or value <= 0:
        raise UsageError(f"{name}: {value!r} is not a number above 0")


def _one_of(known: Iterable[str]) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        text = str(value)
        if text in names.ELSEWHERE and names.ELSEWHERE[text] in known:
            raise UsageError(f"{name}: Keras calls {text!r} {names.ELSEWHERE[text]!r}")
        if not isinstance(value, str) or names.canonical(text.lower()) not in known:
            hint = did_you_mean(text.lower(), known) or f"; Keras has {', '.join(sorted(known))}"
            raise UsageError(f"{name}: unknown {name} {value!r}{hint}")

    return check


def _names(known: Iterable[str]) -> Check:
    return _axis(_one_of(known), str.lower)


def _whole(least: int, also: Mapping[Any, Any] | None = None) -> Check:
    def check(name: str, value: Any) -> Any:
        value = read_value(value) if isinstance(value, str) else value
        if also and (isinstance(value, str) or value is None) and value in also:
            return also[value]
        _count(least)(name, value)
        return int(value)

    return check


def _number(low: float, below: float) -> Check:
    def check(name: str, value: Any) -> float:
        value = read_value(value) if isinstance(value, str) else value
        if isinstance(value, bool) or not isinstance(value, Real) or not low <= float(value) < below:
            bounds = f"of {low:g} or more" + (f" and below {below:g}" if below != float("inf") else "")
            raise UsageError(f"{name}: {value!r} is not a number {bounds}")
        return float(value)

    return check


def _objective(name: str, value: Any) -> Objective | None:
    if not isinstance(value, (str, Objective, type(None))):
        raise UsageError(f"{name}: {value!r} is no name of a metric; write val_accuracy, or max:val_my_metric")
    return Objective.of(value) if isinstance(value, str) else value


def _custom_axes(name: str, value: Any) -> tuple[Axis, ...]:
    if value is None or (isinstance(value, (list, tuple)) and all(isinstance(axis, Axis) for axis in value)):
        return tuple(value or ())
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} must be a dict of names and values, like axis={{'dropout': [0, 0.2]}}")
    for key in value:
        if not isinstance(key, str) or not key.isidentifier():
            raise UsageError(f"{name}: {key!r} cannot be the name of a parameter")
    return tuple(Axis.of(key, read_values(v) if isinstance(v, str) else v) for key, v in value.items())


def _engine(name: str, value: Any) -> str:
    if value not in ENGINES:
        raise UsageError(f"{name}: {value!r} is none of {', '.join(ENGINES)}{did_you_mean(str(value), ENGINES)}")
    return str(value)


def _megabytes(name: str, value: Any) -> float | None:
    if value is None:
        return None
    limit, least = _number(1, float("inf"))(name, value), SHARED_MB + WORKER_MB
    if limit < least:
        raise UsageError(f"{name}: one worker alone takes {least:,} MB, most of it TensorFlow; give at least that")
    return limit


def _seconds(name: str, value: Any) -> float | None:
    return None if value is None else _number(1e-3, float("inf"))(name, value)


def _as_is(name: str, value: Any) -> Any:
    return value


def _option(default: Any, group: str, metavar: str, help: str, check: Check = _as_is) -> Any:
    return dataclasses.field(default=default, metadata={"group": group, "metavar": metavar, "help": help, "check": check})


@dataclass(frozen=True)
class Options:
    """Everything that can be asked for, checked. Build with `Options.of`, or with `Options.read` and `Options.typed`."""

    layers: Axis | None = _option(None, "axes", "VALUES", "numbers of hidden layers", _axis(_count(0)))
    units: Axis | None = _option(None, "axes", "VALUES", "units in a layer", _axis(_count(1)))
    axis: tuple[Axis, ...] = _option(
        (), "axes", "NAME=VALUES", "any other parameter of the function; may be repeated", _custom_axes
    )
    learning_rate: Axis | None = _option(None, "axes", "VALUES", "learning rates of the optimizer", _axis(_rate))
    loss: Axis | None = _option(None, "axes", "VALUES", "losses, by their Keras names", _names(names.LOSSES))
    init: Axis | None = _option(
        None, "axes", "VALUES", "initialisers of every kernel (Glorot uniform if left out)", _names(names.INITIALIZERS)
    )
    optimizer: Axis | None = _option(None, "axes", "VALUES", "optimizers (Adam if left out)", _names(names.OPTIMIZERS))
    batch_size: Axis | None = _option(None, "axes", "VALUES", "rows in a batch (32 if left out)", _axis(_count(1)))

    build: Any = _option(None, "data", "FUNC", "the model-building function, if not the last one in the cell")
    data: Any = _option(
        None, "data", "X,Y[,W]", "features, labels and the rows' weights, or one tf.data.Dataset; names or expressions"
    )
    validation_data: Any = _option(None, "data", "XV,YV[,WV]", "validation data of your own instead of a split")
    validation_split: float = _option(
        0.2, "data", "SHARE", "share of the rows held out to validate: shuffled by seed, stratified", _number(0, 1)
    )

    epochs: int = _option(100, "fitting", "N", "epochs at most", _whole(1))
    patience: int | None = _option(
        5,
        "fitting",
        "N|off",
        "stop a trial after N epochs without improvement; off: train all epochs",
        _whole(0, {"off": None, "none": None, "None": None, None: None}),
    )
    min_delta: float = _option(0.0, "fitting", "D", "what counts as an improvement", _number(0, float("inf")))
    objective: Objective | None = _option(
        None,
        "fitting",
        "NAME",
        "what ranks the trials (val_accuracy for classes, val_mean_absolute_error for numbers)",
        _objective,
    )
    seed: int = _option(0, "fitting", "N", "the seed of the split and of every trial", _whole(0))
    repeats: int = _option(
        1, "fitting", "N", "train each combination with N seeds: the score is their mean, ± their standard deviation", _whole(1)
    )

    engine: str = _option(
        "auto", "running", "auto|fused|trial", "train combinations of one architecture together, or each on its own", _engine
    )
    workers: int | None = _option(
        None, "running", "auto|N", "worker processes; 0: in this process, for the debugger", _whole(0, {"auto": None, None: None})
    )
    memory_limit: float | None = _option(
        None, "running", "MB", "what the workers may hold together; else what machine and container have free", _megabytes
    )
    wait: bool | None = _option(None, "running", "", "stay in the cell until the search has ended, or --no-wait: return at once")
    plan: bool = _option(False, "running", "", "show the size and the cost, train nothing")
    dir: str = _option(".nbtune", "running", "PATH", "where projects are kept", lambda name, value: str(value))
    fresh: bool = _option(False, "running", "", "train everything, whatever an earlier run has left")
    retries: int = _option(1, "running", "N", "how often a trial that failed is tried again", _whole(0))
    trial_timeout: float | None = _option(
        None, "running", "SECONDS", "end a trial that takes longer, and count it as failed", _seconds
    )
    keep: int = _option(5, "running", "N", "trials whose weights stay on disk", _whole(1))

    texts: Mapping[str, str] = dataclasses.field(default_factory=dict)  # what was typed, to write it out again

    @classmethod
    def of(cls, **keywords: Any) -> Options:
        """Options from Python values: the keywords of `nbtune.tune`.

        Raises:
            UsageError: an unknown keyword, or a value that its option does not take.
        """
        known = cls.table()
        for name in keywords:
            if name not in known:
                raise UsageError(f"unknown option {name!r}{did_you_mean(name, known)}")
        return cls(**{name: known[name].metadata["check"](name, value) for name, value in keywords.items()})

    @classmethod
    def read(cls, line: str) -> tuple[str, dict[str, Any]]:
        """Splits a `%%tune` line into the name of its search and the text of each option; nothing is evaluated.

        Raises:
            UsageError: an unknown option, or one without its value.
        """
        words = split(line)
        for word in words:
            if word[0] in "–—":  # as word processors and chats write two hyphens
                name = "--" + word.lstrip("–—-").partition("=")[0]
                raise UsageError(f"{word} begins with a long dash" + (did_you_mean(name, flags()) or "; options begin with --"))
        name = words.pop(0) if words and not words[0].startswith("-") else "search"
        found = vars(_parser().parse_args(words))
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UsageError(f"{name!r} cannot be the name of a variable; write %%tune my_search --data x,y")
        return name, {key: text for key, text in found.items() if text is not None}

    @classmethod
    def typed(cls, texts: Mapping[str, Any], evaluate: Evaluate, defaults: Mapping[str, Any] | None = None) -> Options:
        """Options from the texts of `read`.

        Args:
            evaluate: the value of an expression in the user's namespace.
            defaults: values for options that the line leaves out.

        Raises:
            UsageError: as `of`.
        """
        values = {key: _from_text(key, text, evaluate) for key, text in texts.items()}
        return dataclasses.replace(cls.of(**{**(defaults or {}), **values}), texts=texts)

    @classmethod
    def table(cls) -> dict[str, dataclasses.Field[Any]]:
        """Name to field of every option."""
        return {field.name: field for field in dataclasses.fields(cls) if field.metadata}

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes that were given, in grid order."""
        own = [self.layers, self.units, *self.axis, self.learning_rate, self.loss, self.init, self.optimizer, self.batch_size]
        return tuple(axis for axis in own if axis is not None)


def _from_text(key: str, text: Any, evaluate: Evaluate) -> Any:
    if isinstance(text, bool):
        return text
    if key in ("data", "validation_data", "build"):
        return evaluate(text.removeprefix("$"))
    if key == "axis":
        pairs = [pair.partition("=") for pair in text]
        for name, equals, _ in pairs:
            if not equals or not name.strip().isidentifier():
                raise UsageError(f"--axis {name}: write --axis NAME=VALUES, like --axis dropout=0,0.2")
        names_given = [name.strip() for name, _, _ in pairs]
        for name in names_given:
            if names_given.count(name) > 1:
                raise UsageError(f"--axis {name} is given twice; one list holds all of its values")
        return {name.strip(): expand(values, evaluate) for name, _, values in pairs}
    return expand(text, evaluate)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        message = message.replace("argument ", "").replace(": expected one argument", " needs a value")
        raise UsageError(f"{message}; %%tune? shows which")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = self.parse_known_args(args, namespace)
        if rest:
            word = rest[0].partition("=")[0]
            if not word.startswith("-"):
                raise UsageError(f"{word!r} is one word too many; a list has commas, like 16,32,64")
            raise UsageError(f"unknown option {word}{did_you_mean(word, flags()) or '; %%tune? lists the options'}")
        return found


class _Once(argparse.Action):
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            raise UsageError(f"{option_string} is given twice; one list holds all of its values")
        setattr(namespace, self.dest, values)


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    for field in Options.table().values():
        settings: dict[str, Any] = {"dest": field.name, "default": None, "action": _Once}
        if field.name == "wait":
            settings["action"] = argparse.BooleanOptionalAction
        elif field.default is False:
            settings["action"] = "store_true"
        elif field.name == "axis":
            settings["action"] = "append"
        parser.add_argument(flag(field.name), **settings)
    return parser


def flag(name: str) -> str:
    """`learning_rate` as it is written on a line: `--learning-rate`."""
    return "--" + name.replace("_", "-")


def flags() -> list[str]:
    """Every option as it is written on a line."""
    return [flag(name) for name in Options.table()] + ["--no-wait"]


def help_text() -> str:
    """What `%%tune?` prints."""
    lines = [
        "%%tune [NAME] --data X,Y [options]",
        "<a cell that defines a model-building function>",
        "",
        "Trains every combination of the axes and keeps the search in NAME (`search` if left out).",
        "VALUES: a list 16,32,64; whole numbers 1:3 or 1:9:2, both ends included; log:1e-4:1e-2:3; {expression} or $name.",
    ]
    for group in ("axes", "data", "fitting", "running"):
        lines += ["", f"{group}:"]
        for field in Options.table().values():
            if field.metadata["group"] == group:
                lines += _help_lines(field)
    return "\n".join(lines)


def _help_lines(field: dataclasses.Field[Any]) -> list[str]:
    left = f"  {flag(field.name)} {field.metadata['metavar']}".rstrip()
    shown = field.default not in (None, (), False)
    right = field.metadata["help"] + (
        f" [{field.default:g}]" if shown and isinstance(field.default, float) else f" [{field.default}]" if shown else ""
    )
    first, *rest = textwrap.wrap(right, 80)
    return [f"{left:<32}{first}", *(" " * 32 + more for more in rest)]
