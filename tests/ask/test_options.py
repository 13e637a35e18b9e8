"""Options from a line and from keywords: the same values, the same mistakes."""

from __future__ import annotations

import dataclasses
import os
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.ask import names
from nbtune.ask.help import help_text
from nbtune.ask.objective import Objective
from nbtune.ask.option import EDITORS, GROUPS, Option, Place, Reads, Results, flag
from nbtune.ask.options import Options, flags, table
from nbtune.ask.parsing import read
from nbtune.ask.parsing import typed as typed_texts
from nbtune.ask.space import Axis
from nbtune.errors import UsageError

X, Y, XV, YV = object(), object(), object(), object()
CLIENT = SimpleNamespace(scheduler_info=print)
NAMES = {"x": X, "y": Y, "xv": XV, "yv": YV, "sizes": [16, 32], "n": 3, "build": print, "rate": 0.25, "client": CLIENT}


def evaluate(text):
    try:
        return eval(text, {}, NAMES)
    except Exception as error:
        raise UsageError(f"{text} raised {type(error).__name__}: {error}") from None


def typed(line):
    """The options of a line, as a cell would have them."""
    return typed_texts(read(line)[1], evaluate)


def without_texts(options):
    return dataclasses.replace(options, texts={})


def mistake(call, *args, **keywords):
    with pytest.raises(UsageError) as error:
        call(*args, **keywords)
    text = str(error.value)
    assert len(text.splitlines()) == 1, text
    return text


def one_line(call, *args, **keywords):
    """What the call returns, or the message of its UsageError, which is one line."""
    try:
        return call(*args, **keywords)
    except UsageError as error:
        text = str(error)
    assert len(text.splitlines()) == 1, text
    return text


# ---- the same from a line and from keywords

SAME = [
    ("--layers 1:3", {"layers": [1, 2, 3]}),
    ("--layers 0", {"layers": 0}),
    ("--units 16,32,64", {"units": [16, 32, 64]}),
    ("--units 16, 32, 64", {"units": (16, 32, 64)}),
    ("--units=16,32", {"units": np.array([16, 32])}),
    ("--units {sizes}", {"units": [16, 32]}),
    ("--units $sizes", {"units": [16, 32]}),
    ("--units [16,32]", {"units": "16,32"}),
    ("--layers 1:{n}", {"layers": range(1, 4)}),
    ("--learning-rate 1e-2,1e-3", {"learning_rate": [0.01, 0.001]}),
    ("--learning-rate log:1e-4:1e-2:3", {"learning_rate": [1e-4, 1e-3, 1e-2]}),
    ("--repeats 3", {"repeats": 3}),
    ("--folds 5", {"folds": 5}),
    ("--folds time:4", {"folds": "time:4"}),
    ("--groups xv", {"groups": XV}),
    ("--loss mse,mae", {"loss": ["mse", "mae"]}),
    ("--init he_normal,glorot_uniform", {"init": ["he_normal", "glorot_uniform"]}),
    ("--optimizer adam,sgd", {"optimizer": ["adam", "sgd"]}),
    ("--schedule cosine,one_cycle", {"schedule": ["cosine", "one-cycle"]}),
    ("--batch-size 16,32", {"batch_size": [16, 32]}),
    ("--axis dropout=0,0.2", {"axis": {"dropout": [0, 0.2]}}),
    ("--axis dropout=0.1,0.2 --axis act=relu,tanh", {"axis": {"dropout": [0.1, 0.2], "act": ["relu", "tanh"]}}),
    ("--axis width={sizes}", {"axis": {"width": [16, 32]}}),
    ("--axis norm=True,False", {"axis": {"norm": [True, False]}}),
    ("--axis norm=None,batch", {"axis": {"norm": [None, "batch"]}}),
    ("--axis clip=None,0.5", {"axis": {"clip": [None, 0.5]}}),
    ("--init uniform,Normal", {"init": ["random_uniform", "random_normal"]}),
    ("--init normal:.01,zeros,orthogonal:2", {"init": ["random_normal:0.01", "zeros", "orthogonal:2"]}),
    ("--class-weight none,balanced", {"class_weight": [None, "balanced"]}),
    ("--class-weight {0: 1, 1: 5}", {"class_weight": {0: 1, 1: 5}}),
    ("--class-weight none,{0: 1, 1: 5}", {"class_weight": [None, {0: 1, 1: 5}]}),
    ("--build build", {"build": print}),
    ("--data x,y", {"data": (X, Y)}),
    ("--data x, y", {"data": (X, Y)}),
    ("--data (x,y)", {"data": (X, Y)}),
    ("--data $x", {"data": X}),
    ("--validation-data xv,yv", {"validation_data": (XV, YV)}),
    ("--validation-split 0.25", {"validation_split": 0.25}),
    ("--validation-split $rate", {"validation_split": 0.25}),
    ("--validation-split 0", {"validation_split": 0}),
    ("--cache", {"cache": True}),
    ("--steps-per-epoch 20", {"steps_per_epoch": 20}),
    ("--epochs 30", {"epochs": 30}),
    ("--epochs {10 * n}", {"epochs": 30}),
    ("--patience 3", {"patience": 3}),
    ("--patience off", {"patience": None}),
    ("--min-delta 0.01", {"min_delta": 0.01}),
    ("--objective val_loss", {"objective": "val_loss"}),
    ("--objective max:val_mine", {"objective": "max:val_mine"}),
    ("--objective val_accuracy,val_auc", {"objective": ["val_accuracy", "val_auc"]}),
    ("--objective val_loss", {"objective": SimpleNamespace(name="val_loss", direction="min")}),  # a keras_tuner.Objective
    ("--no-shuffle", {"shuffle": False}),
    ("--validation-batch-size 64", {"validation_batch_size": 64}),
    ("--validation-freq 2", {"validation_freq": 2}),
    ("--validation-freq 5,1,10", {"validation_freq": [1, 5, 10]}),
    ("--callbacks build", {"callbacks": print}),
    ("--seed 7", {"seed": 7}),
    ("--seed 0", {"seed": 0}),
    ("--workers 2", {"workers": 2}),
    ("--workers 0", {"workers": 0}),
    ("--workers auto", {"workers": None}),
    ("--dask tcp://host:8786", {"dask": "tcp://host:8786"}),
    ("--dask tcp://{'host'}:8786", {"dask": "tcp://host:8786"}),
    ("--dask client", {"dask": CLIENT}),
    ("--dask $client", {"dask": CLIENT}),
    ("--dask {client}", {"dask": CLIENT}),
    ("--where 'layers * units <= 128'", {"where": "layers * units <= 128"}),
    ("--where layers * units <= 128 --epochs 3", {"where": "layers * units <= 128", "epochs": 3}),
    ("--where \"act == 'relu' or units in {16, 32}\"", {"where": "act == 'relu' or units in {16, 32}"}),
    ("--sample 20", {"sample": 20}),
    ("--sample all", {"sample": "all"}),
    ("--minutes 20", {"minutes": 20}),
    ("--minutes .5", {"minutes": 0.5}),
    ("--minutes none", {"minutes": None}),
    ("--engine trial", {"engine": "trial"}),
    ("--memory-limit 1500", {"memory_limit": 1500}),
    ("--fresh", {"fresh": True}),
    ("--retries 3", {"retries": 3}),
    ("--trial-timeout 90", {"trial_timeout": 90}),
    ("--wait", {"wait": True}),
    ("--no-wait", {"wait": False}),
    ("--plan", {"plan": True}),
    ("--dir runs", {"dir": "runs"}),
    ("--dir 'my runs'", {"dir": "my runs"}),
    ("--keep 2", {"keep": 2}),
    ("--log tensorboard", {"log": ("tensorboard",)}),
    ("", {}),
]


@pytest.mark.parametrize(("line", "keywords"), SAME, ids=[line or "nothing" for line, _ in SAME])
def test_a_line_and_keywords_give_equal_options(line, keywords):
    assert without_texts(typed(line)) == Options.of(**keywords)


def test_every_option_is_tried_above():
    tried = {name for _, keywords in SAME for name in keywords}
    assert tried >= set(table())


@given(
    st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True),
    st.lists(st.floats(1e-6, 10), min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(sorted(names.LOSSES)), min_size=1, max_size=4, unique=True),
    st.integers(1, 500),
)
def test_any_values_come_back_from_a_line(units, rates, losses, epochs):
    line = (
        f"--units {','.join(map(str, units))} --learning-rate {', '.join(map(repr, rates))} "
        f"--loss {','.join(losses)} --epochs {epochs}"
    )
    expected = Options.of(units=units, learning_rate=rates, loss=losses, epochs=epochs)
    assert without_texts(typed(line)) == expected


def test_what_is_left_out_has_its_default():
    options = Options.of()
    assert (options.epochs, options.patience, options.min_delta, options.seed) == (100, 5, 0.0, 0)
    assert (options.validation_split, options.keep, options.dir) == (0.2, 5, ".nbtune")
    assert (options.workers, options.wait, options.plan, options.objective) == (None, None, False, None)
    assert options.axes == ()


def test_axes_are_in_grid_order_however_they_are_typed():
    options = typed("--batch-size 16 --loss mse --axis rate=0,0.5 --axis act=relu --learning-rate 0.1 --units 8 --layers 1")
    assert [axis.name for axis in options.axes] == ["layers", "units", "rate", "act", "learning_rate", "loss", "batch_size"]
    assert all(isinstance(axis, Axis) for axis in options.axes)


def test_the_line_may_begin_with_a_name():
    assert read("mine --data x,y") == ("mine", {"data": "x,y"})
    assert read("--data x,y") == ("search", {"data": "x,y"})


def test_what_was_typed_is_kept_to_be_written_out_again():
    assert typed("--data x,y --units $sizes").texts == {"data": "x,y", "units": "$sizes"}


def test_reading_a_line_evaluates_nothing():
    assert read("--units {1/0} --data nothing_of_the_kind")[1]["units"] == "{1/0}"


def test_defaults_stand_where_the_line_is_silent():
    options = typed_texts(read("--epochs 3")[1], evaluate, {"epochs": 50, "patience": 2})
    assert (options.epochs, options.patience) == (3, 2)


def test_an_objective_is_known_by_its_direction():
    assert Options.of(objective="val_accuracy").objective == Objective("val_accuracy", "max")


@pytest.mark.parametrize(
    ("keywords", "name", "value"),
    [
        ({"epochs": np.int64(30)}, "epochs", 30),
        ({"patience": np.int32(3)}, "patience", 3),
        ({"seed": np.int64(7)}, "seed", 7),
        ({"validation_split": np.float32(0.25)}, "validation_split", 0.25),
        ({"min_delta": np.float64(0.5)}, "min_delta", 0.5),
    ],
)
def test_numpy_numbers_are_numbers(keywords, name, value):
    assert getattr(Options.of(**keywords), name) == value


def test_callables_may_be_values():
    def my_loss(y, p):
        return 0.0

    options = Options.of(loss=[my_loss, "mse"], learning_rate=[lambda step: 0.1], optimizer=[dict])
    assert options.loss.values == ("my_loss", "mse")
    assert options.loss.objects["my_loss"] is my_loss


@pytest.mark.parametrize("name", ["MSE", "Mean_Squared_Error", "mse", "mean_squared_error"])
def test_a_loss_that_is_accepted_is_a_known_one(name):
    for value in Options.of(loss=name).loss.values:
        assert names.canonical(value.lower()) == "mean_squared_error"


# ---- the table


def test_nobody_forgets_whether_an_option_changes_results():
    facts = {"group": "running", "metavar": "N", "help": "", "type": "int"}
    with pytest.raises(TypeError, match="results"):
        Option(**facts)
    assert all(isinstance(option.results, Results) for option in table().values())


@pytest.mark.parametrize("name", sorted(table()))
def test_an_entry_is_sound(name):
    option = table()[name]
    assert option.group in GROUPS
    assert option.editor in EDITORS
    assert option.help
    assert option.is_axis == (option.results is Results.AS_VALUE), "an axis is what tells trials apart"
    assert not (option.applied_outside or option.same_architecture) or option.is_axis
    assert not option.suggestion or option.place is Place.FIRST
    assert not (option.results is Results.AS_CONTENT and option.configurable), "it belongs to a cell"
    assert (option.editor == "switch") == (option.reads in (Reads.SWITCH, Reads.YES_NO) and option.place is not Place.NOWHERE)
    assert not set(option.aliases) & set(table()), "a name of its own"
    if option.default is not None:
        assert option.check(name, option.default) == option.default, "the default is a value like others"
    for word in option.choices:
        option.check(name, word)


def test_no_alias_leads_to_two_options():
    aliases = [alias for option in table().values() for alias in option.aliases]
    assert len(aliases) == len(set(aliases))


def test_the_terms_of_the_fit_are_those_that_change_results():
    changed = {"epochs": 7, "patience": 1, "min_delta": 0.5, "objective": "val_loss", "seed": 1, "repeats": 2, "folds": 5}
    plain = Options.of().terms
    for name, value in {**changed, "validation_split": 0.5}.items():
        assert Options.of(**{name: value}).terms != plain, name
    same = {"workers": 2, "keep": 1, "retries": 0, "dir": "runs", "engine": "trial", "plan": True, "units": 16, "sample": 3}
    assert Options.of(**same).terms == plain


def test_what_is_wrong_says_which_option_it_is_about():
    for keywords, about in [
        ({"epochs": 0}, "epochs"),
        ({"axis": {"rate": []}}, "rate"),
        ({"axis": 3}, "axis"),
        ({"zzz": 1}, "zzz"),
    ]:
        with pytest.raises(UsageError) as error:
            Options.of(**keywords)
        assert error.value.about == about
    for line, about in [("--units {1/0}", "units"), ("--axis rate=1 --axis rate=2", "rate"), ("--layers 1 --layers 2", "layers")]:
        with pytest.raises(UsageError) as error:
            typed(line)
        assert error.value.about == about


# ---- mistakes on a line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--unit 16", ["--unit", "'--units'"]),
        ("--lr 0.1", ["--lr;", "'--learning-rate'"]),
        ("--optimiser adam", ["'--optimizer'"]),
        ("--metrics accuracy", ["'--objective'"]),
        ("--hidden-units 3", ["'--units'"]),
        ("--dropout 0,0.2", ["unknown option --dropout", "--axis dropout=0,0.2"]),
        ("--drop-rate=0.1", ["unknown option --drop-rate", "--axis drop_rate=0.1"]),
        ("--axis dropout 0.1,0.2", ["write --axis dropout=0.1,0.2"]),
        ("--data x y --units 4", ["'y' is one word too many; write --data x,y"]),
        ("--data x,y --units 4 8", ["write --units 4,8"]),
        ("--epochs 4 8", ["a list has commas"]),
        ("my search --data x,y", ["'search' is one word too many", "%%tune my_search"]),
        ("--layers 1-3", ["'1-3' is not a whole number", "a range is written 1:3"]),
        ("--layers 1:3:0", ["step of 0"]),
        ("--validation-split 20", ["20 is not a number", "for 20 % write 0.2"]),
        ("--validation-split 20%", ["write 0.2"]),
        ("--cv 5", ["--cv", "'--folds'"]),
        ("--n-splits 5", ["'--folds'"]),
        ("--kfold 5", ["'--folds'"]),
        ("--fold 5", ["'--folds'"]),
        ("--group g", ["'--groups'"]),
        ("--colours 5", ["unknown option --colours; for a parameter of your function write --axis colours=5"]),
        ("--learning_rate 0.1", ["--learning_rate", "'--learning-rate'"]),
        ("--leraning-rate 0.1", ["--leraning-rate", "'--learning-rate'"]),
        ("--batchsize 8", ["--batchsize", "'--batch-size'"]),
        ("--epoch 3", ["--epoch", "'--epochs'"]),
        ("--epoch=3", ["--epoch", "'--epochs'"]),
        ("--losses mse", ["--losses", "'--loss'"]),
        ("--nowait", ["--nowait", "'--no-wait'"]),
        ("-h", ["-h", "%%tune?"]),
        ("--zzz 3", ["--zzz", "%%tune?"]),
        ("--units", ["--units needs a value"]),
        ("—units 16", ["—units", "--units"]),
        ("–unts 16", ["–unts", "'--units'"]),
        ("--units --epochs 3", ["--units"]),
        ("--data", ["--data"]),
        ("--units 16 32", ["32"]),
        ("--loss mse mae", ["'mae'"]),
        ("--data x,y --plan yes", ["'yes'"]),
        ("--units 16, --epochs 3", ["16,"]),
        ("my-search --data x,y", ["my-search"]),
        ("2nd --data x,y", ["2nd"]),
        ("class --data x,y", ["'class' cannot be the name"]),
        ("a b", ["'b'"]),
        ("--dir 'open", ["quote"]),
        ("--units 16 --units 32", ["--units", "twice"]),
        ("--axis rate=0 --axis rate=1", ["rate", "twice"]),
        ("--axis dropout", ["--axis dropout", "NAME=VALUES"]),
        ("--axis =1", ["NAME=VALUES"]),
        ("--axis my-rate=1", ["my-rate", "NAME=VALUES"]),
        ("--axis rate=", ["empty"]),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_what_to_write(line, words):
    text = mistake(typed, line)
    assert all(word in text for word in words), text


@pytest.mark.parametrize("option", ["--teachers 2", "--pupils 5"])
def test_an_option_that_does_not_exist_is_an_error_and_not_ignored(option):
    text = mistake(read, f"--data x,y {option}")
    assert text.startswith(f"unknown option {option.split()[0]}")


# ---- mistakes in values, on a line and in Python alike


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("layers", "two", ["layers", "'two'", "whole number"]),
        ("layers", "-1", ["layers", "-1"]),
        ("layers", "1.5", ["layers", "1.5", "whole number"]),
        ("layers", "3:1", ["3:1", "1:3"]),
        ("units", "0", ["units", "0", "1 or more"]),
        ("units", "16,relu", ["units", "'relu' is not a whole number"]),
        ("units", "16,32,16", ["units", "16 twice"]),
        ("units", "16,,32", ["empty"]),
        ("units", "True", ["units", "True"]),
        ("learning_rate", "0", ["learning_rate", "above 0"]),
        ("learning_rate", "fast", ["learning_rate", "'fast'"]),
        ("learning_rate", "-0.1", ["learning_rate", "-0.1"]),
        ("learning_rate", "nan", ["learning_rate", "finite"]),
        ("batch_size", "0", ["batch_size", "1 or more"]),
        ("batch_size", "half", ["batch_size", "'half'"]),
        ("loss", "categorical_crossentrpy", ["'categorical_crossentrpy'", "'categorical_crossentropy'"]),
        ("loss", "mean_square_error", ["'mean_squared_error'"]),
        ("loss", "MeanSquaredError", ["'mean_squared_error'"]),
        ("loss", "cross_entropy", ["'categorical_crossentropy'"]),
        ("loss", "q", ["'q'", "mean_squared_error"]),
        ("loss", "5", ["loss", "5"]),
        ("loss", "mse,mse", ["'mse' twice"]),
        ("init", "xavier", ["'xavier'", "'glorot_uniform'"]),
        ("init", "Xavier", ["'glorot_uniform'"]),
        ("init", "kaiming_normal", ["'he_normal'"]),
        ("init", "glorot_unifrom", ["'glorot_uniform'"]),
        ("init", "normal:abc", ["'random_normal:abc'", "needs a number"]),
        ("init", "normal:-1", ["-1", "above 0"]),
        ("init", "constant", ["needs a number", "constant:0.1"]),
        ("init", "zeros:2", ["zeros takes no number"]),
        ("init", "he_norml:2", ["'he_normal'"]),
        ("optimizer", "adan", ["'adan'", "'adam'"]),
        ("optimizer", "rms_prop", ["'rmsprop'"]),
        ("validation_split", "1", ["validation_split", "below 1"]),
        ("validation_split", "20%", ["validation_split", "'20%'"]),
        ("validation_split", "-0.1", ["validation_split", "-0.1"]),
        ("epochs", "0", ["epochs", "1 or more"]),
        ("epochs", "ten", ["epochs", "'ten'"]),
        ("epochs", "1.5", ["epochs", "1.5"]),
        ("epochs", "off", ["epochs", "'off'"]),
        ("patience", "-1", ["patience", "-1"]),
        ("patience", "never", ["patience", "'never'"]),
        ("min_delta", "-1", ["min_delta", "-1"]),
        ("min_delta", "small", ["min_delta", "'small'"]),
        ("objective", "val_acuracy", ["'val_accuracy'"]),
        ("objective", "val_mine", ["max:val_mine", "min:val_mine"]),
        ("seed", "-1", ["seed", "-1"]),
        ("seed", "lucky", ["seed", "'lucky'"]),
        ("workers", "-1", ["workers", "-1"]),
        ("workers", "many", ["workers", "'many'"]),
        ("keep", "0", ["keep", "1 or more"]),
        ("log", "tensorbord", ["log", "'tensorboard'"]),
        ("sample", "0", ["sample", "1 or more"]),
        ("sample", "some", ["sample", "'some'"]),
        ("where", "layers=", ["where", "not an expression"]),
        ("where", "exit()", ["where", "'exit' is not allowed"]),
        ("keep", "all", ["keep", "'all'"]),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(option, value, words):
    for text in (mistake(typed, f"{flag(option)}={value}"), mistake(Options.of, **{option: value})):
        assert all(word in text for word in words), text


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"unit": [16]}, ["unknown option 'unit'", "'units'"]),
        ({"learningrate": 0.1}, ["'learningrate'", "'learning_rate'"]),
        ({"callback": []}, ["unknown option 'callback'"]),
        ({"units": []}, ["units", "no values"]),
        ({"units": [16, None]}, ["units", "None"]),
        ({"units": [[16], [32]]}, ["units", "[16]"]),
        ({"units": 16.5}, ["units", "16.5"]),
        ({"layers": True}, ["layers", "True"]),
        ({"learning_rate": "fast"}, ["learning_rate", "'fast'"]),
        ({"learning_rate": [True]}, ["learning_rate", "True"]),
        ({"epochs": 10.5}, ["epochs", "10.5"]),
        ({"epochs": None}, ["epochs", "None"]),
        ({"epochs": [1, 2]}, ["epochs", "[1, 2]"]),
        ({"patience": 2.5}, ["patience", "2.5"]),
        ({"patience": True}, ["patience", "True"]),
        ({"validation_split": 1.0}, ["validation_split", "below 1"]),
        ({"validation_split": float("nan")}, ["validation_split", "nan"]),
        ({"validation_split": None}, ["validation_split", "None"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"seed": "x"}, ["seed", "'x'"]),
        ({"seed": 2**32}, ["seed", "4294967296", "the largest is 4,294,967,295"]),
        ({"objective": 3}, ["objective", "3"]),
        ({"axis": "dropout=0,0.2"}, ["axis"]),
        ({"axis": ["dropout"]}, ["axis"]),
        ({"axis": {"dropout": []}}, ["dropout", "no values"]),
        ({"axis": {"dropout": [0, "a"]}}, ["dropout", "mixes"]),
        ({"axis": {3: [1, 2]}}, ["3"]),
        ({"loss": ["mse", 5]}, ["loss", "unknown loss 5"]),
    ],
    ids=str,
)
def test_a_mistake_in_python_is_named_too(keywords, words):
    text = mistake(Options.of, **keywords)
    assert all(word in text for word in words), text


@given(st.sampled_from(sorted(set(table()) - {"data", "validation_data", "build"})), st.text(max_size=30))
def test_any_text_for_any_option_is_taken_or_a_mistake_in_one_line(option, text):
    assert isinstance(one_line(Options.of, **{option: text}), (Options, str))


@given(st.text(max_size=60) | st.lists(st.sampled_from([*flags(), "16,32", "1:3", "x", "=", ",", "{", "'"])).map(" ".join))
def test_any_line_is_taken_or_a_mistake_in_one_line(line):
    assert isinstance(one_line(typed, line), (Options, str))


# ---- the help


@pytest.mark.parametrize("option", sorted(table()))
def test_the_help_explains_each_option_once(option):
    begun = [line for line in help_text().splitlines() if re.match(rf"\s+{flag(option)}(\s|$)", line)]
    assert len(begun) == 1
    assert len(begun[0].split(flag(option))[1].split()) >= 2


def test_the_help_shows_defaults_and_fits_a_screen():
    text = help_text()
    assert "[100]" in text
    assert "[0.2]" in text
    assert "[.nbtune]" in text
    assert "--no-wait" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("heavy", "balanced"),
        ("{]", "dict of class to weight"),
        ("{[]: 1}", "dict of class to weight"),
        ("{0: 1e999}", "0 or more"),
        ({"a": 1}, "number of a class"),
        ({0: -1}, "0 or more"),
        ([1.0, 2.0], "dict of class to weight"),
    ],
)
def test_what_are_no_weights_of_classes(weights, words):
    with pytest.raises(UsageError, match=words):
        Options.of(class_weight=weights)


def test_weights_of_classes_go_by_their_text():
    axis = Options.of(class_weight=[None, "balanced", {0: 1, 1: 2.5}]).class_weight
    assert axis.values == ("none", "balanced", "0:1,1:2.5")
    assert axis.objects == {"0:1,1:2.5": {0: 1, 1: 2.5}}


def test_callbacks_come_from_a_function():
    with pytest.raises(UsageError, match="anew for each trial"):
        Options.of(callbacks=[print])


@pytest.mark.skipif(os.sep != "/", reason="Windows has such folders")
def test_a_folder_of_windows_is_refused_elsewhere():
    assert "C:" in mistake(Options.of, dir="C:\\Users\\me\\runs")
    assert Options.of(dir="~/runs").dir == os.path.expanduser("~/runs")


@pytest.mark.parametrize("value", ["0", "-3", "nan", "inf", "soon", "20m", "True", "[5]"])
def test_minutes_are_a_number_above_nought(value):
    text = mistake(typed, f"--minutes {value}")
    assert "is not a number of minutes above 0; write minutes 20" in text
