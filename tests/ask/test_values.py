"""How values are written on a line, against Python's own ranges, NumPy's spacing and the objects themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbtune.ask.values import MOST, expand, read_value, read_values, split
from nbtune.errors import UsageError

small = st.integers(-500, 500)
word = st.from_regex(r"[a-df-km-z][a-z_]{0,12}", fullmatch=True)  # no number, no "e5", no "log:"


def evaluate_in(**names):
    return lambda text: eval(text, {}, names)


def one_line(call, *args, **keywords):
    """What the call returns, or the message of its UsageError, which is one line."""
    try:
        return call(*args, **keywords)
    except UsageError as error:
        text = str(error)
    assert len(text.splitlines()) == 1, text
    return text


# ---- lists and single values


@given(st.lists(st.integers(), min_size=1, max_size=20))
def test_a_list_of_whole_numbers_comes_back_as_whole_numbers(numbers):
    values = read_values(",".join(map(str, numbers)))
    assert values == numbers
    assert all(type(value) is int for value in values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_a_list_of_numbers_comes_back_as_numbers(numbers):
    values = read_values(",".join(map(repr, numbers)))
    assert values == numbers
    assert all(type(value) is float for value in values)


@given(st.lists(word, min_size=1, max_size=10))
def test_a_list_of_words_comes_back_as_text(words):
    assume(not {"true", "false", "nan", "inf", "infinity"} & set(words))
    assert read_values(",".join(words)) == words


@given(st.lists(small, min_size=1, max_size=8), st.sampled_from([", ", " ,", " , ", "  ,  "]))
def test_blanks_around_commas_do_not_matter(numbers, comma):
    assert read_values(comma.join(map(str, numbers))) == numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16", 16),
        ("-3", -3),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.0", 1.0),
        ("True", True),
        ("false", False),
        ("relu", "relu"),
        ("he_normal", "he_normal"),
        ("v1.5", "v1.5"),
    ],
)
def test_a_single_value_has_the_kind_that_it_looks_like(text, value):
    found = read_value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[16, 32]", [16, 32]),
        ("(1, 2.5)", [1, 2.5]),
        ("['relu', 'tanh']", ["relu", "tanh"]),
        ("[True, False]", [True, False]),
        ("'a,b',c", ["a,b", "c"]),
        ('"a b","c d"', ["a b", "c d"]),
        ("1:3,8,16", [1, 2, 3, 8, 16]),
        ("8,log:1:100:3", [8, 1, 10, 100]),
    ],
)
def test_list_literals_quotes_and_mixtures(text, values):
    assert read_values(text) == values


def test_a_bracketed_word_is_one_value_and_not_its_letters():
    assert read_values("('relu')") == ["relu"]


# ---- ranges


@given(small, st.integers(0, 200))
def test_a_range_has_both_ends(first, length):
    assert read_values(f"{first}:{first + length}") == list(range(first, first + length + 1))


@given(small, st.integers(0, 200), st.integers(1, 50))
def test_a_range_with_a_step_has_the_last_value_where_the_step_meets_it(first, length, step):
    assert read_values(f"{first}:{first + length}:{step}") == list(range(first, first + length + 1, step))


@given(small, st.integers(0, 200), st.integers(1, 50))
def test_a_range_may_descend(first, length, step):
    assert read_values(f"{first}:{first - length}:-{step}") == list(range(first, first - length - 1, -step))


# ---- log spacing


@given(st.integers(1, 9999), st.integers(-8, 3), st.integers(1, 9999), st.integers(-8, 3), st.integers(2, 40))
def test_log_spacing_is_geometric_with_exact_ends(a, i, b, j, n):
    low, high = f"{a}e{i}", f"{b}e{j}"
    assume(float(high) > 1.5 * float(low))
    values = read_values(f"log:{low}:{high}:{n}")
    assert len(values) == n
    assert (values[0], values[-1]) == (float(low), float(high))
    np.testing.assert_allclose(values, np.geomspace(float(low), float(high), n), rtol=1e-5)


@pytest.mark.parametrize("text", ["log:0.12345678:0.87654321:3", "log:1:1234567:4"])
def test_log_spacing_keeps_every_digit_of_its_ends(text):
    _, low, high, _ = text.split(":")
    values = read_values(text)
    assert (values[0], values[-1]) == (float(low), float(high))


def test_log_spacing_gives_the_numbers_that_people_expect():
    assert read_values("log:1e-4:1e-2:3") == [0.0001, 0.001, 0.01]
    assert read_values("log:16:256:5") == [16, 32, 64, 128, 256]
    assert all(type(value) is int for value in read_values("log:16:256:5"))


@given(st.integers(1, 200), st.integers(2, 500), st.integers(2, 30))
def test_log_spacing_between_whole_numbers_gives_whole_numbers_once_each(low, factor, n):
    values = read_values(f"log:{low}:{low * factor}:{n}")
    assert all(type(value) is int for value in values)
    assert values == sorted(set(values))
    assert {values[0], values[-1]} == {low, low * factor}


# ---- mistakes


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "16,,32",
        "16,32,",
        "3:1",
        "1:9:0",
        "1:9:-1",
        "0.1:0.5",
        "1:2.5",
        "1e3:2e3",
        f"1:{MOST + 1}",
        "1:99999999999999999999999999",
        "log:1e-2:1e-4:3",
        "log:0:1:3",
        "log:-1:1:3",
        "log:1e-4:1e-2",
        "log:1e-4:1e-2:1",
        "log:1e-4:1e-2:many",
        "log:a:b:3",
        "log:1:inf:3",
        "log:nan:1:3",
        "[16, 32",
        "[x, y]",
        "[1, 2]]",
        "(1 + 1,)",
        "(5)",
        "'open",
        "f(1",
    ],
)
def test_what_cannot_be_read_is_a_mistake_in_one_line(text):
    with pytest.raises(UsageError) as error:
        read_values(text)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [("3:1", "1:3"), ("0.1:0.5", "log:"), ("16,,32", "16,32,64"), ("[x, y]", "16,32,64"), ("log:1:3", "log:1e-4:1e-2:3")],
)
def test_a_mistake_shows_the_right_spelling(text, hint):
    with pytest.raises(UsageError, match=hint):
        read_values(text)


pieces = st.lists(st.sampled_from([*"0123456789,:-.e[](){}'\"$ \na", "log:", "inf"])).map("".join)


@given(st.one_of(st.text(), pieces, st.text().map("[{}]".format), st.text().map("log:{}".format)))
def test_any_text_is_values_or_a_mistake_in_one_line(text):
    assert isinstance(one_line(read_values, text), (list, str))


@given(st.one_of(st.text(), pieces))
def test_any_line_is_pieces_or_a_mistake_in_one_line(text):
    assert isinstance(one_line(split, text), (list, str))


# ---- splitting a line


@given(st.lists(word, max_size=8), st.integers(1, 3))
def test_blanks_separate(words, blanks):
    assert split((" " * blanks).join(words)) == words


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--units 16, 32 --epochs 3", ["--units", "16,32", "--epochs", "3"]),
        ("--units 16 , 32", ["--units", "16,32"]),
        ("--units 16 ,32", ["--units", "16,32"]),
        ("--data x[:, 0],y", ["--data", "x[:,0],y"]),
        ("--data f(a, b = 2),y", ["--data", "f(a,b = 2),y"]),
        ("--axis rates={[0.1, 0.2]}", ["--axis", "rates={[0.1,0.2]}"]),
        ("--data 'x y,z'", ["--data", "x y,z"]),
        ('--dir "my files"', ["--dir", "my files"]),
        ("--dir 'Ada, 2nd try'", ["--dir", "Ada, 2nd try"]),
        ("--data d['x y'],d['z']", ["--data", "d['x y'],d['z']"]),
        ("", []),
        ("   ", []),
    ],
)
def test_quotes_and_brackets_hold_together(line, found):
    assert split(line) == found


@pytest.mark.parametrize("line", ["--dir 'my files", "--data f(x", "--units [16, 32"])
def test_what_is_opened_must_be_closed(line):
    with pytest.raises(UsageError, match="never closed"):
        split(line)


# ---- expressions


@pytest.mark.parametrize("text", ["{thing}", "$thing", "{[thing][0]}", "{ thing }"])
def test_an_expression_that_is_all_of_the_text_is_the_object_itself(text):
    thing = object()
    assert expand(text, evaluate_in(thing=thing)) is thing


def test_an_expression_may_hold_braces_of_its_own():
    assert expand("{sorted({3, 1, 2})}", evaluate_in()) == [1, 2, 3]
    assert expand("{list({'a': 1, 'b': 2})}", evaluate_in()) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1:{n}", "1:3"),
        ("{n},{n + 1}", "3,4"),
        ("$n,$m", "3,8"),
        ("log:{low}:1e-2:$n", "log:0.0001:1e-2:3"),
        ("16,32", "16,32"),
    ],
)
def test_an_expression_within_a_text_is_put_in_its_place(text, found):
    assert expand(text, evaluate_in(n=3, m=8, low=1e-4)) == found
