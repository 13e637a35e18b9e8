"""`Search.report`: a finished search as one HTML file, to hand in or to keep."""

from __future__ import annotations

import base64
import io
import platform
import time
from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nbtune.ask.space import Value
from nbtune.errors import UsageError
from nbtune.record.progress import Progress, duration, show
from nbtune.views.figures.picture import alt_text, picture_png
from nbtune.views.figures.plots import plot
from nbtune.views.findings import advice_of, marked
from nbtune.views.headline import headline
from nbtune.views.notebook.bundle import headline_html
from nbtune.views.table import table_html
from nbtune.views.words import measured

PACKAGES = ("nbtune", "keras", "tensorflow", "tensorflow-cpu", "keras-tuner", "numpy", "scikit-learn")
PICTURES = {
    "slice": "The score by one hyperparameter at a time. A line that climbs to the edge of its axis asks for values beyond it.",
    "importance": "How much of the difference between scores each hyperparameter accounts for, and each pair beyond that.",
    "parallel": "Each combination as a line through its values to its score.",
}
ALL = 1_000  # rows of the table

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60em; margin: 2em auto; padding: 0 1em }}
h1 {{ font-size: 1.5em }} h2 {{ font-size: 1.15em; margin-top: 2em }} img {{ max-width: 100% }}
table {{ border-collapse: collapse; font-size: 0.85em }} td, th {{ padding: 0.2em 0.7em; border-bottom: 1px solid #e6e6e6 }}
pre {{ background: #f6f6f6; padding: 1em; overflow-x: auto; font-size: 0.8em; line-height: 1.4 }}
.wide {{ overflow-x: auto }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def report(progress: Progress, name: str, terms: Mapping[str, Any], code: str | None, now: float) -> str:
    """The page.

    Args:
        name: of the search.
        terms: of the fit, name to value.
        code: the winner's, if there is one.
        now: seconds since the epoch.
    """
    sections = [f"<p>{headline_html(headline(progress, now))}</p>", *_advice(progress), *_winner(progress), *_pictures(progress)]
    sections += [_section("All combinations", f'<div class="wide">{table_html(progress, ALL)}</div>')]
    sections += [_section("How it was done", _pairs(_terms(progress, terms, now)))]
    if code:
        sections += [_section("The winner, in plain Python", f"<pre>{escape(code)}</pre>")]
    return _PAGE.format(title=escape(f"Hyperparameter search “{name}”"), body="\n".join(sections))


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _pairs(pairs: Mapping[str, str]) -> str:
    rows = "".join(f"<tr><th align=left>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in pairs.items())
    return f"<table>{rows}</table>"


def _advice(progress: Progress) -> list[str]:
    return [f"<p>{escape(marked(advice))}</p>" for advice in advice_of(progress)]


def _winner(progress: Progress) -> Iterator[str]:
    best = progress.best
    if best is not None:
        values: Mapping[str, Value] = best.values
        facts = {name: show(value) for name, value in values.items()}
        facts[progress.objective.name] = measured(best)
        facts["best epoch"] = f"{best.best_epoch} of {best.epochs}"
        yield _section("The best combination", _pairs(facts))


def _pictures(progress: Progress) -> Iterator[str]:
    yield _section("The search", _image(picture_png(progress), alt_text(progress)))
    for kind, caption in PICTURES.items():
        try:
            figure = plot(progress, kind)
        except UsageError:  # nothing to see in this one: a single value, say
            continue
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        yield _image(buffer.getvalue(), caption) + f"<p>{escape(caption)}</p>"


def _image(png: bytes, alt: str) -> str:
    return f'<img alt="{escape(alt, quote=True)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def _terms(progress: Progress, terms: Mapping[str, Any], now: float) -> dict[str, str]:
    found = {"combinations": str(progress.coverage), "ranked by": str(progress.objective.name)}
    found |= {name.replace("_", " "): show(value) for name, value in terms.items() if value is not None and name != "objective"}
    found["time spent"] = duration(progress.seconds_spent(now))
    found["written"] = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    found["versions"] = ", ".join([f"Python {platform.python_version()}", *_versions()])
    return found


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            continue
