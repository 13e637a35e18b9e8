import csv
import io
import json
import math

import pytest

from nbtune.errors import UsageError
from nbtune.record.events import DIVERGED, TrialEnded
from nbtune.report.export import export
from tests.views.conftest import done, fifty_four, product, search  # noqa: F401 - a fixture among them


def text(progress, kind, folder):
    return export(progress, folder, kind, folder / "exported").read_text("utf-8")


def test_csv_has_a_row_a_combination(fifty_four, tmp_path):  # noqa: F811
    rows = list(csv.DictReader(io.StringIO(text(fifty_four, "csv", tmp_path))))
    assert len(rows) == 54
    best = fifty_four.best
    row = next(row for row in rows if row["trial"] == best.id)
    assert float(row["score"]) == best.score
    assert row["units"] == str(best.values["units"])
    assert {row["status"] for row in rows} >= {"done", "failed", "diverged", "stopped", "running", "pending"}
    assert any(row["error"].startswith("ValueError") for row in rows)


def test_json_has_histories_and_stays_json_with_nan(tmp_path):
    events = [done("0", 0.5), TrialEnded("1", DIVERGED, history={"val_accuracy": [0.5, math.nan]})]
    found = json.loads(text(search(product(units=[1, 2]), events=events), "json", tmp_path), parse_constant=pytest.fail)
    assert found["objective"] == "val_accuracy"
    assert found["trials"][0]["history"]["val_accuracy"][3] == 0.5
    assert found["trials"][1]["history"]["val_accuracy"] == [0.5, None]


def test_another_kind_is_a_mistake_with_a_hint(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'csv'"):
        text(search(product(units=[1])), "cvs", tmp_path)
