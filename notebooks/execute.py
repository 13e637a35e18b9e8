"""Executes a notebook in a real kernel and keeps what lasts: its source and its outputs.

    python notebooks/execute.py notebooks/quickstart.ipynb notebooks/quickstart.ipynb    keeps the outputs in the notebook
    python notebooks/execute.py notebooks/quickstart.ipynb build/quickstart.html         makes a page of it

A smaller grid, for a quick look and for the tests, comes from changing options of the notebook's own `%%tune` line:

    python notebooks/execute.py --tune layers=1 --tune epochs=2 notebooks/quickstart.ipynb build/small.html

It needs the extra `lab`. The kernel runs in a folder that is deleted afterwards.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

TUNE = re.compile(r"^%%tune\b.*", re.MULTILINE)
# what TensorFlow writes about the machine when it is loaded
MACHINE_LOG = re.compile(
    r"^(WARNING: All log messages before absl::|[IW]\d{4} \d\d:|To enable the following ).*\n?", re.MULTILINE
)
SUMMARY = """
import json
print(json.dumps({"values": search.best.values, "score": search.best.score, "coverage": str(search.coverage)}, default=dict))
"""


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        notebook: with its outputs, as `lasting` leaves them.
        values, score: of the winner.
        coverage: how many combinations ended how, in words.
        search_seconds: of the `%%tune` cell.
        seconds: of all cells.
    """

    notebook: NotebookNode
    values: dict[str, Any]
    score: float
    coverage: str
    search_seconds: float
    seconds: float

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        return "\n".join(
            [
                f"winner    {values}",
                f"          score on the validation data: {self.score:.4f}",
                f"coverage  {self.coverage}",
                f"time      {self.search_seconds:.0f} s for the search, {self.seconds:.0f} s for the whole notebook",
            ]
        )


def smaller(notebook: NotebookNode, **options: Any) -> NotebookNode:
    """A copy whose `%%tune` line has these options; those that it does not have yet are added at its end.

    Args:
        options: as on the line, with underscores: `smaller(notebook, layers="1:2", learning_rate=0.01)`.
    """
    notebook = copy.deepcopy(notebook)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and TUNE.search(cell.source))
    line = TUNE.search(cell.source)[0]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        line, found = re.subn(rf"(?<=\s){flag} +\S+", lambda _, new=f"{flag} {value}": new, line)
        line += "" if found else f" {flag} {value}"
    cell.source = TUNE.sub(lambda _: line, cell.source, count=1)
    return notebook


def execute(notebook: NotebookNode, folder: Path | str, report: Callable[[str], None] = lambda line: None) -> Result:
    """Runs every cell of a copy in a new kernel of this Python, then asks that kernel for the winner.

    Args:
        folder: where the kernel runs, and so where the search keeps its project.
        report: gets a line for each cell when it is done.

    Raises:
        CellExecutionError: a cell raised.
        DeadKernelError: the kernel is gone.
    """
    notebook = copy.deepcopy(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(SUMMARY))
    timer = _Timer(notebook, report)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        timeout=None,
        iopub_timeout=60,
        record_timing=False,
        store_widget_state=False,
        on_cell_execute=timer.start,
        on_cell_executed=timer.stop,
    )
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this environment, whatever else is installed
    # what libraries write about the machine reaches the cells' outputs as well; here it would only be noise
    client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = json.loads("".join(output.text for output in notebook.cells.pop().outputs if output.get("name") == "stdout"))
    return Result(lasting(notebook, folder), search_seconds=timer.search, seconds=timer.total, **found)


def lasting(notebook: NotebookNode, folder: Path | str) -> NotebookNode:
    """A copy without what means nothing to a later reader: widgets, execution times, messages about the machine.

    Args:
        folder: where the kernel ran; paths in it become relative to it.
    """
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for name in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _lasts(output)]
            for holder, key in _texts(cell.outputs):
                holder[key] = holder[key].replace(f"{os.path.realpath(folder)}{os.sep}", "")
    nbformat.validate(notebook)
    return notebook


def _lasts(output: NotebookNode) -> bool:
    """Whether something of an output is worth keeping; takes the rest out of it."""
    if output.output_type == "stream":
        if output.name == "stderr":
            output.text = MACHINE_LOG.sub("", output.text)
        return bool(output.text.strip())
    return output.output_type == "error" or bool(output.data and "application/vnd.jupyter.widget-view+json" not in output.data)


def _texts(outputs: list[NotebookNode]) -> Iterator[tuple[NotebookNode, str]]:
    """Where text stands in outputs: what holds it, and its key there."""
    for output in outputs:
        if "text" in output:
            yield output, "text"
        for mime in output.get("data", {}):
            if mime.startswith("text/"):
                yield output.data, mime


def traces(notebook: NotebookNode, *places: Path | str) -> Iterator[str]:
    """Lines of text in the outputs that name one of these folders."""
    for cell in notebook.cells:
        for holder, key in _texts(cell.get("outputs", [])):
            yield from (line for line in holder[key].splitlines() if any(str(place) in line for place in places))


def page(notebook: NotebookNode, title: str) -> str:
    """The notebook as one HTML page."""
    from nbconvert import HTMLExporter  # only the page needs it

    html, _ = HTMLExporter().from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return html


class _Timer:
    """Times the cells, and reports each under the heading that it stands below."""

    def __init__(self, notebook: NotebookNode, report: Callable[[str], None]) -> None:
        self._cells = notebook.cells
        self._report = report
        self._started = 0.0
        self.search = self.total = 0.0

    def start(self, cell: NotebookNode, cell_index: int) -> None:
        self._started = time.monotonic()

    def stop(self, cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any]) -> None:
        seconds = time.monotonic() - self._started
        self.total += seconds
        if TUNE.search(cell.source):
            self.search += seconds
        if cell_index < len(self._cells) - 1:  # the last one is ours
            self._report(f"  {self._heading(cell_index):<32}{seconds:6.1f} s")

    def _heading(self, index: int) -> str:
        above = (cell.source for cell in reversed(self._cells[:index]) if cell.cell_type == "markdown")
        return next((line.lstrip("# ") for source in above for line in source.splitlines() if line.startswith("#")), "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", metavar="NAME=VALUE", action="append", default=[], help="an option of the %%%%tune line")
    parser.add_argument("source", type=Path, metavar="IN.ipynb")
    parser.add_argument("target", type=Path, metavar="OUT", help=".ipynb or .html")
    arguments = parser.parse_args()
    notebook = nbformat.read(arguments.source, as_version=4)
    if arguments.tune:
        notebook = smaller(notebook, **dict(option.split("=", 1) for option in arguments.tune))
    print(f"Executing {arguments.source}; the search takes a few minutes:", flush=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            result = execute(notebook, folder, lambda line: print(line, flush=True))
        except (CellExecutionError, DeadKernelError) as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit("interrupted")
        own = list(traces(result.notebook, os.path.realpath(folder), f"{Path.home()}{os.sep}", Path.cwd(), sys.prefix))
    arguments.target.parent.mkdir(parents=True, exist_ok=True)
    if arguments.target.suffix == ".html":
        arguments.target.write_text(page(result.notebook, arguments.source.stem), encoding="utf-8")
    elif own:
        sys.exit(f"not kept, because the outputs show folders of this machine:\n{own[0]}")
    else:
        nbformat.write(result.notebook, arguments.target)
    print(f"\n{result}\nin        {shlex.quote(str(arguments.target))}")


if __name__ == "__main__":
    main()
