"""What stands behind a value of an axis counts by its content; what cannot be compared is named."""

from __future__ import annotations

import threading

from nbtune.data.fingerprint import contents
from tests.data.content.test_objects import run


def test_what_stands_behind_a_name_counts():
    hashes = [contents({"act": {"f": run(f"def f(x): return x + {n}")["f"]}})[0]["act"]["f"] for n in (1, 1, 2)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_cannot_be_compared_is_named_and_equal_to_nothing():
    things = {"act": {"f": run("def f(x):\n    with LOCK: return x", LOCK=threading.Lock())["f"], "g": abs}}
    (one, notes), (other, _) = contents(things), contents(things)
    assert one["act"]["f"] != other["act"]["f"]
    assert one["act"]["g"] == other["act"]["g"]
    (note,) = notes
    assert note.startswith("No earlier result of act f can be used: the function reads a lock")


def test_a_file_that_one_reads_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    things = {"act": {"f": run("def f(x): return open('w.txt').read()")["f"]}}
    found = []
    for text in ("1", "1", "2"):
        (tmp_path / "w.txt").write_text(text)
        found.append(contents(things)[0])
    assert found[0] == found[1] != found[2]
