"""The model-building function seen from outside: which style it is, what it takes, what it reaches."""

from __future__ import annotations

import functools

import pytest

from nbtune.ask.function import Function, global_values, user_functions
from nbtune.ask.space import Axis
from nbtune.errors import UsageError

RATE = 0.25
SIZES = [8, 16]


class HyperParameters:
    """Stands for KerasTuner's."""


def plain(layers, units=16):
    return layers, units


def axes(**values):
    return [Axis.of(name, value) for name, value in values.items()]


def mistake(call, *args):
    with pytest.raises(UsageError) as error:
        call(*args)
    text = str(error.value)
    assert len(text.splitlines()) == 1, text
    return text


# ---- the two styles


def named_hp(hp):
    return hp


def annotated(p: HyperParameters):
    return p


def annotated_as_text(p: keras_tuner.HyperParameters):  # noqa: F821
    return p


class HyperModel:
    def build(self, hp):
        return self, hp


@pytest.mark.parametrize("build", [named_hp, annotated, annotated_as_text, HyperModel(), HyperModel().build, lambda hp: hp])
def test_a_keras_tuner_function_is_known_by_its_parameter(build):
    assert Function.of(build).takes_hp


def test_a_hypermodel_builds_as_itself():
    model = HyperModel()
    assert Function.of(model).call("hp") == (model, "hp")


@pytest.mark.parametrize("build", [plain, lambda layers: layers, lambda: None, functools.partial(plain, units=3), lambda h: h])
def test_any_other_function_is_plain(build):
    assert not Function.of(build).takes_hp


def test_parameters_and_whether_they_must_be_given():
    def build(layers, units: int = 16, *, rate, act="relu"):
        return layers, units, rate, act

    function = Function.of(build)
    assert function.name == "build"
    assert function.parameters == {"layers": True, "units": False, "rate": True, "act": False}


def test_a_function_that_takes_any_keyword_takes_every_axis():
    def build(layers=1, **rest):
        return layers, rest

    function = Function.of(build)
    assert function.parameters is None
    function.check(axes(layers=[1], anything=["a"]))
    assert function.arguments({"layers": 1, "anything": "a"}) == {"layers": 1, "anything": "a"}


@pytest.mark.parametrize("build", [plain, functools.partial(plain, units=3), HyperModel()])
def test_a_function_has_a_name_for_messages(build):
    name = Function.of(build).name
    assert isinstance(name, str)
    assert name


# ---- what is no function


@pytest.mark.parametrize(("build", "kind"), [(None, "NoneType"), (3, "int"), ("build", "str"), ([], "list")])
def test_what_cannot_be_called_is_no_function(build, kind):
    assert kind in mistake(Function.of, build)


def test_a_model_in_the_place_of_a_function_is_recognised():
    import keras  # a model has a `build` of its own, which makes its weights

    text = mistake(Function.of, keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]))
    assert "function" in text
    assert "Sequential" in text


@pytest.mark.parametrize("build", [lambda *args: None, lambda x, /: x], ids=["*args", "positional"])
def test_parameters_need_names(build):
    assert "names" in mistake(Function.of, build)


def test_a_function_whose_parameters_cannot_be_read_is_to_be_wrapped():
    class Odd:
        __signature__ = 3  # neither a signature nor a function that makes one

        def __call__(self, layers):
            return layers

    assert "wrap it" in mistake(Function.of, Odd())


# ---- axes and parameters


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"layers": [1], "width": [1]}, ["plain has no parameter 'width'", "layers, units"]),
        ({"layers": [1], "unit": [1]}, ["'unit'", "did you mean 'units'"]),
        ({"units": [1]}, ["plain needs 'layers'", "--layers VALUES"]),
    ],
)
def test_axes_and_parameters_must_meet(given, words):
    text = mistake(Function.of(plain).check, axes(**given))
    assert all(word in text for word in words), text


def test_a_parameter_of_ones_own_is_given_by_axis():
    def build(dropout):
        return dropout

    assert "--axis dropout=VALUES" in mistake(Function.of(build).check, [])


def test_a_function_without_parameters_says_so():
    def build():
        return None

    assert "it takes no parameters" in mistake(Function.of(build).check, axes(layers=[1]))


def test_an_axis_may_not_be_given_twice():
    assert "units is given twice" in mistake(Function.of(plain).check, axes(layers=[1], units=[8]) + axes(units=[16]))


@pytest.mark.parametrize("name", ["learning_rate", "loss", "init", "optimizer", "batch_size"])
def test_what_belongs_to_compiling_and_fitting_needs_no_parameter(name):
    Function.of(plain).check(axes(layers=[1], **{name: ["a"]}))


def test_defaults_need_no_axis():
    Function.of(plain).check(axes(layers=[1, 2]))


def test_what_a_keras_tuner_function_asks_for_shows_later():
    Function.of(named_hp).check(axes(anything=[1]))


def test_a_plain_function_gets_the_values_that_it_takes():
    arguments = Function.of(plain).arguments({"layers": 2, "units": 8, "learning_rate": 0.1})
    assert arguments == {"layers": 2, "units": 8}
    assert plain(**arguments) == (2, 8)


# ---- what it reaches


def scale(x):
    return RATE * x


def block(x):
    return scale(x) + 1


def recursive(n):
    return n and recursive(n - 1)


def reaching(layers):
    blocks = [block(size) for size in SIZES]
    return blocks, recursive(layers), pytest, len(blocks)


def nested(layers):
    def outer():
        def inner():
            return scale(RATE)

        return inner()

    return outer()


def test_helpers_are_reached_through_helpers_once_each():
    found = list(user_functions(reaching))
    assert found[0] is reaching
    assert sorted(part.__name__ for part in found) == ["block", "reaching", "recursive", "scale"]


def test_constants_are_found_also_where_only_an_inner_function_reads_them():
    assert global_values(reaching)["SIZES"] is SIZES
    assert global_values(scale) == {"RATE": RATE}
    assert global_values(nested)["RATE"] is RATE


def test_helpers_of_an_inner_function_are_reached():
    assert scale in list(user_functions(nested))


def test_closures_are_read():
    width = 32

    def helper():
        return width

    def build(layers):
        return helper(), width

    assert global_values(build) == {"helper": helper, "width": 32}
    assert set(user_functions(build)) == {build, helper}


def test_a_decorated_function_is_seen_through():
    @functools.lru_cache
    def build(layers):
        return block(layers)

    assert {"build", "block", "scale"} <= {part.__name__ for part in user_functions(build)}


def test_the_functions_of_libraries_are_not_the_users():
    def build(layers):
        return functools.reduce(max, [layers]), pytest.approx(layers)

    assert list(user_functions(build)) == [build]


def test_a_hypermodels_helpers_are_reached():
    class Own:
        def build(self, hp):
            return scale(hp)

    assert scale in list(user_functions(Own().build))


def test_the_text_of_every_reached_function_is_kept_for_tracebacks():
    sources = Function.of(reaching).sources
    assert list(sources) == [__file__]
    assert "return RATE * x" in sources[__file__]
