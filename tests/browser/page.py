"""A notebook in a browser, as a person uses it."""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

DATA = """%load_ext nbtune
from sklearn.datasets import load_digits
x, y = load_digits(return_X_y=True)
x = x / 16"""

BUILD = """def build(layers, units):
    import keras
    model = keras.Sequential([keras.Input((64,))])
    for _ in range(layers):
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model"""

PATHS = {"lab": "lab/tree/{}?reset", "notebook": "notebooks/{}"}
LASTING = [{"text/html", "text/plain"}, {"image/png", "text/plain"}, {"text/html", "text/plain"}]


class Pages:
    """Opens notebooks, each in a browser session of its own, and ends their kernels."""

    def __init__(self, browser: Any, address: str, folder: Path, shots: Path) -> None:
        self._browser, self._address, self._folder, self._shots = browser, address, folder, shots
        self._contexts: list[Any] = []
        self.books: list[Book] = []
        shots.mkdir(parents=True, exist_ok=True)

    def digits(self, app: str, *cells: str, name: str = "digits") -> Book:
        """A new notebook whose first cell loads the data; `app` is "lab" or "notebook"."""
        path = self._folder / str(time.time_ns()) / f"{name}.ipynb"  # a folder of its own: searches are found again
        path.parent.mkdir()
        spec = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(new_notebook(cells=[new_code_cell(text) for text in (DATA, *cells)], metadata=spec), path)
        return self.open(app, path)

    def open(self, app: str, path: Path) -> Book:
        context = self._browser.new_context(viewport={"width": 1180, "height": 1300}, reduced_motion="reduce")
        self._contexts.append(context)
        place = path.relative_to(self._folder)
        book = Book(context.new_page(), f"{self._address}/{PATHS[app].format(place)}", path, self._shots, self._connected(place))
        self.books.append(book)
        book.load()
        return book

    def _connected(self, place: Path) -> Callable[[], bool]:
        """Whether a page listens to the kernel of a notebook."""

        def connected() -> bool:
            sessions = json.load(urllib.request.urlopen(f"{self._address}/api/sessions"))
            return any(
                s["path"] == str(place) and s["kernel"]["connections"] and s["kernel"]["execution_state"] == "idle"
                for s in sessions
            )

        return connected

    def end_kernels(self) -> None:
        """Ends every kernel of the server; one that is just being restarted refuses at first."""
        until(self._no_kernel_is_left, 30, "kernels are left")

    def _no_kernel_is_left(self) -> bool:
        kernels = json.load(urllib.request.urlopen(f"{self._address}/api/kernels"))
        for kernel in kernels:
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(urllib.request.Request(f"{self._address}/api/kernels/{kernel['id']}", method="DELETE"))
        return not kernels

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self.end_kernels()


class Book:
    """One notebook that is open in one page."""

    def __init__(self, page: Any, url: str, path: Path, shots: Path, connected: Callable[[], bool]) -> None:
        self.page, self._url, self.path, self._shots, self._connected = page, url, path, shots, connected
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        page.on("dialog", lambda dialog: dialog.accept())

    def load(self) -> None:
        self.page.goto(self._url)
        self._wait()
        if "/lab/" in self._url:
            self.page.keyboard.press("Control+b")  # the file browser takes room

    def reload(self) -> None:
        self.page.reload()
        self._wait()

    def _wait(self) -> None:
        """Until a person could run a cell."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=60_000)
        until(self._connected, 60, "no kernel came up")

    def cell(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def run(self, index: int, timeout: float = 60) -> None:
        """Runs a cell and waits until the kernel is done with it."""
        self.start(index)
        prompt = self.cell(index).locator(".jp-InputPrompt")
        until(lambda: re.fullmatch(r"\[\d+\]:", prompt.inner_text().strip()), timeout, "the cell did not end")

    def start(self, index: int) -> None:
        prompt = self.cell(index).locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(10):  # right after loading, a page may not listen yet
            self.cell(index).locator(".cm-content").first.click()
            self.page.keyboard.press("Control+Enter")
            self.page.wait_for_timeout(200)
            if prompt.inner_text() != before:
                return
        raise AssertionError("the cell does not run")

    def write(self, index: int, text: str) -> None:
        """Replaces the text of a cell."""
        self.cell(index).locator(".cm-content").first.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def see(self, text: str | re.Pattern[str], timeout: float = 30) -> Any:
        """Waits until the text is there."""
        found = self.page.locator(".jp-OutputArea").get_by_text(text).locator("visible=true").first
        found.wait_for(timeout=timeout * 1000)
        return found

    def save(self) -> Any:
        """Saves the notebook and returns what is in its file."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        until(lambda: self.path.stat().st_mtime_ns != before, 10, "it was not saved")
        time.sleep(0.2)
        return nbformat.read(self.path, 4)

    def save_lasting(self, index: int, state: str) -> Any:
        """Saves as soon as a cell holds its lasting line, picture and table, and returns what is in the file."""
        for _ in range(20):
            notebook = self.save()
            shown = [output["data"] for output in notebook.cells[index].outputs if output.get("data")][-3:]
            if [set(data) for data in shown] == LASTING and shown[0]["text/plain"].startswith(f"{state}: "):
                return notebook
            self.page.wait_for_timeout(500)
        raise AssertionError(f"line, picture and table do not come: {shown}")

    def theme(self, name: str) -> None:
        """JupyterLab in its "Light" or its "Dark" theme; the server keeps it for later pages."""
        self.page.get_by_text("Settings", exact=True).first.click()
        self.page.get_by_text("Theme", exact=True).first.hover()
        self.page.get_by_text(f"JupyterLab {name}", exact=True).first.click()
        light = str(name == "Light").lower()
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        self.page.wait_for_timeout(700)

    def dark_shot(self, name: str) -> None:
        self.theme("Dark")
        self.shot(name)
        self.theme("Light")

    def our_errors(self) -> list[str]:
        """Errors in our scripts: a widget's module is a blob. Others are the application's."""
        return [error for error in self.errors if "blob:" in error]

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self._shots / f"{name}.png")


def until(condition: Any, timeout: float, otherwise: str) -> None:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(otherwise)
