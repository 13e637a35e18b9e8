"""Who ends with whom: a process of our own takes in what its descendants leave, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

ADOPTS = """
import os, subprocess, sys, time
import psutil
from nbtune.execution.local.parent import adopt_orphans, bury_orphans, end_children

adopt_orphans()
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
nobody = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
own = subprocess.Popen(sleep, **nobody)
leaving = "import os, subprocess, sys; out = subprocess.DEVNULL; "
leaving += "it = subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=out, stderr=out); "
leaving += "print(it.pid, flush=True); os._exit(0)"  # a Popen that is collected would bury what has ended
left = [int(subprocess.check_output([sys.executable, "-c", leaving, *command])) for command in (sleep, sleep, ["true"])]
while psutil.Process(left[2]).status() != "zombie":
    time.sleep(0.01)
bury_orphans({own.pid})
print(own.pid, *left, *(child.pid for child in psutil.Process().children()), flush=True)
end_children({own.pid})
print(*(child.pid for child in psutil.Process().children()), flush=True)
own.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux can, and no other system")
def test_orphans_are_taken_in_and_ended_and_nothing_else_is():
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        done = subprocess.run([sys.executable, "-c", ADOPTS], capture_output=True, text=True, check=True, timeout=60)
        before, after = ([int(pid) for pid in line.split()] for line in done.stdout.splitlines())
        own, first, second, ended, *there = before
        assert sorted(there) == sorted([own, first, second])
        assert after == [own]
        assert not any(psutil.pid_exists(pid) for pid in (first, second, ended))
        time.sleep(0.1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
