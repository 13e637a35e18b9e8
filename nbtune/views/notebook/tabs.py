"""The plots that a panel shows as tabs beside curves and map; each is drawn when it is asked for."""

from __future__ import annotations

import base64
from dataclasses import astuple

from nbtune.errors import UsageError
from nbtune.record.progress import Progress
from nbtune.views.figures.parallel import parallel_info
from nbtune.views.notebook import schema
from nbtune.views.surface import Controls
from nbtune.views.words import score_text

# What to see in each of them.
CAPTIONS = {
    "parallel": (
        "Each line is one combination, from its values to its score at the right. Drag along an axis to keep only the lines that "
        "pass there, and see where they end; a click on a line chooses its trial."
    ),
    "importance": (
        "How much of the differences between scores each hyperparameter explains. Try more values of the long bars; the short "
        "ones can stay as they are."
    ),
    "slice": (
        "The score by one hyperparameter at a time. Where the line is flat, the value matters little; where it still rises at an "
        "end, better values may lie beyond."
    ),
    "size": "Score and seconds by number of weights. Bigger networks are worth it only as long as the points still get better.",
    "lr": "The learning rate of each trial by epoch: what a schedule or a plateau made of it.",
    "init": (
        "What the best network started from, and how a first batch passes through it. The spread should stay about the same from "
        "layer to layer: where it shrinks to nothing or explodes, nothing is learned."
    ),
}


def tab(name: str, progress: Progress, search: Controls) -> schema.Tab:
    """A plot as it is now, or the reason why there is none yet.

    Args:
        name: one of `CAPTIONS`.
    """
    found = schema.Tab(name=name, caption=CAPTIONS[name], problem="", picture="", parallel=None)
    try:
        if name == "parallel":
            found["parallel"] = _parallel(progress)
        else:
            figure = search.plot(name)
            found["picture"] = base64.b64encode(figure._repr_png_()).decode("ascii")  # type: ignore[attr-defined]
    except UsageError as error:
        found["problem"] = str(error)
    return found


def _parallel(progress: Progress) -> schema.Parallel:
    info = parallel_info(progress)
    if not info.lines:
        raise UsageError("no combination has ended with a score yet")
    places = {trial.id: i for i, trial in enumerate(progress.trials)}
    lines = [schema.ParallelLine(trial=places[line.trial], places=list(line.places), score=line.score) for line in info.lines]
    low, high = info.limits
    return schema.Parallel(
        objective=info.objective,
        sides=[schema.Side(name=name, values=list(values)) for name, values in map(astuple, info.sides)],
        lines=lines,
        low=low,
        high=high,
        largest_is_best=info.direction == "max",
        best=score_text(info.lines[-1].score),
    )
