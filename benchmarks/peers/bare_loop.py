"""A loop over `model.fit`, in this process."""

from __future__ import annotations

import sys

from benchmarks.peers import report, workload_of


def main() -> None:
    workload = workload_of(sys.argv)
    rows, combinations = workload.rows(), workload.combinations
    scores = [workload.score(values, rows) for values in combinations]
    best = max(range(len(scores)), key=lambda i: workload.sign * scores[i])
    report(workload, combinations[best], scores[best], len(scores))


if __name__ == "__main__":
    main()
