"""A Jupyter server with real kernels, and Chromium to look at it. Screenshots land in build/screenshots/."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .page import Pages

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ROOT = Path(__file__).parents[2]


def browser_of_this_machine() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium():
    """The browser of this machine, headless; the tests are skipped where there is none."""
    path = browser_of_this_machine()
    if path is None:
        reason = f"no browser is installed (looked for {', '.join(NAMES)}); on Debian: apt-get install chromium"
        if os.environ.get("NBTUNE_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """The address of a server with JupyterLab and Notebook 7, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("notebooks")
    with Serving(folder, tmp_path_factory.mktemp("jupyter")) as address:
        yield address, folder


class Serving:
    """A running Jupyter server that keeps its settings and its runtime files to itself."""

    def __init__(self, folder: Path, own: Path) -> None:
        self._folder, self._own = folder, own

    def __enter__(self) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        places = {"CONFIG": "config", "DATA": "data", "RUNTIME": "run"}
        environment = {
            **os.environ,
            **{f"JUPYTER_{key}_DIR": str(self._own / name) for key, name in places.items()},
            "IPYTHONDIR": str(self._own / "ipython"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        }
        settings = {
            "ServerApp.port": port,
            "ServerApp.port_retries": 0,
            "IdentityProvider.token": "",
            "ServerApp.disable_check_xsrf": True,
            "ServerApp.root_dir": self._folder,
            "LabApp.news_url": "",
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
        command += [f"--{name}={value}" for name, value in settings.items()]
        self._settle("apputils-extension/notification", {"fetchNews": "false"})
        with (self._own / "server.log").open("w") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        address = f"http://127.0.0.1:{port}"
        for _ in range(1200):  # a machine may be busy
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1)
                return address
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self._own / "server.log").read_text())

    def _settle(self, what: str, settings: dict[str, object]) -> None:
        file = self._own / "config" / "lab" / "user-settings" / "@jupyterlab" / f"{what}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Leaves a picture of each page where a test failed."""
    report = yield
    pages = getattr(item, "funcargs", {}).get("pages")
    if pages and report.when == "call" and report.failed:
        for i, book in enumerate(pages.books):
            if not book.page.is_closed():
                book.shot(f"FAILED-{item.name}-{i}")
    return report


@pytest.fixture
def pages(chromium, server) -> Iterator[Pages]:
    """Opens notebooks."""
    address, folder = server
    pages = Pages(chromium, address, folder, ROOT / "build" / "screenshots")
    yield pages
    pages.close()
