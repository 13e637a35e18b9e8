"""One array, column or table as the user has it → a NumPy array, or a dict of them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from nbtune.data.rows import Inputs, blocks
from nbtune.errors import UsageError

MOST_DENSE = 2e9  # bytes that a sparse matrix may take once its zeros are written out


def features(part: Any, what: str) -> Inputs:
    """An array of numbers or of text; a DataFrame with columns of several kinds as a dict of its columns.

    Raises:
        UsageError: neither numbers nor text, or values that are missing.
    """
    if _is_polars(part):
        return _of_polars(part, what)
    if not _is_frame(part):
        return array(part, what)
    kinds = [getattr(dtype, "kind", "O") for dtype in part.dtypes]
    if all(kind in "biuf" for kind in kinds):
        if part.to_numpy().dtype == object:  # columns of several kinds, or nullable ones
            part = part.to_numpy("float32", na_value=np.nan)
        return array(part, what)
    return {str(name): array(part[name], f"{what}: column {str(name)!r}") for name in part.columns}


def labels(part: Any, what: str) -> np.ndarray:
    """As `features`, and text is left for `named_classes`."""
    part = part.collect() if _is_polars(part) and hasattr(part, "collect") else part
    return array(part.to_numpy() if _is_frame(part) or _is_polars(part) else part, what)


def array(part: Any, what: str) -> np.ndarray:
    """Numbers without NaN and infinity, or text as UTF-8 bytes."""
    part = _dense(part, what)
    if isinstance(part, np.ma.MaskedArray) and (count := int(np.ma.getmaskarray(part).sum())):
        values = f"{count:,} masked value{'s' * (count > 1)}, which Keras would take as they are"
        raise UsageError(f"{what} hold {values}; fill them in, as with .filled(0), or leave these rows out")
    if getattr(getattr(part, "dtype", None), "name", "") == "category":
        part = part.astype(part.dtype.categories.dtype)
    try:
        found = np.asarray(part)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{what} cannot be made an array: {error}") from None
    if found.ndim == 0:
        raise UsageError(f"{what}: {_short(part)} is no array")
    if found.dtype.kind in "OSUT":
        return _text(found, what)
    if found.dtype.kind in "mM":
        raise UsageError(f"{what} hold dates or times; make numbers of them first, as .dt.dayofweek or seconds since the first")
    if found.dtype.kind not in "biuf":
        raise UsageError(f"{what} hold non-numeric {found.dtype} values; encode them first")
    if found.dtype.kind == "f":
        _refuse(np.isnan, "NaN", found, what)
        _refuse(np.isinf, "infinity", found, what)
    return found


def named_classes(y: np.ndarray, names: tuple[str, ...] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Text as whole numbers, and the classes in the order of their numbers: sorted, unless they are known.

    Raises:
        UsageError: a class that is not known.
    """
    text = np.char.decode(y, "utf-8")
    known = np.unique(text) if names is None else np.array(names)
    odd = np.setdiff1d(text, known)
    if len(odd):
        raise UsageError(f"validation_data has the label {str(odd[0])!r}, which data has not")
    return np.searchsorted(known, text).astype("int64"), tuple(map(str, known))


def _text(found: np.ndarray, what: str) -> np.ndarray:
    if found.dtype.kind == "S":
        return found
    flat = found.reshape(-1)
    if found.dtype.kind == "O":
        odd = next((value for value in flat if not isinstance(value, (str, bytes))), None)
        if odd is not None or any(value is None for value in flat):
            missing = odd is None or odd != odd
            remedy = "holds missing values; fill them in, as with .fillna('')" if missing else "mixes kinds"
            hint = "" if missing else f" like {_short(odd)}; encode them as numbers first, or as text with .astype(str)"
            raise UsageError(f"{what}: it {remedy}{hint}")
    encoded = [value if isinstance(value, bytes) else str(value).encode() for value in flat]
    return np.array(encoded, dtype=np.bytes_).reshape(found.shape)


def _dense(part: Any, what: str) -> Any:
    """A sparse matrix or tensor with its zeros written out, if they fit."""
    kind = type(part).__name__
    if "Ragged" in kind:
        raise UsageError(f"{what} are ragged, rows of several lengths; give x.to_tensor(), padded, with a Masking layer")
    is_tensor = kind == "SparseTensor"
    if not is_tensor and not hasattr(part, "toarray"):
        return part
    size = float(np.prod([int(n) for n in part.shape])) * np.dtype(part.dtype.name).itemsize
    if size > MOST_DENSE:
        raise UsageError(f"{what} are a sparse matrix of {size / 1e9:,.1f} GB with zeros; reduce it, as TruncatedSVD does")
    return sys.modules["tensorflow"].sparse.to_dense(part) if is_tensor else part.toarray()


def _refuse(test: np.ufunc, value: str, found: np.ndarray, what: str) -> None:
    bad = sum(int(test(block.reshape(len(block), -1)).any(axis=1).sum()) for block in blocks(found))
    if bad:
        rows = f"{bad:,} row{'s' * (bad > 1)}"
        raise UsageError(f"{what} hold {value} in {rows}, which would make every loss NaN; fill them in or leave these rows out")


def _is_frame(part: Any) -> bool:
    return hasattr(part, "dtypes") and hasattr(part, "columns") and hasattr(part, "to_numpy")


def _is_polars(part: Any) -> bool:
    return type(part).__module__.partition(".")[0] == "polars"


def _of_polars(part: Any, what: str) -> Inputs:
    """As of pandas: numbers as one array, columns of several kinds as a dict of them."""
    part = part.collect() if hasattr(part, "collect") else part
    if not hasattr(part, "columns"):
        return array(part.to_numpy(), what)
    columns = {name: part[name].to_numpy() for name in part.columns}
    if all(column.dtype.kind in "biuf" for column in columns.values()):
        return array(part.to_numpy(), what)
    return {name: array(column, f"{what}: column {name!r}") for name, column in columns.items()}


def _short(thing: Any) -> str:
    text = repr(thing).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}…"
