"""The one road from what was asked to a search that runs: of the magics, the panel and `nbtune.tune`."""

from __future__ import annotations

from collections.abc import Callable

from nbtune.ask.names import check_installed
from nbtune.execution.local.warm import Pool
from nbtune.run.lifecycle import Run
from nbtune.run.opening import Cancel
from nbtune.run.request import Request
from nbtune.search import Search
from nbtune.views.findings import marked
from nbtune.views.screen import Screen


def launch(
    request: Request,
    name: str,
    pool: Pool,
    keep: Callable[[Search], object] = lambda search: None,
    screen: Screen | None = None,
    cancel: Cancel | None = None,
) -> Search:
    """Starts what was asked for, or only plans it where that is what was asked for.

    Args:
        keep: gets the search before it starts.
        screen: where it shows; the cell that runs if left out.
        cancel: called from another thread, it has this raise an error, unless it comes too late.
    """
    for tracker in request.options.log:
        check_installed(tracker)
    screen = screen or Screen()
    with screen.notice("Starting the workers …"):
        run = Run(request, name, pool, cancel)
    how = "Cross-validated in" if request.options.folds else "Validated on"
    told = request.options.folds or request.data.split_here
    run.progress.notes = (*run.notes, *([f"{how} {run.plan.held_out}."] if told else []))
    search = Search(run, screen)
    keep(search)
    if request.options.plan:
        for line in (*run.notes, *map(marked, run.progress.advice)):
            print(line)
    else:
        search.resume()
    return search
