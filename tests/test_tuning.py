"""The function's signature and its help, and what it makes of keywords; that it trains is seen in test_search."""

from __future__ import annotations

import inspect

import jedi
import pytest

import nbtune
from nbtune.ask.options import table
from nbtune.errors import UsageError

from . import signature


def build(layers, rate=0.1):
    raise AssertionError("nothing is built here")


def mistake(**keywords):
    with pytest.raises(UsageError) as error:
        nbtune.tune(**keywords)
    return str(error.value)


def test_the_signature_is_that_of_the_table():
    text = signature.FILE.read_text()
    assert text == signature.written(text), "run: python -m tests.signature"


def test_every_option_can_be_seen_in_the_signature_and_in_the_help():
    parameters = inspect.signature(nbtune.tune).parameters
    assert set(parameters) == {*table(), "name", "parameters", "more"}
    documentation = inspect.getdoc(nbtune.tune)
    for name, option in table().items():
        assert f"    {name}: " in documentation
        if option.default is not None and option.default != ():
            assert parameters[name].default == option.default
    assert list(parameters)[:2] == ["build", "data"]


def test_an_editor_lists_every_keyword_without_running_anything():
    code = "import nbtune\nnbtune.tune("
    [found] = jedi.Script(code).get_signatures()
    assert {parameter.name for parameter in found.params} >= {*table(), "name"}


def test_what_is_public_is_there_and_is_documented():
    assert set(nbtune.__all__) <= set(dir(nbtune))
    for name in nbtune.__all__:
        assert inspect.getdoc(getattr(nbtune, name))


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"build": build, "last": [1, 2]}, "unknown option 'last'; build takes layers, rate"),
        ({"build": build, "lr": 0.1}, "unknown option 'lr'; did you mean 'learning_rate'?"),
        ({"build": build, "learnig_rate": 0.1}, "did you mean 'learning_rate'?"),
        ({"layer": 1}, "did you mean 'layers'?"),
        ({"build": build, "data": 1, "rate": [0, 0], "layers": 1}, "rate has 0 twice"),
        ({"build": build, "rate": 1, "axis": {"rate": 2}}, "rate is given twice"),
        ({"name": "my search"}, "'my search' cannot be the name"),
    ],
)
def test_a_mistake_is_one_line(keywords, says):
    assert says in mistake(**keywords)


def test_labels_by_place_are_one_line_too():
    with pytest.raises(UsageError, match=r"tune\(build, \(x, y\)\)"):
        nbtune.tune(build, [[1.0]], [1])


def test_a_parameter_of_the_function_is_a_keyword(monkeypatch):
    asked = []
    monkeypatch.setattr("nbtune.tuning.Request.of", lambda options: asked.append(options) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nbtune.tune(build, (1, 2), layers=[1, 2], rate=[0, 0.5])
    assert [(axis.name, axis.values) for axis in asked[0].axes] == [("layers", (1, 2)), ("rate", (0.0, 0.5))]
