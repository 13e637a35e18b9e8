"""The leaderboard, what was covered, and what failed: as HTML and as plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from nbtune.record.events import DIVERGED, FAILED, PENDING, RUNNING
from nbtune.record.progress import Progress, Trial
from nbtune.record.ties import SIGN, explanation, ties
from nbtune.views.verdict import MEANS, gap, verdicts
from nbtune.views.words import hyperparameters, measured, plural, shorten, useful_line, value_text

MOST_FAILURES = 5
SIZE = "how many numbers the network learns or keeps, as Keras's count_params says"
GAP = "how much better its best epoch is on the training data than on the validation data"


@dataclass(frozen=True)
class Column:
    name: str
    right: bool


@dataclass(frozen=True)
class Failure:
    """Trials that went wrong in the same words.

    `status` is "failed" or "diverged", `reason` the last line of the error, `error` the first one's in full.
    """

    status: str
    reason: str
    trials: tuple[Trial, ...]

    @property
    def error(self) -> str:
        return self.trials[0].error or ""

    def __str__(self) -> str:
        first = self.trials[0].label
        where = f"{len(self.trials):,} trials, first {first}" if len(self.trials) > 1 else first
        return f"{self.status}: {shorten(self.reason, 200) or 'no reason given'} ({where})"


@dataclass(frozen=True)
class Fact:
    """A column of what came of a trial: `text` as it is shown, `key` to sort by (None stands last), `means` in words."""

    name: str
    right: bool
    text: Callable[[Trial], str]
    key: Callable[[Trial], float | str | None]
    means: str = ""


def facts(progress: Progress) -> list[Fact]:
    """The objective, the gap to the training data and a word on it, weights where their number differs, best epoch, and so on."""
    tied = ties(progress)
    gaps = {trial.id: found for trial in progress.trials if (found := gap(trial, progress)) is not None}
    words = verdicts(progress)
    sizes = len({trial.size for trial in progress.trials if trial.size})
    fit = [
        Fact("gap", True, lambda t: f"{gaps[t.id]:+.3g}" if t.id in gaps else "", lambda t: gaps.get(t.id), GAP),
        Fact("fit", False, lambda t: words.get(t.id, ""), lambda t: words.get(t.id), MEANS),
    ]
    return [
        Fact(progress.objective.name, True, lambda t: _score(t, t.id in tied), lambda t: t.score),
        *(fit if gaps else ()),
        *(Fact("weights", True, lambda t: f"{t.size:,}" if t.size else "", lambda t: t.size, SIZE) for _ in range(sizes > 1)),
        Fact("best epoch", True, lambda t: str(t.best_epoch or ""), lambda t: t.best_epoch),
        Fact("epochs", True, lambda t: str(t.epochs or ""), lambda t: t.epochs or None),
        Fact("seconds", True, lambda t: f"{t.seconds:.1f}" if t.ended else "", lambda t: t.seconds if t.ended else None),
        Fact("status", False, lambda t: t.status, lambda t: t.status),
    ]


def _score(trial: Trial, tie: bool) -> str:
    return f"{SIGN + ' ' if tie else ''}{measured(trial)}{' so far' if trial.provisional else ''}"


def columns(progress: Progress) -> list[Column]:
    """Rank, each hyperparameter and the facts; numbers stand at the right."""
    trials = progress.trials
    names = [Column(name, all(is_number(trial.values.get(name, 0)) for trial in trials)) for name in hyperparameters(trials)]
    return [Column("rank", True), *names, *(Column(fact.name, fact.right) for fact in facts(progress))]


def listed(progress: Progress) -> tuple[list[Trial], list[Trial]]:
    """What a table shows from top to bottom: the ranking, and then what is under way or ended without a score."""
    trials = progress.trials
    running = [trial for trial in trials if trial.status == RUNNING and trial.score is None]
    return progress.standing, [*running, *(trial for trial in trials if trial.ended and trial.score is None)]


def rows(progress: Progress, most: int = 10) -> list[list[str]]:
    """The texts under `columns`."""
    names, own = hyperparameters(progress.trials), facts(progress)
    ranked, others = listed(progress)
    shown = [*((str(i), trial) for i, trial in enumerate(ranked, 1)), *(("", trial) for trial in others)][:most]
    return [[rank, *(value_text(t, name) for name in names), *(fact.text(t) for fact in own)] for rank, t in shown]


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def failures(progress: Progress) -> list[Failure]:
    """The most frequent first."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in progress.trials:
        if trial.status in (FAILED, DIVERGED):
            groups.setdefault((trial.status, useful_line(trial.error or "")), []).append(trial)
    found = [Failure(status, reason, tuple(trials)) for (status, reason), trials in groups.items()]
    return sorted(found, key=lambda failure: -len(failure.trials))


def _more(progress: Progress, most: int) -> str:
    """Says so where the table leaves something out."""
    shown = sum(trial.status != PENDING for trial in progress.trials)
    return f" · the table shows the first {most}" if shown > most else ""


def trained_alone(progress: Progress) -> list[str]:
    """What could not be trained together, and why: a line for each reason. A trial that failed says so itself."""
    counts = Counter(trial.alone for trial in progress.trials if trial.alone and trial.status != FAILED)
    return [f"{plural(count, 'trial')} trained one by one: {reason}" for reason, count in counts.most_common()]


def table_html(progress: Progress, most: int = 10) -> str:
    """Leaderboard, coverage and failures as HTML that needs nothing else."""
    return leaderboard_html(progress, most) + failures_html(progress)


def leaderboard_html(progress: Progress, most: int = 10) -> str:
    """The leaderboard and the coverage; alignment is also said in attributes, because GitHub takes styles away."""
    heads, texts = columns(progress), rows(progress, most)
    parts = []
    if texts:
        head = "".join(_cell("th", column, column.name, ' scope="col"') for column in heads)
        body = "".join(f"<tr>{_body(heads, row)}</tr>" for row in texts)
        parts.append(f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')
    told = explanation(progress)
    parts += [f"<p>{escape(told)}</p>"] if told else []
    parts.append(f"<p>{escape(str(progress.coverage))}{escape(_more(progress, most))}</p>")
    return "".join([*parts, *(f"<p>{escape(line)}</p>" for line in trained_alone(progress))])


def failures_html(progress: Progress) -> str:
    """Each kind of failure as a line that opens to the error in full."""
    bad = failures(progress)
    parts = [_details(failure) for failure in bad[:MOST_FAILURES]]
    if len(bad) > MOST_FAILURES:
        parts.append(f"<p>and {plural(len(bad) - MOST_FAILURES, 'other problem')}</p>")
    return "".join(parts)


def _body(heads: Sequence[Column], row: Sequence[str]) -> str:
    best = row[0] == "1"
    return "".join(_cell("td", column, text, bold=best) for column, text in zip(heads, row, strict=True))


def _cell(tag: str, column: Column, text: str, more: str = "", bold: bool = False) -> str:
    side = "right" if column.right else "left"
    words = escape(text).replace("_", "_<wbr>")  # where a long name may go on in the next line
    inner = f"<b>{words}</b>" if bold and text else words
    return f'<{tag} align="{side}" style="text-align:{side};padding:.2em .5em"{more}>{inner}</{tag}>'


def _details(failure: Failure) -> str:
    error = f'<pre style="overflow-x:auto">{escape(failure.error)}</pre>'
    return f"<details><summary>{escape(str(failure))}</summary>{error}</details>"


def table_text(progress: Progress, most: int = 10) -> str:
    """The same for a terminal, without the errors in full."""
    heads, texts = columns(progress), rows(progress, most)
    lines = []
    if texts:
        widths = [max(map(len, column)) for column in zip([head.name for head in heads], *texts, strict=True)]
        for row in ([head.name for head in heads], *texts):
            aligned = [t.rjust(w) if head.right else t.ljust(w) for t, w, head in zip(row, widths, heads, strict=True)]
            lines.append("  ".join(aligned).rstrip())
        lines.append("")
    lines += [told] if (told := explanation(progress)) else []
    lines.append(str(progress.coverage) + _more(progress, most))
    lines += trained_alone(progress)
    bad = failures(progress)
    lines += [str(failure) for failure in bad[:MOST_FAILURES]]
    if len(bad) > MOST_FAILURES:
        lines.append(f"and {plural(len(bad) - MOST_FAILURES, 'other problem')}")
    return "\n".join(lines)
