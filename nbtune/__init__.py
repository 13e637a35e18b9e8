"""Grid search over Keras models, in a notebook: `%load_ext nbtune`, then `%%tune`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtune.errors import BuildError, UsageError

if TYPE_CHECKING:
    from nbtune.panel.setup import Panel
    from nbtune.search import Search, tune

__version__ = "0.1.0"
__all__ = ["BuildError", "Panel", "Search", "UsageError", "load_ipython_extension", "tune"]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext nbtune` calls."""
    from nbtune.magic import register

    register(shell)


def __getattr__(name: str) -> Any:
    if name in ("Search", "tune"):  # later than `import nbtune`: they bring more with them
        from nbtune import search

        return getattr(search, name)
    if name == "Panel":
        from nbtune.panel.setup import Panel

        return Panel
    raise AttributeError(f"module 'nbtune' has no attribute {name!r}")
