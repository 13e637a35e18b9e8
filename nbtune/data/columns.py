"""One array, column or table as the user has it → a NumPy array, or a dict of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nbtune.data.rows import Inputs, blocks
from nbtune.data.sparse import dense
from nbtune.errors import UsageError, quoted


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
    part = dense(part, what)
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
        raise UsageError(f"{what}: {quoted(part)} is no array")
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


def categories(part: Any) -> tuple[str, ...] | None:
    """The order that the user has given to labels that are text: that of their categories. None where they have none."""
    if _is_frame(part) and len(part.columns) == 1:
        part = part[part.columns[0]]
    found = getattr(getattr(part, "dtype", None), "categories", None)
    names = list(found) if isinstance(found, Iterable) else []
    return tuple(names) if names and all(isinstance(name, str) for name in names) else None


def named_classes(
    y: np.ndarray, names: tuple[str, ...] | None = None, order: tuple[str, ...] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Text as whole numbers, and the classes in the order of their numbers.

    Args:
        names: the classes where they are known, in the order of their numbers.
        order: otherwise, a number for those of these that occur; None: sorted.

    Raises:
        UsageError: a class that is not known.
    """
    text = np.char.decode(y, "utf-8")
    present = set(np.unique(text))
    known = np.array(names or [name for name in order or sorted(present) if name in present])
    odd = np.setdiff1d(text, known)
    if len(odd):
        raise UsageError(f"validation_data has the label {str(odd[0])!r}, which data has not")
    by_name = np.argsort(known)
    return by_name[np.searchsorted(known, text, sorter=by_name)].astype("int64"), tuple(map(str, known))


def _text(found: np.ndarray, what: str) -> np.ndarray:
    if found.dtype.kind == "S":
        return found
    flat = found.reshape(-1)
    if found.dtype.kind == "O" and not all(isinstance(value, (str, bytes)) for value in flat):
        raise UsageError(f"{what}: it {_objects_in_words(flat)}")
    encoded = [value if isinstance(value, bytes) else str(value).encode() for value in flat]
    return np.array(encoded, dtype=np.bytes_).reshape(found.shape)


def _objects_in_words(flat: np.ndarray) -> str:
    """What is to be said of Python objects that are not all text."""
    odd = next(value for value in flat if not isinstance(value, (str, bytes)))
    if all(isinstance(value, (int, float, np.number, np.bool_)) and value == value for value in flat):
        return (
            f"holds numbers as Python objects, like {quoted(odd)}; make them numbers with .astype('float32') or .astype('int64')"
        )
    if odd is None or odd != odd:
        return "holds missing values; fill them in, as with .fillna('')"
    return f"mixes kinds like {quoted(odd)}; encode them as numbers first, or as text with .astype(str)"


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
