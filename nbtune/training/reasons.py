"""Why trials are not trained together."""

from __future__ import annotations

import itertools
import re
import site
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from nbtune.ask.function import Function
from nbtune.training import model
from nbtune.training.private.missing import Missing
from nbtune.training.tracebacks import message_lines

_NBTUNE = str(Path(__file__).parents[1])
_LOADED = [keras, np, sys.modules.get("tensorflow")]  # which Keras need not train with
_LIBRARIES = [str(Path(str(library.__file__)).parent) for library in _LOADED if library]  # wherever PYTHONPATH has them from
_INSTALLED = (_NBTUNE, sys.prefix, sys.base_prefix, site.getusersitepackages(), *_LIBRARIES, "<")


def is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"  # TensorFlow's


class CannotFuse(Exception):
    """These trials cannot be trained as one computation with the same numbers; the message is the reason."""

    ag_pass_through = True  # TensorFlow would put its own words around the message


class Reason(NamedTuple):
    """In words for a user; `is_fault` where nbtune's own code is to blame."""

    text: str
    is_fault: bool = False


def reason_of(error: Exception, function: Function) -> Reason:
    """Why trials are trained one by one after this error. The traceback of a fault of nbtune is printed, to the workers' log."""
    if isinstance(error, (CannotFuse, Missing)):
        return Reason(" ".join(message_lines(error)))
    if is_out_of_memory(error):
        return Reason("there is not enough memory to train them together")
    listed = re.search(r"(?:\{\{node \S*/pfor/|handle data not set for .*/)(TensorList\w*?)(?:_\d+)?(?:\}\}|:)", str(error))
    if listed:
        return Reason(
            f"a loop that collects what its steps come to ({listed[1]}), which TensorFlow cannot do for all trials at once"
        )
    said = _said(error)
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__) if not _is_generated(frame.filename)]
    if model.__file__ in files:  # each trial builds its model there, and meets the error again
        return Reason(f"{type(error).__name__} while the model was built")
    if any(file in function.sources or not file.startswith(_INSTALLED) for file in files):
        return Reason(f"{said}, in your own code")
    traceback.print_exception(error)
    return Reason(f"a fault of nbtune, {said} (the traceback is in the project's workers.log; please report it)", True)


def _is_generated(file: str) -> bool:
    """TensorFlow writes functions anew, ours too; the frame of the file that it read is in the traceback as well."""
    return Path(file).name.startswith("__autograph_generated_file")


def _said(error: Exception) -> str:
    """The error in a line, which is behind TensorFlow's traceback in the message, where there is one."""
    lines = message_lines(error)
    if lines and lines[0] == "in user code:":
        kind = type(error).__name__
        return lines[-1] if lines[-1].startswith(kind) else f"{kind}: {lines[-1]}"
    if lines and lines[0].startswith("Graph execution error"):
        own = (line for line, after in itertools.pairwise(lines) if after.startswith("[[{{node"))
        return f"{type(error).__name__}: {next(own, lines[-1])}"
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
