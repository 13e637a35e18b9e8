"""What travels between the kernel and the page: every message's parts, by name.

Numbers of trials and of cells are places in lists (`Grid.places`, `Map.corners`); as keys of a mapping they come as text,
since JSON has no others. `front/known.js` reads these, and a test holds the names that it uses against them.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Head(TypedDict):
    """`share` of the training that is done, 0 to 1; `alarm` where nothing came of it; `gone`: the text if the kernel is gone."""

    text: str
    gone: str
    spoken: str
    state: str
    share: float
    count: str
    alarm: bool


class Axis(TypedDict):
    name: str
    texts: list[str]
    right: bool


class Column(TypedDict):
    """Of a fact; `high_first`: sorted for the first time, the highest comes first; `means`: what it says, for people."""

    name: str
    means: str
    right: bool
    high_first: bool


class Grid(TypedDict):
    """What follows from the grid alone; `places`: of each trial's values in their axes' lists, -1 for none."""

    axes: list[Axis]
    places: list[list[int]]
    labels: list[str]
    ids: list[str]
    marks: dict[str, Mark]
    palette: list[Shade]


class Mark(TypedDict):
    path: str
    filled: bool
    stroke: float


class Shade(TypedDict):
    fill: str
    ink: str


class Text(TypedDict):
    """A text on the map; `x` and `y` upwards from the lower left corner, `angle` counterclockwise."""

    x: float
    y: float
    text: str
    angle: int


class Map(TypedDict):
    """Where everything on the map goes, in units of its own; corners are the lower left ones.

    `left_out`: the middles of places whose combinations are no part of the search.
    """

    title: str
    note: str
    width: float
    height: float
    cell_width: float
    cell_height: float
    corners: list[tuple[float, float]]
    left_out: list[tuple[float, float]]
    numbers: bool
    x_labels: list[Text]
    y_labels: list[Text]
    heads: list[Text]
    x_name: Text
    y_name: Text
    bar_x: float
    bar_bottom: float
    bar_top: float


class TrialFacts(TypedDict):
    """Under `Table.columns`: what is shown, and what it is sorted by."""

    texts: list[str]
    keys: list[int | float | str | None]


class CellFacts(TypedDict):
    """`trial`: the one that is shown, of `trials` that share the place; `says` how it stands, in words."""

    status: str
    trial: int
    trials: int
    text: str
    spread: str
    says: str
    provisional: bool


class Baseline(TypedDict):
    """The score of a constant answer; `share`: how far up the colour scale it lies, from 0 to 1."""

    value: float
    share: float | None
    text: str


class LegendItem(TypedDict):
    status: str
    text: str


class Scale(TypedDict):
    """`shades`: of each cell, a place in `Grid.palette`; `best`: the number of the best cell; `gone`: its legend then."""

    shades: list[int | None]
    best: int | None
    better: str
    worse: str
    legend: list[LegendItem]
    gone: list[LegendItem]
    baseline: Baseline | None


class Curve(TypedDict):
    trial: int
    role: str
    running: bool


class CurveKey(TypedDict):
    trial: int
    role: str
    score: str
    values: list[str]


class Curves(TypedDict):
    title: str
    empty: str
    alt: str
    curves: list[Curve]
    keys: list[CurveKey]
    shared: str
    others: str
    low: float
    high: float
    log: bool
    baseline: Baseline | None


class Tail(TypedDict):
    """What a list of values holds from place `start` on."""

    start: int
    values: list[float | None]


class Line(TypedDict):
    values: Tail
    training: Tail
    best: int | None


class Table(TypedDict):
    """`rows`: trials from top to bottom, of which the first `ranked` have a rank; `notes` stand below, `gone` in place of
    the last of them if the kernel is gone."""

    columns: list[Column]
    rows: list[int]
    ranked: int
    notes: list[str]
    gone: str


class Failure(TypedDict):
    line: str
    error: str


class Plot(TypedDict):
    title: str
    alt: str
    training: list[float | None]
    validation: list[float | None]
    low: float
    high: float


class Detail(TypedDict):
    trial: int
    title: str
    facts: str
    error: str
    best: int | None
    plots: list[Plot]
    curve: list[float | None]


class Button(TypedDict):
    text: str
    icon: str
    title: str
    disabled: bool
    hidden: bool


class Side(TypedDict):
    """An axis of the parallel coordinates, with its values from bottom to top."""

    name: str
    values: list[str]


class ParallelLine(TypedDict):
    """`places`: the number of its value on each side."""

    trial: int
    places: list[int]
    score: float


class Parallel(TypedDict):
    """`lines`: the best last."""

    objective: str
    sides: list[Side]
    lines: list[ParallelLine]
    low: float
    high: float
    largest_is_best: bool
    best: str


class Tab(TypedDict):
    """A plot that was asked for: a `picture`, as PNG in base64, the numbers of `parallel`, or a `problem`."""

    name: str
    caption: str
    problem: str
    picture: str
    parallel: Parallel | None


class Download(TypedDict):
    """A file for the page to save; `content` in base64."""

    name: str
    content: str


class Output(TypedDict):
    data: dict[str, Any]
    metadata: dict[str, Any]


class Message(TypedDict, total=False):
    """From the kernel. `grid` comes in a whole one only; `trials`, `cells` and `lines` hold the entries that changed."""

    head: Head
    notes: list[str]
    advice: list[str]
    grid: Grid
    map: Map
    trials: dict[int, TrialFacts]
    cells: dict[int, CellFacts]
    scale: Scale
    curves: Curves
    lines: dict[int, Line]
    table: Table
    failures: list[Failure]
    detail: Detail
    buttons: dict[str, Button]
    problem: str
    text: str
    picture: str
    tab: Tab
    download: Download
    lasting: list[Output]
