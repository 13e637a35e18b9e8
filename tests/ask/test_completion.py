"""What the Tab key offers."""

from __future__ import annotations

import pytest

from nbtune.ask import names
from nbtune.ask.completion import Scope, complete
from nbtune.ask.options import flags

SCOPE = Scope(
    data=["x_train", "y_train"],
    functions=["build", "make"],
    searches=["search", "mine"],
    verbs=["pause", "plan", "stop", "panel"],
    parameters=lambda function: {"": ["layers", "rate", "act"], "make": ["width"]}.get(function, []),
)


def offered(line):
    return [offer.text for offer in complete(line, SCOPE)[1]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%%tune --un", ["--units"]),
        ("%%tune --epochs 3 --pa", ["--patience"]),
        ("%%tune --va", ["--validation-batch-size", "--validation-data", "--validation-freq", "--validation-split"]),
        ("%%tune --no", ["--no-shuffle", "--no-wait"]),
        ("%%tune --zzz", []),
        ("%%tune --units 16 --unit", []),
        ("%%tune --axis rate=1 --ax", ["--axis"]),
        ("%%tune --init he_", ["he_normal", "he_uniform"]),
        ("%%tune --init=he_", ["he_normal", "he_uniform"]),
        ("%%tune --loss hinge,mean_sq", ["mean_squared_error", "mean_squared_logarithmic_error"]),
        ("%%tune --loss hinge, mean_sq", ["mean_squared_error", "mean_squared_logarithmic_error"]),
        ("%%tune --optimizer ada", sorted(name for name in names.OPTIMIZERS if name.startswith("ada"))),
        ("%%tune --objective val_acc", ["val_accuracy"]),
        ("%%tune --patience o", ["off"]),
        ("%%tune --data x", ["x_train"]),
        ("%%tune --data x_train,", ["x_train", "y_train"]),
        ("%%tune --data ", ["x_train", "y_train"]),
        ("%%tune --build ", ["build", "make"]),
        ("%%tune --units 1", []),
        ("%%tune --units ", ["16,32,64"]),
        ("%%tune --epochs ", ["100"]),
        ("%%tune --learning-rate ", ["log:1e-4:1e-2:3"]),
        ("%%tune --axis ", ["act=", "rate="]),
        ("%%tune --axis r", ["rate="]),
        ("%%tune --build make --axis ", ["width="]),
        ("%%tune --axis rate=", []),
        ("%%tune --units 1 --layers 1:2 --axis rate=0,1 --where ", ["layers", "rate", "units"]),
        ("%%tune --units 1 --layers 1:2 --where layers * un", ["units"]),
        ("%tune st", ["stop"]),
        ("%tune p", ["panel", "pause", "plan"]),
        ("%tune stop ", ["mine", "search"]),
        ("%tune stop se", ["search"]),
        ("%tune panel b", ["build"]),
        ("%tune panel build --data x", ["x_train"]),
        ("%tune --lay", ["--layers"]),
    ],
)
def test_words_that_fit(line, words):
    assert offered(line) == words


def test_every_option_is_offered_in_order():
    assert offered("%%tune ") == sorted(flags())
    assert offered("%%tune --units 16 ") == sorted(set(flags()) - {"--units"})
    assert offered("%%tune --fresh ") == sorted(set(flags()) - {"--fresh"}), "a switch takes no value"


@pytest.mark.parametrize("option", ["--loss", "--init", "--optimizer", "--objective", "--data", "--un", "--where", "--axis"])
@pytest.mark.parametrize("word", ["", "a", "b", "a,", "mse,m"])
def test_what_is_offered_goes_on_from_what_is_typed(option, word):
    line = f"%%tune {option} {word}"
    fragment, offers = complete(line, SCOPE)
    assert line.endswith(fragment)
    assert all(offer.text.startswith(fragment) and offer.kind for offer in offers)
