import dataclasses

import numpy as np
import pytest

from nbtune.ask import option as options
from nbtune.ask.function import Function
from nbtune.ask.options import table
from nbtune.ask.parsing import read, typed
from nbtune.errors import UsageError
from nbtune.panel import form

CLASSES, NUMBERS = np.arange(30) % 3, np.linspace(0.1, 3.7, 30)


def plain(layers, units, dropout=0.0):
    return layers, units, dropout


def with_hp(hp):
    return hp


def no_names(text):
    raise UsageError(f"{text!r} is not defined")


def filled(function=plain, y=CLASSES, texts=None, **changes):
    fields = form.fields(Function.of(function), y, texts)
    return [dataclasses.replace(field, text=changes.get(field.name, field.text)) for field in fields]


def field(name, **how):
    return next(field for field in filled(**how) if field.name == name)


def test_every_option_has_a_field():
    left_to_the_panel = {"axis", "build", "data", "plan", "wait"}
    assert {field.name for field in filled()} == set(table()) - left_to_the_panel | {"dropout"}


def test_an_option_that_is_added_later_appears_by_itself(monkeypatch):
    later = options.Option(
        name="folds",
        default=1,
        group="fitting",
        metavar="K",
        help="parts to validate on in turn",
        type="int",
        results=options.Results.AS_TERM,
    )
    monkeypatch.setattr(form, "table", lambda: {**table(), "folds": later})
    assert (field("folds").editor, field("folds").hint, field("folds").help) == ("text", "1", "parts to validate on in turn")


def test_what_holds_if_a_field_is_left_out():
    hints = {name: field(name).hint for name in ("epochs", "seed", "validation_split", "init", "optimizer", "workers", "layers")}
    assert hints == {
        "epochs": "100",
        "seed": "0",
        "validation_split": "0.2",
        "init": "Glorot uniform",
        "optimizer": "Adam",
        "workers": "auto",
        "layers": "",
    }


def test_what_a_function_does_not_take_has_no_field():
    def build(width):
        return width

    names = {field.name for field in filled(build)}
    assert "width" in names
    assert not {"layers", "units"} & names
    assert not {"layers", "units", "hp"} & {field.name for field in filled(with_hp)}


def test_the_first_values_are_a_grid_that_can_run():
    fields = filled()
    assert not form.mistakes(fields, no_names)
    options = typed(form.texts_of(fields), no_names)
    assert {axis.name: axis.values for axis in options.axes} == {
        "layers": (1, 2, 3),
        "units": (16, 32, 64),
        "learning_rate": (1e-4, 1e-3, 1e-2),
    }
    assert [field.editor for field in fields[:2]] == ["range", "tags"]
    assert field("learning_rate").editor == "log"


@pytest.mark.parametrize(
    ("y", "fits", "does_not"),
    [
        (CLASSES, {"categorical_crossentropy", "mean_squared_error"}, {"huber", "poisson"}),
        (NUMBERS, {"mean_squared_error", "huber"}, {"categorical_crossentropy"}),
    ],
)
def test_only_losses_that_fit_the_labels_are_offered(y, fits, does_not):
    offered = set(field("loss", y=y).choices)
    assert fits <= offered
    assert not does_not & offered


def test_what_was_typed_before_comes_back():
    texts = {"layers": "1,2,5", "axis": ["dropout=0,0.5"], "epochs": "7", "fresh": True}
    fields = {field.name: field for field in filled(texts=texts)}
    assert fields["layers"].editor == "tags", "a list is no range"
    assert fields["dropout"].text == "0,0.5"
    assert fields["learning_rate"].text == "", "left out then, left out now"
    assert form.texts_of(list(fields.values())) == texts


def test_a_list_instead_of_a_range():
    assert form.listed(field("layers")).text == "1,2,3"
    assert form.listed(field("learning_rate")).text == "0.0001,0.001,0.01"
    assert form.listed(dataclasses.replace(field("layers"), text="3:1")).editor == "tags"


def test_a_mistake_is_told_at_its_field():
    wrong = form.mistakes(filled(epochs="ten", layers="3:1", dropout="0,,1"), no_names)
    assert set(wrong) == {"epochs", "layers", "dropout"}
    assert "'ten' is not a whole number" in wrong["epochs"]


def test_the_cell_reads_back_as_what_was_filled_in():
    fields = filled(texts={"layers": "1:2", "units": "{[8, 16]}", "axis": ["dropout=0,0.5"], "fresh": True, "dir": "my runs"})
    text = form.cell_text("mine", "plain", "x[:, :3], y", fields)
    assert text.startswith("%%tune mine --build plain --data ")
    name, texts = read(text.removeprefix("%%tune "))
    assert name == "mine"
    assert texts.pop("build") == "plain"
    assert texts.pop("data") == "x[:, :3], y"
    assert texts == form.texts_of(fields)


def test_a_switch_that_is_on_can_be_switched_off():
    fields = {field.name: field for field in filled()}
    assert (fields["shuffle"].text, fields["fresh"].text) == ("on", "")
    assert form.texts_of([fields["shuffle"], fields["fresh"]]) == {}
    off = dataclasses.replace(fields["shuffle"], text="")
    assert form.texts_of([off]) == {"shuffle": False}
    assert form.cell_text("search", "plain", "x,y", [off]).endswith("--data x,y --no-shuffle")
    assert {field.name: field.text for field in filled(texts={"shuffle": False})}["shuffle"] == ""


def test_how_the_grid_grows():
    axes = {"layers": 3, "units": 3, "loss": 2}
    assert form.product_line(axes) == "3 × 3 × 2 = 18"
    assert form.product_line({}) == "no axis = 1"
    assert form.product_line(dict.fromkeys("abcdefghijk", 1000)).endswith(f"= {1000**11:,}")
    assert [(s.name, s.total, s.seconds) for s in form.growth(axes, 2.0)] == [
        ("layers", 3, 6),
        ("units", 9, 18),
        ("loss", 18, 36),
    ]
