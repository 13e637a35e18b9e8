"""The options, listed nowhere else: lines, keywords, help, completion, panel, fingerprint and stacks derive from this."""

from __future__ import annotations

from dataclasses import dataclass

from nbtune.ask.table.axes import Axes
from nbtune.ask.table.combinations import Combinations
from nbtune.ask.table.data import DataOptions
from nbtune.ask.table.fitting import Fitting
from nbtune.ask.table.running import Running


@dataclass(frozen=True)
class Table(Running, Combinations, Fitting, DataOptions, Axes):
    """Name, type, default and entry of each option, in the order of the help: that of the last base first."""
