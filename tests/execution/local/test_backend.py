"""The worker processes as the kernel sees them; what becomes of those that die is in `tests/test_faults.py`."""

from __future__ import annotations

import pytest

from nbtune.errors import BackendDied
from nbtune.execution.local.backend import Workers
from nbtune.execution.local.warm import SupervisorProcess
from tests.training.fused.test_fit import classifier, job_of, relu, rows  # noqa: F401 - a fixture among them


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_message_that_cannot_be_taken_ends_the_wait_for_results(job_of, tmp_path):  # noqa: F811
    def emit(events):
        raise KeyError("an event of another version")

    x, _, _, y = rows()
    job, trials = job_of(classifier(relu), (x, y), epochs=1, patience=None)
    supervisor = SupervisorProcess()
    workers = Workers(1, 1, supervisor, tmp_path / "workers.log", emit)
    try:
        with pytest.raises(BackendDied):
            workers.submit("fit", job, trial="0", values=trials["0"]).result(timeout=60)
    finally:
        workers.close()
        supervisor.end()
