"""What a saved notebook keeps: plain pictures and tables that need no kernel."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from nbtune.record.progress import Progress
from nbtune.views.figures.picture import WIDTH, alt_text, picture_png
from nbtune.views.findings import advice_of, marked
from nbtune.views.headline import headline
from nbtune.views.table import table_html, table_text

Bundle = dict[str, str]

# Where a widget is alive the outputs that last beside it are hidden, and where its kernel is gone the widget's error is.
# A page that drops the style (GitHub, nbviewer, nbconvert) shows no widgets either.
_STYLE = """<style>
.jp-OutputArea:has(.nbtune-live) > .jp-OutputArea-child:has(.nbtune-lasting),
.jp-OutputArea:has(.nbtune-live) > .jp-OutputArea-child:has(.nbtune-line) + .jp-OutputArea-child,
.jp-OutputArea:has(.nbtune-beside) > .jp-OutputArea-child > .jupyter-widgets:not(:has(*)) { display: none; }
</style>"""


def beside_a_widget(bundle: Bundle, token: str, kind: str = "lasting") -> Bundle:
    """The bundle, to be seen only where the widget `token` in the same cell is not alive.

    Args:
        kind: "lasting", or "line", with which the picture goes that follows.
    """
    names = f"nbtune-beside nbtune-{token} nbtune-lasting" + " nbtune-line" * (kind == "line")
    return {**bundle, "text/html": f'{_STYLE}<div class="{names}">{bundle["text/html"]}</div>'}


def headline_html(text: str) -> str:
    """The line with its state in bold."""
    state, colon, rest = text.partition(":")
    return f"<b>{escape(state)}</b>{colon}{escape(rest)}"


def text_bundle(text: str) -> Bundle:
    return {"text/html": headline_html(text), "text/plain": text}


def headline_bundle(progress: Progress, now: float) -> Bundle:
    """The headline, and below it what is to be known of how the search began, and advice."""
    bundle, notes = text_bundle(headline(progress, now)), [*progress.notes, *map(marked, advice_of(progress))]
    html = "".join(f"<br>{escape(note)}" for note in notes)
    return {"text/html": bundle["text/html"] + html, "text/plain": "\n".join([bundle["text/plain"], *notes])}


def picture_bundle(progress: Progress, png: bytes | None = None) -> Bundle:
    """The picture in base64, as Jupyter's messages carry it, and its description; `png` if it is drawn already."""
    encoded = base64.b64encode(picture_png(progress) if png is None else png).decode("ascii")
    return {"image/png": encoded, "text/plain": alt_text(progress)}


def picture_metadata(progress: Progress) -> dict[str, Any]:
    """The width in CSS pixels at which a page shows the picture, and its description."""
    return {"image/png": {"width": WIDTH, "alt": alt_text(progress)}}


def table_bundle(progress: Progress, most: int = 10) -> Bundle:
    """With the picture in words: JupyterLab shows no description of an image."""
    words = f"<details><summary>The picture in words</summary>{escape(alt_text(progress))}</details>"
    return {"text/html": table_html(progress, most) + words, "text/plain": table_text(progress, most)}
