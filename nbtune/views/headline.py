"""The search in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from nbtune import machine
from nbtune.record.events import DIVERGED, DONE, FAILED, PENDING, RUNNING, STOPPED
from nbtune.record.progress import Progress, duration
from nbtune.record.remaining import seconds_left, share_done, started
from nbtune.views.words import measured, plural, shorten, useful_line


def headline(progress: Progress, now: float) -> str:
    """`running: 31 of 54, about 40 s left; best val_accuracy 0.9833 (layers 2, units 64)`; `now` in seconds since the epoch."""
    return f"{progress.state}: {_how_far(progress, now)}{_found(progress)}"


def interrupted(progress: Progress) -> str:
    """What a page says once the kernel is gone, and the search with it: what was under way is stopped."""
    return f"interrupted: {_stopped(progress)}{_found(progress)}"


def coverage_if_interrupted(progress: Progress) -> str:
    """The coverage that goes with it."""
    cover, running = progress.coverage, sum(trial.status == RUNNING for trial in progress.trials)
    return str(replace(cover, stopped=cover.stopped + running, pending=cover.pending - running))


def all_went_wrong(progress: Progress) -> bool:
    """Whether it is over, and nothing came of it."""
    trials = progress.trials
    return bool(trials) and all(trial.status in (FAILED, DIVERGED) for trial in trials)


def _found(progress: Progress) -> str:
    """The best trial, or why there is none."""
    best = progress.best_so_far
    if best is None:
        wrong = [trial for trial in progress.trials if trial.status in (FAILED, DIVERGED)]
        reason = shorten(useful_line(wrong[0].error or ""), 120) if wrong else ""
        return f"; {'no network could be trained' if all_went_wrong(progress) else 'so far'}: {reason}" if reason else ""
    values = f" ({best.label})" if best.label else ""
    return f"; best{' so far' if best.provisional else ''} {progress.objective.name} {measured(best)}{values}"


def spoken(progress: Progress) -> str:
    """The same for a screen reader, which reads it out whenever it changes: with the state, and with each tenth."""
    if progress.state == "planned":
        return "Search planned"
    tenths = int(10 * share_done(progress))
    best = progress.best if progress.state != "running" else None
    found = f", best {progress.objective.name} {measured(best)}" if best else ""
    return f"Search {progress.state}, {10 * tenths} % done{_bad(progress) if found else ''}{found}"


def _how_far(progress: Progress, now: float) -> str:
    trials = progress.trials
    if progress.state == "planned":
        before = f"{progress.ended:,} done before" if progress.ended else "nothing trained yet"
        return f"{plural(len(trials), 'combination')}, {before}"
    count = f"{progress.ended:,} of {len(trials):,}"
    if progress.state == "running":
        return f"{count}{_bad(progress)}, {progress.reason or _time_left(progress, now)}"
    if progress.state == "paused":
        when = "resume within 10 minutes, before Binder ends the session" if machine.on_binder() else "resume when you like"
        return f"{count}{_bad(progress)}, {progress.reason or when}"
    spent = progress.seconds_spent(now)
    reason = f", {progress.reason}" if progress.reason else ""
    lasted = f" in {duration(spent)}" if spent >= 0.5 else ""
    if progress.state != "finished" and any(trial.status == STOPPED for trial in trials):
        return f"{_stopped(progress)}{lasted}{reason}"
    return f"{count}{lasted}{_bad(progress)}{reason}"


def _stopped(progress: Progress) -> str:
    """`0 done, 21 stopped early, 6 not reached of 27`, which add up."""
    status = Counter(trial.status for trial in progress.trials)
    counts = [(status[DONE], "done"), (status[STOPPED] + status[RUNNING], "stopped early"), (status[FAILED], FAILED)]
    counts += [(status[DIVERGED], DIVERGED), (status[PENDING], "not reached")]
    return ", ".join(f"{n:,} {name}" for n, name in counts if n or name == "done") + f" of {len(progress.trials):,}"


def _bad(progress: Progress) -> str:
    counts = [(sum(trial.status == status for trial in progress.trials), status) for status in (FAILED, DIVERGED)]
    return "".join(f", {n:,} {status}" for n, status in counts if n)


def _time_left(progress: Progress, now: float) -> str:
    """Coarse, so that the line does not tick with every second."""
    left, preparing = seconds_left(progress, now), _preparing(progress)
    if left is None:
        return preparing or _under_way(progress)
    before = f"{preparing}, " if preparing else ""
    if left < 5:
        return f"{before}a few seconds left"
    step = 5 if left < 120 else 30 if left < 3600 else 300
    return f"{before}about {duration(step * round(left / step))} left"


def _preparing(progress: Progress) -> str:
    """`compiling the first stack: 24 networks` as long as nothing trains; "" where something does."""
    going = [[trial for trial in stack if trial.status == RUNNING] for stack in started(progress.trials)]
    going = [stack for stack in going if stack]
    if any(trial.begun is not None for stack in going for trial in stack):
        return ""
    which = "next" if any(trial.started is not None and trial.ended for trial in progress.trials) else "first"
    if going:
        return f"compiling {_stacks([len(stack) for stack in going], which)}"
    pending = {trial.id for trial in progress.trials if trial.status == PENDING}
    units = [len(unit.trials) for unit in progress.units if pending.issuperset(unit.trials)]
    return f"building {_stacks(units[: max(progress.workers, 1)], which)}" if units else ""


def _stacks(sizes: Sequence[int], which: str) -> str:
    """`the first 2 stacks: 54 networks`; of networks that are trained one by one `the first network`."""
    count = "" if len(sizes) == 1 else f"{len(sizes):,} "
    if max(sizes) == 1:
        return f"the {which} {count}network{'s' * (len(sizes) > 1)}"
    return f"the {which} {count}stack{'s' * (len(sizes) > 1)}: {plural(sum(sizes), 'network')}"


def _under_way(progress: Progress) -> str:
    """`24 under way, 3.4 of 30 epochs`, which is how far the first of them is."""
    running = [trial for trial in progress.trials if trial.status == RUNNING]
    if not running:
        return "starting"
    epochs = max(trial.epochs + trial.share for trial in running)
    far = f", {f'{epochs:.1f}'.removesuffix('.0')} of {progress.epochs:,} epochs" if epochs else ""
    return f"{len(running):,} under way{far}"
