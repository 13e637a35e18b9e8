"""results.json → the tables of README.md, between its two marks."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.workloads import WORKLOADS

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
FIRST = "nbtune_fused"  # what the others are held against
NAMES = {
    "nbtune_fused": "nbtune, `--engine fused`",
    "nbtune_auto": "nbtune, `--engine auto`",
    "nbtune_cells": "nbtune, `%load_ext`, data and `%%tune` in IPython",
    "nbtune_trial": "nbtune, `--engine trial`",
    "optuna_grid": "Optuna `GridSampler`, 2 processes",
    "ray_grid": "Ray Tune, 2 CPUs, reused actors",
    "scikeras_grid": "`GridSearchCV` over SciKeras, `n_jobs=2`",
    "bare_loop": "a loop over `model.fit`",
    "keras_tuner_grid": "`keras_tuner.GridSearch`",
}
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "keras-tuner", "scikit-learn", "scikeras", "optuna", "ray", "numpy")


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {_processor()}, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}"


def versions() -> str:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def write(results: Mapping[str, Mapping[str, Any]], readme: Path) -> None:
    text = readme.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    tables = [_table(WORKLOADS[name].title, found) for name, found in sorted(results.items()) if name != "smoke"]
    readme.write_text(before + BEGIN + "\n\n" + "\n".join(tables) + "\n" + END + after)


def _table(title: str, found: Mapping[str, Any]) -> str:
    first = found.get(FIRST, {})
    lines = [
        f"### {title}",
        "",
        "| | wall time | × | processor time | × | peak memory | trials | winner | score |",
        "|---|--:|--:|--:|--:|--:|--:|---|--:|",
        *(_row(name, found[peer], first) for peer, name in NAMES.items() if peer in found),
    ]
    told = sorted({(r["date"], r["machine"], r["versions"]) for r in found.values() if "date" in r})
    if "started_mb" in first:
        held = f"{first['started_mb']:,.0f} MB (fused)."
        lines += ["", f"nbtune's workers and the process that they are forked from held at most {held}"]
    lines += _arithmetic(first, found.get("arithmetic"))
    lines += ["", *(f"{date}; {where}; {what}." for date, where, what in told), ""]
    return "\n".join(lines)


def _arithmetic(first: Mapping[str, Any], known: Mapping[str, float] | None) -> list[str]:
    if not known or "seconds" not in first:
        return []
    alone = known["gflop"] / known["gflops"]
    return [
        "",
        f"The arithmetic alone is {known['gflop']:.0f} GFLOP: {alone:.1f} s at the {known['gflops']:.0f} GFLOP/s of this machine "
        f"for a batch times a layer of each trial. nbtune's fused engine takes {first['seconds'] / alone:.0f} times as long.",
    ]


def _row(name: str, result: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    if "error" in result:
        return f"| {name} | {result['error']} | | | | | | | |"
    ratio = lambda what: f"{result[what] / first[what]:.1f}" if first.get(what) else ""  # noqa: E731
    winner = ", ".join(f"{axis} {value}" for axis, value in result["winner"].items())
    cells = [
        f"{name}, median of {result['runs']}" if result.get("runs", 1) > 1 else name,
        _seconds(result["seconds"]),
        ratio("seconds"),
        _seconds(result["cpu_seconds"]),
        ratio("cpu_seconds"),
        f"{result['peak_mb']:,.0f} MB",
        str(result["trials"]),
        winner,
        f"{result['score']:.4f}",
    ]
    return f"| {' | '.join(cells)} |"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 20 else f"{value:.0f} s"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
