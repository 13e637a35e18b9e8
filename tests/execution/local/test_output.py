"""What workers print: to the end of a plain file that does not grow without end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nbtune.execution.local import output

SCRIPT = """
import os, sys
from nbtune.execution.local import output
output.MOST_BYTES = 10_000
output.redirect(sys.argv[1])
for i in range(2000):
    print("line", i)
    sys.stdout.flush()
    output.shorten()
os.system("echo from a child")
"""


def run(log):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", SCRIPT, log], env=environment, capture_output=True, text=True, check=False)


def test_a_long_output_keeps_its_newest_part(tmp_path):
    run(tmp_path / "workers.log")
    text = (tmp_path / "workers.log").read_text()
    assert len(text) < 11_000
    assert text.startswith("(earlier output was left out)\n")
    assert text.endswith("line 1998\nline 1999\nfrom a child\n")


def test_nothing_outside_is_written_to(tmp_path):
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "workers.log").symlink_to(tmp_path / "outside")
    assert "no plain file" in run(tmp_path / "workers.log").stderr
    assert (tmp_path / "outside").read_text() == "mine"
    with pytest.raises(OSError, match="no plain file"):
        output.redirect(str(tmp_path / "workers.log"))
