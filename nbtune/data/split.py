"""Which rows train and which validate, where the user gave no validation data."""

from __future__ import annotations

import math

import numpy as np

from nbtune.errors import UsageError


def split_rows(
    rows: int, share: float, strata: np.ndarray | None, seed: int, shuffle: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to train and to validate on: scikit-learn's `train_test_split`.

    Args:
        strata: `(rows,)`, a class a row to stratify by; None: at random.
        shuffle: False: the last rows validate, as many as with `model.fit(validation_split=share)`.

    Raises:
        UsageError: too few rows.
    """
    if not shuffle:
        kept = math.floor(rows * (1 - share))
        if not 0 < kept < rows:
            raise UsageError(f"the data cannot be split by {share:g}: of {rows:,} rows one part would have none")
        return np.arange(kept), np.arange(kept, rows)
    from sklearn.model_selection import train_test_split  # a second to import: only where it is used

    try:
        train, val = train_test_split(np.arange(rows), test_size=share, random_state=seed, stratify=strata)
    except ValueError as error:
        reason = str(error) if strata is None else too_few(strata, share) or str(error)
        raise UsageError(f"the data cannot be split by {share:g}: {reason}; give --validation-data") from None
    return train, val


def too_few(strata: np.ndarray, share: float) -> str | None:
    """Why rows of these classes, `(rows,)`, cannot be split with every class on both sides; None where that is not it."""
    classes, counts = np.unique(strata, return_counts=True)
    if counts.min() == 1:
        return f"class {classes[counts.argmin()]} has one row only, and both parts need one; leave that row out"
    rows = len(strata)
    held_out = math.ceil(share * rows)
    for part, of in ((held_out, "validate"), (rows - held_out, "train")):
        if part < len(classes):
            return f"{part:,} of {rows:,} rows to {of} on are too few for {len(classes):,} classes"
    return None
