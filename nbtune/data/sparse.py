"""Matrices and tensors that leave their zeros out, with them written out."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from nbtune.errors import UsageError

MOST_DENSE = 2e9  # bytes that one may take then


def dense(part: Any, what: str) -> Any:
    """A sparse matrix or tensor with its zeros, if they fit; anything else as it is.

    Raises:
        UsageError: it is too large, or ragged.
    """
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
