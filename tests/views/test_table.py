from nbtune.record.events import TrialEnded
from nbtune.views.table import columns, failures, rows, table_html, table_text

from .conftest import done, product, search


def test_rows_are_ranked_and_complete(fifty_four):
    heads, found = columns(fifty_four), rows(fifty_four, 3)
    assert [head.name for head in heads][-7:] == ["val_accuracy", "gap", "fit", "best epoch", "epochs", "seconds", "status"]
    assert [row[0] for row in found] == ["1", "2", "3"]
    best = fifty_four.best
    assert found[0][-7:] == [f"{best.score:.4f}", "+0.01", "fits", "4", "5", "2.0", "done"]


def test_trials_without_a_score_follow(fifty_four):
    found = rows(fifty_four, 100)
    statuses = [row[-1] for row in found]
    assert sorted(statuses[:30]) == ["done"] * 28 + ["running"] * 2
    assert [row[-7] for row in found if row[-1] == "running"] == ["0.9000 so far"] * 2
    assert not {"pending", "running", "done"} & set(statuses[30:])


def test_numbers_stand_at_the_right_and_words_at_the_left(fifty_four):
    sides = {column.name: column.right for column in columns(fifty_four)}
    assert sides["units"]
    assert sides["learning_rate"]
    assert not sides["loss"]


def test_html_is_escaped_and_says_what_was_covered(fifty_four):
    html = table_html(fifty_four, 100)
    assert "<script" not in html
    assert "&lt;script&gt;mse" in html
    assert "ValueError: &lt;script&gt;alert(1)" in html
    assert str(fifty_four.coverage) in html
    assert html.count("<details>") == 2


def test_text_is_aligned_and_says_the_same(fifty_four):
    text = table_text(fifty_four, 5)
    head, first = text.splitlines()[:2]
    assert head.index("status") == first.index("done")
    assert str(fifty_four.coverage) in text
    assert "the table shows the first 5" in text
    assert "failed: ValueError: <script>" in text


def test_equal_failures_are_one_line(fifty_four):
    failed, diverged = failures(fifty_four)
    assert len(failed.trials) == len(diverged.trials) == 4
    assert "4 trials, first " in str(failed)


def test_many_kinds_of_failure_are_capped():
    events = [TrialEnded(str(i), "failed", error=f"Error{i}") for i in range(8)]
    text = table_text(search(product(units=range(8)), events=events))
    assert "and 3 other problems" in text


def test_before_the_first_trial_there_is_only_coverage(untouched):
    assert table_text(untouched) == str(untouched.coverage)
    assert "<table" not in table_html(untouched)


def test_a_value_that_a_trial_lacks():
    progress = search([{"layers": 1}, {"layers": 2, "units_1": 16}], events=[done("0", 0.9), done("1", 0.8)])
    assert [row[2] for row in rows(progress)] == ["–", "16"]


def test_repeats_show_their_spread_and_what_cannot_be_told_from_the_best():
    scores = [[0.95, 0.97, 0.99], [0.94, 0.96, 0.98], [0.70, 0.71, 0.72]]
    ends = [TrialEnded(str(i), "done", s[1], 1, {"val_accuracy": [s[1]]}, scores=s) for i, s in enumerate(scores)]
    progress = search(product(units=[8, 16, 32]), events=ends)
    assert [row[2] for row in rows(progress)] == ["0.9700 ± 0.0200", "≈ 0.9600 ± 0.0200", "0.7100 ± 0.0100"]
    for shown in (table_html(progress), table_text(progress)):
        assert "≈ not significantly different from the best: Welch's t-test over 3 seeds" in shown.replace("&#x27;", "'")
