"""Numbers and names, as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nbtune.record.progress import Trial, show

MISSING = "–"


def score_text(score: float | None) -> str:
    """Four digits: `0.9833`, `1.234e+04`; nothing for None."""
    if score is None:
        return ""
    return f"{score:.4f}" if score == 0 or 0.001 <= abs(score) < 1000 else f"{score:.4g}"


def measured(trial: Trial) -> str:
    """The score, with its spread over seeds and folds where there are several: `0.9833 ± 0.0040`."""
    return score_text(trial.score) + ("" if trial.std is None else f" ± {score_text(trial.std)}")


def short_score(score: float) -> str:
    """Three digits, for a small place: `0.983`, `12.3`."""
    return f"{score:.3f}" if 0.01 <= abs(score) < 10 else f"{score:.3g}"


def short_spread(score: float, std: float) -> str:
    """A spread with as many decimals as its `short_score`: `±0.004`."""
    return f"±{std:.3f}" if 0.01 <= abs(score) < 10 else f"±{std:.2g}"


def shorten(text: str, most: int) -> str:
    """At most `most` characters, the middle left out."""
    if len(text) <= most:
        return text
    head = max(most - 1, 1) // 2 + 1
    tail = max(most - 1 - head, 0)
    return f"{text[:head]}…{text[len(text) - tail :]}"


def squeeze(parts: Iterable[str], most: int) -> str:
    """`1 · 0.001 · categor…ropy`: the parts in a line of at most `most` characters, the longest parts shortened first."""
    texts = list(parts)
    longest = max(map(len, texts), default=0)
    while len(" · ".join(texts)) > most and longest > 3:
        longest -= 1
        texts = [shorten(text, longest) for text in texts]
    return shorten(" · ".join(texts), most)


def plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def hyperparameters(trials: Iterable[Trial]) -> list[str]:
    """Every hyperparameter that some trial has, in grid order."""
    return list(dict.fromkeys(name for trial in trials for name in trial.values))


def varying(trials: Sequence[Trial]) -> list[str]:
    """The hyperparameters that tell trials apart; all of them where none does."""
    names = hyperparameters(trials)
    return [name for name in names if len({value_text(trial, name) for trial in trials}) > 1] or names


def value_text(trial: Trial, name: str) -> str:
    return show(trial.values[name]) if name in trial.values else MISSING


# What TensorFlow puts around the one line of an error that helps.
_NOISE = re.compile(
    r"\[\[.*\]\]|Graph execution error:?$|Detected at node|<stack traces unavailable>|Stack trace for op|\d+ root error|"
    r"File \"|Arguments received by|  [•*]|Use `|\^+$|\(\d+\) |Hint: |This error may be due"
)
_TYPE = re.compile(r"(?:\w+\.)*(\w+(?:Error|Exception|Exit|Interrupt|Warning)|[A-Z]\w+): ?(.*)")


def useful_line(error: str) -> str:
    """The line of a traceback that says what went wrong: `ValueError: no such loss`.

    That is the last one but for what TensorFlow adds: `InvalidArgumentError: Incompatible shapes: [32] vs. [32,10]`.
    """
    lines = error.strip().splitlines()
    starts = [i for i, line in enumerate(lines) if line[:1].strip() and _TYPE.match(line)]
    if not starts:
        return lines[-1].strip() if lines else ""
    kind, first = _TYPE.match(lines[starts[-1]]).groups()  # type: ignore[union-attr]
    said = [line.strip() for line in (first, *lines[starts[-1] + 1 :])]
    useful = [line for line in said if line and not _NOISE.search(line)] or [line for line in said if line]
    return f"{kind}: {useful[0]}" if useful else kind
