"""What the Tab key offers."""

from __future__ import annotations

import pytest

from nbtune.ask import names
from nbtune.ask.completion import complete
from nbtune.ask.options import flags

VARIABLES = ["x_train", "y_train", "build", "_hidden"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%%tune --un", ["--units"]),
        ("%%tune --epochs 3 --pa", ["--patience"]),
        ("%%tune --va", ["--validation-data", "--validation-split"]),
        ("%%tune --no", ["--no-wait"]),
        ("%%tune --zzz", []),
        ("%%tune --init he_", ["he_normal", "he_uniform"]),
        ("%%tune --loss hinge,mean_sq", ["hinge,mean_squared_error", "hinge,mean_squared_logarithmic_error"]),
        ("%%tune --optimizer ada", sorted(name for name in names.OPTIMIZERS if name.startswith("ada"))),
        ("%%tune --objective val_acc", ["val_accuracy"]),
        ("%%tune --patience o", ["off"]),
        ("%%tune --data x", ["x_train"]),
        ("%%tune --data x_train,y", ["x_train,y_train"]),
        ("%%tune --data ", ["build", "x_train", "y_train"]),
        ("%%tune --build b", ["build"]),
        ("%%tune --units 1", []),
    ],
)
def test_words_that_fit(line, offered):
    assert complete(line, VARIABLES) == offered


def test_every_option_is_offered_in_order():
    assert complete("%%tune ", []) == sorted(flags())
    assert complete("%%tune --units 16 ", []) == sorted(flags())


@pytest.mark.parametrize("option", ["--loss", "--init", "--optimizer", "--objective", "--data", "--un"])
@pytest.mark.parametrize("word", ["", "a", "b", "a,", "mse,m"])
def test_what_is_offered_goes_on_from_what_is_typed(option, word):
    assert all(offer.startswith(word) for offer in complete(f"%%tune {option} {word}", VARIABLES))
