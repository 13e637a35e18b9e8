"""One rule for each kind of layer: what training together knows of it.

A new kind is a line here, and a layer in `tests/test_no_fallback.py`. One without a rule trains together as well, step by step
as Keras computes it; a rule lets it have more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras


class Kind(NamedTuple):
    """What holds for a layer of this kind.

    Attributes:
        per_example: it treats each row by itself, without masks and batch statistics, and draws for one row after another, so
            that those behind do not matter; so a batch may be padded.
        evaluates_rows: it does so in the evaluation.
        padded: trials of several widths share a stack, the narrow ones padded with units that put out 0.
        keeps_zero: such a unit is still 0 behind it, if its activation keeps 0.
        by_hand: `dense` has it written out for all trials.
        in_turn: each step goes through the trials one after another (`convolutions`).
        recurrent: it goes through the steps of a sequence, by a loop that a stack can train (`recurrent`).
        rated: it drops out at a rate, which is each trial's own in a stack (`dropout`).
        sparse: the gradient of its weights is.
        proven: a model in `tests/conformance` holds it against `model.fit`, as it does each that is `per_example`; a stack with
            another layer proves its first steps.
    """

    per_example: bool = False
    evaluates_rows: bool = False
    padded: bool = False
    keeps_zero: bool = False
    by_hand: bool = False
    in_turn: bool = False
    recurrent: bool = False
    rated: bool = False
    sparse: bool = False
    proven: bool = False


_ROWS = Kind(per_example=True)
KINDS: dict[str, Kind] = {
    "Dense": Kind(per_example=True, padded=True, by_hand=True),
    "Activation": Kind(per_example=True, keeps_zero=True),
    "Embedding": Kind(per_example=True, sparse=True),
    "RNN": Kind(per_example=True, recurrent=True),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), Kind(per_example=True, recurrent=True, proven=True)),
    **dict.fromkeys(("BatchNormalization", "GaussianNoise"), Kind(evaluates_rows=True, proven=True)),
    "GaussianDropout": Kind(evaluates_rows=True, proven=True),
    "Dropout": Kind(per_example=True, rated=True, proven=True),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), Kind(per_example=True, rated=True)),
    **dict.fromkeys(("Bidirectional", "MultiHeadAttention"), Kind(per_example=True, proven=True)),
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"), _ROWS),
    **dict.fromkeys(("InputLayer", "EinsumDense", "Flatten", "Reshape", "Permute", "RepeatVector", "Identity"), _ROWS),
    **dict.fromkeys(("Rescaling", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax"), _ROWS),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "UnitNormalization"), _ROWS),
    **dict.fromkeys(("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"), _ROWS),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"), _ROWS),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"), _ROWS),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D"), _ROWS),
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D"), Kind(per_example=True, in_turn=True)),
    **dict.fromkeys(("DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"), Kind(per_example=True, in_turn=True)),
    "Conv2DTranspose": Kind(in_turn=True, proven=True),
    **dict.fromkeys(("Conv1DTranspose", "Conv3DTranspose"), Kind(in_turn=True)),
}
_NONE = Kind()


def exact(layer: Any) -> Kind:
    """The rule of a layer of Keras's own; none for a subclass, which may compute something else."""
    return _of(type(layer))


def inherited(layer: Any) -> Kind:
    """The rule of a layer, or of the kind of Keras's that it is made from."""
    return next((kind for base in type(layer).__mro__ if (kind := _of(base)) is not _NONE), _NONE)


def _of(kind: type) -> Kind:
    is_own = kind is getattr(keras.layers, kind.__name__, None)
    return KINDS.get(kind.__name__, _NONE) if is_own else _NONE
