"""Cross-validation that is asked for in the form: the map, the table and the curves show what came of it."""

from __future__ import annotations

import re

from .page import BUILD


def test_folds_are_set_in_the_form_and_seen_in_the_result(pages):
    panel = f"{BUILD}\n\n%tune panel build --data x,y --layers 1 --units 16,32 --learning-rate 1e-2 --epochs 3"
    shown = "search.plan.held_out, [len(trial.scores) for trial in search.trials], search.oof.shape"
    book = pages.digits("lab", panel, shown, name="folds")
    book.run(0)
    book.run(1)
    page = book.page
    page.get_by_text("Further settings").click()
    page.get_by_label("folds", exact=True).fill("1")
    book.see("folds: '1' is too few")
    page.get_by_label("folds", exact=True).fill("3")
    book.see("= 6 fits")
    book.button("Start").click()
    book.see(re.compile(r"finished: 2 of 2"), 90)
    book.see("Cross-validated in 3 folds of 1,797 rows")
    best = page.locator(".nbtune-board tbody tr").first.inner_text()
    assert re.search(r"0\.\d{4} ± 0\.\d{4}", best), best
    assert page.locator(".nbtune-map [role=option]").count() == 2
    assert page.locator(".nbtune-headline").evaluate("line => line.getBoundingClientRect().top") > 0, "the result is in sight"
    book.shot("folds")
    book.run(2)
    said = book.cell(2).inner_text()
    assert "3 folds of 1,797 rows, stratified by class" in said
    assert "[3, 3]" in said
    assert "(1797, 10)" in said
    assert not book.our_errors()
