"""What `%%tune?` prints."""

from __future__ import annotations

import textwrap

from nbtune.ask.option import GROUPS, Option
from nbtune.ask.options import table

_EXAMPLE = """\
Example:
  %%tune --data x,y --layers 1:3 --units 16,64 --learning-rate log:1e-4:1e-2:3
  def build(layers, units):
      import keras
      model = keras.Sequential([keras.Input((64,))])
      for _ in range(layers):
          model.add(keras.layers.Dense(units, activation="relu"))
      model.add(keras.layers.Dense(10, activation="softmax"))
      return model

  search.best_hyperparameters"""


def help_text() -> str:
    """The options by group, and an example."""
    lines = [
        "%%tune [NAME] --data X,Y [options]",
        "<a cell that defines a model-building function>",
        "",
        "Trains every combination of the axes and keeps the search in NAME (`search` if left out).",
        "VALUES: a list 16,32,64; whole numbers 1:3 or 1:9:2, both ends included; log:1e-4:1e-2:3; {expression} or $name.",
        "In [brackets]: what holds if the option is left out.",
        "",
        *_EXAMPLE.splitlines(),
    ]
    for group, title in GROUPS.items():
        lines += ["", f"{title}:"]
        for option in table().values():
            if option.group == group:
                lines += _lines(option)
    return "\n".join(lines)


def _lines(option: Option) -> list[str]:
    left = f"  {option.flag} {option.metavar}".rstrip()
    right = option.help + (f" [{option.shown_default}]" if option.shown_default else "")
    first, *rest = textwrap.wrap(right, 80)
    return [f"{left:<32}{first}", *(" " * 32 + more for more in rest)]
