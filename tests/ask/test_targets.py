"""The labels of models with several outputs."""

from __future__ import annotations

import numpy as np
import pytest

from nbtune.ask.targets import Output, Targets
from nbtune.errors import UsageError

CLASSES, NUMBERS = np.arange(6) % 3, np.linspace(0, 1, 6)
BOTH = (Output("kind", (3,), "sparse_categorical_crossentropy"), Output("size", (1,), "mean_squared_error"))
ONE = (BOTH[0], Output("state", (8,)))  # the other has no loss


def of(y, outputs=BOTH):
    return Targets.of(y, outputs, (), compiled=True)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.stack([CLASSES, NUMBERS], axis=1), ["2 outputs (kind, size)", "one array", "a dict"]),
        ([CLASSES], ["y has 1 part"]),
        ({"kind": CLASSES}, ["2 outputs (kind, size)", "y is for kind"]),
    ],
    ids=["an array", "a list", "a dict"],
)
def test_each_output_with_a_loss_needs_labels(y, words):
    with pytest.raises(UsageError) as caught:
        of(y)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize(
    ("y", "outputs"),
    [
        ([CLASSES, NUMBERS], BOTH),
        ({"kind": CLASSES, "size": NUMBERS, "more": NUMBERS}, BOTH),
        (CLASSES, ONE),
        (None, BOTH),
    ],
    ids=["a list", "a dict", "a single loss", "none"],
)
def test_what_the_losses_take_is_keras_business(y, outputs):
    assert of(y, outputs).single is None


def test_class_weights_are_for_a_single_output():
    with pytest.raises(UsageError, match="single output, in Keras too, and the model has 2"):
        of([CLASSES, NUMBERS]).check_class_weights()
