"""What a saved notebook keeps: plain pictures and tables, no widgets."""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from nbtune.progress import Progress
from nbtune.views.headline import headline
from nbtune.views.picture import WIDTH, alt_text, picture_png
from nbtune.views.table import table_html, table_text

Bundle = dict[str, str]


def headline_html(text: str) -> str:
    """The line with its state in bold."""
    state, colon, rest = text.partition(":")
    return f"<b>{escape(state)}</b>{colon}{escape(rest)}"


def headline_bundle(progress: Progress, now: float) -> Bundle:
    text = headline(progress, now)
    return {"text/html": headline_html(text), "text/plain": text}


def picture_bundle(progress: Progress, png: bytes | None = None) -> Bundle:
    """The picture in base64, as Jupyter's messages carry it, and its description; `png` if it is drawn already."""
    encoded = base64.b64encode(picture_png(progress) if png is None else png).decode("ascii")
    return {"image/png": encoded, "text/plain": alt_text(progress)}


def picture_metadata(progress: Progress) -> dict[str, Any]:
    """The width in CSS pixels at which a page shows the picture, and its description."""
    return {"image/png": {"width": WIDTH, "alt": alt_text(progress)}}


def table_bundle(progress: Progress, most: int = 10) -> Bundle:
    return {"text/html": table_html(progress, most), "text/plain": table_text(progress, most)}
