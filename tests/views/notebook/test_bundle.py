import base64
from html import escape

import pytest

from nbtune.views.figures.picture import Picture, alt_text, picture_png
from nbtune.views.notebook.bundle import beside_a_widget, headline_bundle, picture_bundle, picture_metadata, table_bundle

from ..conftest import done, product, search


@pytest.mark.parametrize("name", ["untouched", "fifty_four", "two_thousand"])
def test_picture_is_a_small_png(name, request):
    bundle = picture_bundle(request.getfixturevalue(name))
    png = base64.b64decode(bundle["image/png"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(png) < 150_000
    assert set(bundle) == {"image/png", "text/plain"}


def test_nothing_is_drawn_twice(fifty_four):
    picture = Picture(fifty_four)
    assert picture.png() is picture.png()


def test_a_dark_style_in_the_notebook_changes_nothing(fifty_four):
    from matplotlib import style

    plain = picture_png(fifty_four)
    with style.context("dark_background"):
        assert picture_png(fifty_four) == plain


def test_alt_text_tells_the_result(fifty_four, untouched):
    text = alt_text(fifty_four)
    assert fifty_four.best.label in text
    assert str(fifty_four.coverage) in text
    assert "Best" not in alt_text(untouched)
    assert picture_metadata(fifty_four)["image/png"]["alt"] == text


def test_alt_text_of_one_trial_without_hyperparameters():
    assert "Best 0.5000; worst 0.5000" in alt_text(search(product(), events=[done("0", 0.5)]))


def test_table_and_headline_have_html_and_text(fifty_four):
    for bundle in (table_bundle(fifty_four), headline_bundle(fifty_four, 1000.0)):
        assert set(bundle) == {"text/html", "text/plain"}
        assert "<script" not in bundle["text/html"]
    assert str(fifty_four.coverage) in table_bundle(fifty_four)["text/html"]
    assert escape(alt_text(fifty_four)) in table_bundle(fifty_four)["text/html"]


def test_what_stands_beside_a_widget_names_it_and_is_styled(fifty_four):
    html = beside_a_widget(headline_bundle(fifty_four, 1000.0), "abc", "line")["text/html"]
    assert "nbtune-abc" in html
    assert html.count("<style>") == 1
