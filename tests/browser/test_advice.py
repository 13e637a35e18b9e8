"""A beginner's mistake and what follows from it, in a notebook: advice, the confusion matrix, a value beyond the edge, a file."""

from __future__ import annotations

import re

from .page import until

TUNE = """%%tune --data x,y --units 2,4 --learning-rate 3e-2 --epochs 4 --patience off
def build(units):
    import keras

    return keras.Sequential([keras.Input((64,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(10)])
"""
LOOK = """import sys
print(sorted(trial.values["units"] for trial in search.trials), "tensorflow" in sys.modules)
print(search.evaluate(x, y))
print(search.evaluate(x, y))
"""


def test_from_a_missing_softmax_to_a_wider_grid(pages):
    book = pages.digits("lab", TUNE, LOOK, name="advice")
    page = book.page
    book.run(0)
    book.start(1)
    advice = page.get_by_role("list", name="Advice")
    advice.get_by_text('end it in Dense(10, activation="softmax")').wait_for(timeout=60_000)
    book.see(re.compile("finished: 2 of 2"), 120)
    book.shot("advice-finished")
    assert "without an activation" in str(book.save_lasting(1, "finished").cells[1].outputs)

    book.button("Confusion matrix").click()
    picture = page.get_by_role("img", name="What the best network answers")
    picture.wait_for(timeout=90_000)
    until(lambda: picture.evaluate("img => img.naturalWidth") > 300, 10, "there is no picture")
    book.shot("advice-confusion")

    book.button("Save").click()
    book.see(re.compile(r'load_model\("search.keras"\)'), 60)
    assert (book.path.parent / "search.keras").stat().st_size > 10_000

    if (more := page.get_by_role("button", name="Add units 6")).is_visible():  # the wider one is nearly always better
        more.click()
        book.see(re.compile("finished: 3 of 3"), 120)
        book.see(re.compile("2 of 3 done before"))
        book.shot("advice-widened")
    book.run(2, 120)
    said = page.locator(".jp-OutputArea-output pre").last.inner_text()
    assert re.search(r"\[2, 4(, 6)?\] False", said)
    assert "looked at once." in said
    assert "looked at twice;" in said
    assert not book.our_errors()
