"""Grid search over Keras models, in a notebook: `%load_ext nbtune`, then `%%tune`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbtune.errors import BuildError, UsageError

if TYPE_CHECKING:
    from nbtune.panel.setup import Panel
    from nbtune.range_test import lr_range
    from nbtune.record.progress import Coverage, Trial
    from nbtune.report.initial import initial_weights, plot_init
    from nbtune.run.plan import Plan
    from nbtune.run.suggesting import suggest
    from nbtune.search import Search, compare
    from nbtune.tuning import tune

__version__ = "0.1.0"
__all__ = [
    "BuildError",
    "Coverage",
    "Panel",
    "Plan",
    "Search",
    "Trial",
    "UsageError",
    "compare",
    "initial_weights",
    "load_ipython_extension",
    "lr_range",
    "plot_init",
    "suggest",
    "tune",
    "unload_ipython_extension",
]

_LATER = {  # than `import nbtune`: they bring more with them
    "Coverage": "nbtune.record.progress",
    "Panel": "nbtune.panel.setup",
    "Plan": "nbtune.run.plan",
    "Search": "nbtune.search",
    "Trial": "nbtune.record.progress",
    "compare": "nbtune.search",
    "initial_weights": "nbtune.report.initial",
    "lr_range": "nbtune.range_test",
    "plot_init": "nbtune.report.initial",
    "suggest": "nbtune.run.suggesting",
    "tune": "nbtune.tuning",
}


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext nbtune` calls."""
    from nbtune.magic import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext nbtune` calls, and `%reload_ext` before it loads nbtune again."""
    from nbtune.magic import unregister

    unregister(shell)


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'nbtune' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
