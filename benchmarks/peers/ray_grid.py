"""Ray Tune with two CPUs and actors that are used again."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from benchmarks.peers import PROCESSES, report, workload_of


def main() -> None:
    import ray
    from ray import tune

    workload = workload_of(sys.argv)

    class Trial(tune.Trainable):
        def setup(self, config: dict[str, Any]) -> None:
            self.rows = workload.rows()

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.config = new_config
            return True

        def step(self) -> dict[str, Any]:
            return {"score": workload.score(self.config, self.rows), "done": True}

    ray.init(num_cpus=PROCESSES, include_dashboard=False, log_to_driver=False)
    with tempfile.TemporaryDirectory() as folder:
        results = tune.Tuner(
            Trial,
            param_space={name: tune.grid_search(values) for name, values in workload.grid.items()},
            tune_config=tune.TuneConfig(metric="score", mode="max" if workload.sign == 1 else "min", reuse_actors=True),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        ).fit()
        best = results.get_best_result()
        report(workload, best.config, best.metrics["score"], len(results))
    ray.shutdown()


if __name__ == "__main__":
    main()
