import base64
import re
from html.parser import HTMLParser

from nbtune.report.page import report
from tests.views.conftest import done, fifty_four, product, search  # noqa: F401 - a fixture among them


class Page(HTMLParser):
    """What is on the page; raises nothing, but sees tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.images, self.scripts = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.images.append(dict(attributes))
        elif tag not in ("meta", "wbr"):  # which have no end
            self.open.append(tag)
        self.scripts += tag == "script"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


def test_the_page_stands_alone_and_has_winner_pictures_table_terms_and_code(fifty_four):  # noqa: F811
    text = report(fifty_four, "digits", {"epochs": 30, "seed": 0, "patience": None}, "import keras\nif 1 < 2: pass", 0.0)
    page = Page(text)
    assert page.open == []
    assert not re.search(r"(src|href)=[\"'](?!data:)", text), "nothing from elsewhere"
    assert len(page.images) == 4
    for image in page.images:
        assert base64.b64decode(image["src"].partition(",")[2])[:4] == b"\x89PNG"
        assert image["alt"]
    seen = " ".join(page.texts)
    assert "if 1 < 2: pass" in seen
    assert str(fifty_four.coverage) in seen
    assert "epochs 30" in re.sub(r"\s+", " ", seen)
    assert "patience" not in seen


def test_values_and_errors_are_text(fifty_four):  # noqa: F811
    page = Page(report(fifty_four, "<script>alert(1)</script>", {}, "</pre><script>alert(2)</script>", 0.0))
    assert page.scripts == 0
    assert "alert(1)" in " ".join(page.texts)


def test_a_search_with_a_single_combination_has_no_picture_of_axes():
    page = Page(report(search(product(units=[1]), events=[done("0", 0.5)]), "one", {}, None, 0.0))
    assert len(page.images) < 4
