"""Films a real search in JupyterLab, in real time, as the README shows it: `make film` writes notebooks/search.webp."""

from __future__ import annotations

import io
import itertools
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from .conftest import QUIET, ROOT, Serving, browser_of_this_machine
from .page import BUILD, Pages

CELL = f"%%tune --data x,y --layers 1:3 --units 16,32,64 --learning-rate 1e-2,1e-3,1e-4 --epochs 30 --patience 3\n{BUILD}"
FILM = ROOT / "notebooks" / "search.webp"
SIZE = {"width": 1000, "height": 1010}
LEAST_FRAME, LAST_FRAME = 0.15, 4.0  # seconds
LONGEST = 90.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_of_this_machine(), args=list(QUIET))
        served, own = Path(folder) / "notebooks", Path(folder) / "jupyter"
        served.mkdir(), own.mkdir()
        with Serving(served, own) as address:
            pages = Pages(browser, address, served, Path(folder) / "shots")
            try:
                frames = _filmed(pages)
            finally:
                pages.close()
        browser.close()
    _write(frames)


def _filmed(pages: Pages) -> list[tuple[float, Image.Image]]:
    """Each frame with its time, from the cell's start to the picture of its end."""
    book = pages.digits("lab", CELL, name="a-first-search")
    book.page.set_viewport_size(SIZE)
    book.run(0)
    book.page.wait_for_timeout(8000)  # as a person reads: the waiting worker is ready
    frames = [(time.monotonic(), _frame(book.page))]
    book.start(1)
    ended = book.page.locator(".jp-OutputArea").get_by_text("27 of 27").locator("visible=true")
    book.page.locator(".jp-OutputArea").nth(1).scroll_into_view_if_needed()
    while time.monotonic() - frames[0][0] < LONGEST:
        time.sleep(LEAST_FRAME)
        frames.append((time.monotonic(), _frame(book.page)))
        if ended.count():
            break
    book.page.wait_for_timeout(1500)
    return [*frames, (time.monotonic(), _frame(book.page))]


def _frame(page: object) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")  # type: ignore[attr-defined]


def _write(frames: list[tuple[float, Image.Image]]) -> None:
    times = [when for when, _ in frames]
    lasts = [int(1000 * (after - before)) for before, after in itertools.pairwise(times)] + [int(1000 * LAST_FRAME)]
    first, *others = [image for _, image in frames]
    first.save(FILM, save_all=True, append_images=others, duration=lasts, loop=0, quality=70, method=6)
    print(f"{FILM.relative_to(ROOT)}: {len(frames)} frames, {times[-1] - times[0]:.0f} s, {FILM.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
