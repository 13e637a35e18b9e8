"""What the person at the other end can see and click."""

from __future__ import annotations

import sys
from typing import Any

from nbtune.threads import in_marimo
from nbtune.views.notebook.colab import ColabSurface, has_bridge
from nbtune.views.notebook.surfaces import DisplaySurface, MarimoSurface, PanelSurface
from nbtune.views.surface import Surface
from nbtune.views.terminal import TerminalSurface


def clicks_work(shell: Any) -> bool:
    """Whether buttons in this cell's output reach the kernel.

    Jupyter's frontends say in each request that they can ask a person for input; nbclient, nbconvert and papermill say
    that they cannot: nobody is there. Colab shows nothing that a thread changes after the cell.

    Args:
        shell: IPython's shell, or None outside of IPython.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None or "google.colab" in sys.modules:
        return False
    request = kernel.get_parent("shell")
    return bool(request.get("content", {}).get("allow_stdin", False))


def in_terminal() -> bool:
    """Whether this is IPython without a notebook."""
    shell = current_shell()
    return shell is not None and getattr(shell, "kernel", None) is None


def current_shell() -> Any:
    """IPython's shell; None in a plain Python process, where IPython may not even be imported."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def surface_for(shell: Any, clicks: bool, waits: bool = True) -> Surface:
    """Where a search that starts now shows itself.

    Args:
        shell: as in `clicks_work`.
        waits: the cell does not end before the search, and until then nothing else reaches the kernel.
    """
    if in_marimo():
        return MarimoSurface()
    if getattr(shell, "kernel", None) is None:
        return TerminalSurface()
    if has_bridge() and not waits:
        return ColabSurface()
    return PanelSurface() if clicks else DisplaySurface()
