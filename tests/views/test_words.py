from nbtune.views.words import score_text, short_score, shorten, squeeze, useful_line


def test_scores_have_four_digits():
    assert [score_text(s) for s in (None, 0.98333, 0.0, 12345.678, 0.00012345)] == [
        "",
        "0.9833",
        "0.0000",
        "1.235e+04",
        "0.0001234",
    ]
    assert [short_score(s) for s in (0.9, 12.34, 0.0012)] == ["0.900", "12.3", "0.0012"]


def test_shortened_text_keeps_both_ends():
    assert shorten("categorical_crossentropy", 9) == "categ…opy"
    assert shorten("mse", 9) == "mse"


def test_the_longest_part_is_shortened_first():
    assert squeeze(["2", "0.001", "categorical_crossentropy"], 22) == "2 · 0.001 · categ…ropy"


def test_the_useful_line_of_a_traceback():
    assert useful_line("Traceback:\n  x\nValueError: no\n\n") == "ValueError: no"
    assert useful_line("") == ""
