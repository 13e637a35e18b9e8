"""Rows for the zoo: scikit-learn's own, or made; nothing is downloaded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

SEED = 0
VALIDATION = 0.2


class Rows(NamedTuple):
    """Features, `y` as the model's loss takes it; each an array or a dict of arrays."""

    x: Any
    y: Any
    x_val: Any
    y_val: Any


def split(x: Any, y: Any) -> Rows:
    """The last rows of a seeded permutation are held out."""
    rows = len(y)
    order = np.random.default_rng(SEED).permutation(rows)
    first, last = np.split(order, [rows - int(VALIDATION * rows)])

    def of(part: Any, chosen: np.ndarray) -> Any:
        return {name: column[chosen] for name, column in part.items()} if isinstance(part, dict) else part[chosen]

    return Rows(of(x, first), of(y, first), of(x, last), of(y, last))


def table() -> Rows:
    from sklearn.datasets import make_classification

    x, y = make_classification(2_000, 30, n_informative=12, n_classes=4, class_sep=1.5, flip_y=0.05, random_state=SEED)
    return split((5 + 3 * x).astype("float32"), y.astype("int32"))


def customers() -> Rows:
    """Numbers and categories by column, and whether somebody leaves."""
    rng = np.random.default_rng(SEED)
    rows = 2_000
    x = {
        "age": rng.integers(18, 80, rows).astype("float32")[:, None],
        "income": rng.lognormal(size=rows).astype("float32")[:, None],
        "region": rng.integers(0, 8, rows).astype("int32")[:, None],
        "job": rng.integers(0, 60, rows).astype("int32")[:, None],
    }
    score = 0.03 * (x["age"] - 50) + np.log(x["income"]) + np.sin(x["region"]) + np.cos(x["job"])
    return split(x, (score[:, 0] + 0.5 * rng.normal(size=rows) > 0).astype("float32"))


def digits_flat() -> Rows:
    from sklearn.datasets import load_digits

    x = (load_digits().data / 16).astype("float32")
    return split(x, x)


def images(size: int, channels: int = 1, rows: int = 1_000) -> Rows:
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = zoom(digits.images[:rows] / 16, (1, size / 8, size / 8), order=1)[..., None].astype("float32")
    return split(np.repeat(x, channels, -1), digits.target[:rows].astype("int32"))


def masks() -> Rows:
    """Noisy images of discs, and where the discs are."""
    rng = np.random.default_rng(SEED)
    rows, size = 400, 32
    places = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1)
    centre, radius = rng.uniform(8, 24, (rows, 1, 1, 2)), rng.uniform(3, 9, (rows, 1, 1))
    y = (np.linalg.norm(places - centre, axis=-1) < radius).astype("float32")[..., None]
    return split((0.6 * y + 0.3 * rng.normal(size=y.shape)).astype("float32"), y)


def signals(rows: int = 1_000, steps: int = 64, channels: int = 3, classes: int = 4) -> Rows:
    """Waves of several frequencies in noise, by class."""
    rng = np.random.default_rng(SEED)
    y = rng.integers(0, classes, rows)
    time = np.linspace(0, 6, steps)[None, :, None]
    phase = rng.uniform(0, 6, (rows, 1, channels))
    wave = np.sin((1 + y)[:, None, None] * time + phase)
    return split((wave + 0.7 * rng.normal(size=wave.shape)).astype("float32"), y.astype("int32"))


def forecast(steps: int = 24) -> Rows:
    """Windows of a noisy series, and the number that follows each."""
    rng = np.random.default_rng(SEED)
    time = np.arange(1_200 + steps)
    series = np.sin(time / 5) + 0.5 * np.sin(time / 17) + 0.1 * rng.normal(size=len(time))
    windows = np.lib.stride_tricks.sliding_window_view(series, steps + 1).astype("float32")
    return split(windows[:, :-1, None], windows[:, -1])


def texts(rows: int = 1_000, steps: int = 40, words: int = 500) -> Rows:
    """Numbers of words, of which some are more frequent in texts of class 1."""
    rng = np.random.default_rng(SEED)
    y = rng.integers(0, 2, rows)
    common = rng.integers(1, words, (rows, steps))
    telling = rng.integers(1, 60, (rows, steps)) + 60 * y[:, None]
    return split(np.where(rng.random((rows, steps)) < 0.15, telling, common).astype("int32"), y.astype("float32"))


def ratings() -> Rows:
    """Pairs of a user and a film, and what the one thinks of the other, from 0 to 1."""
    rng = np.random.default_rng(SEED)
    users, films = rng.normal(size=(200, 4)), rng.normal(size=(300, 4))
    pairs = np.stack([rng.integers(0, 200, 3_000), rng.integers(0, 300, 3_000)], 1).astype("int32")
    liked = 1 / (1 + np.exp(-(users[pairs[:, 0]] * films[pairs[:, 1]]).sum(1)))
    return split(pairs, liked.astype("float32"))
