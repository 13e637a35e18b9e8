import os
import subprocess
import sys
import tempfile
import time

import pytest

from nbtune.execution.scratch import Scratch


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_of_a_killed_process_goes_with_the_next_one(temporary):
    script = "import os, signal; from nbtune.execution.scratch import Scratch; Scratch(); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(temporary)}, check=False)
    (left,) = temporary.iterdir()
    mine = Scratch()
    assert not left.exists()
    assert list(temporary.iterdir()) == [mine.path]
    mine.remove()
    assert not list(temporary.iterdir())


def test_a_folder_in_use_stays(temporary):
    one, two = Scratch(), Scratch()
    assert one.path.exists()
    assert two.path.exists()


def test_somebody_elses_folder_of_such_a_name_stays(temporary):
    notes = temporary / "nbtune-notes"
    notes.mkdir()
    (notes / "lesson.txt").write_text("kept")
    os.utime(notes, (time.time() - 1e6,) * 2)
    Scratch().remove()
    assert (notes / "lesson.txt").read_text() == "kept"
