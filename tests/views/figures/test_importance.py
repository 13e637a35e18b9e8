import itertools

import numpy as np
import pytest

from nbtune.errors import UsageError
from nbtune.record.events import DONE, TrialEnded
from nbtune.views.figures.importance import NOISE, OTHERS, caption, importance_info

from ..conftest import done, product, search

AXES = {"layers": [1, 2, 3], "units": [16, 32, 64, 128], "rate": [0.1, 0.01]}


def scores_of(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def finished(grid, axes=AXES):
    combinations = product(**axes)
    ids = [str(i).zfill(len(str(len(combinations)))) for i in range(len(combinations))]
    return search(combinations, events=[done(id, score) for id, score in zip(ids, grid.ravel(), strict=True)])


def by_sums_of_squares(runs):
    """A plain ANOVA table over runs in an array `(*axes, seeds)`: shares of the total sum of squares, by dummy regression."""
    *shape, seeds = runs.shape
    y = runs.ravel()
    rows = np.array(list(itertools.product(*map(range, shape), range(seeds))))

    def explained(*subset):
        codes = np.unique(rows[:, subset], axis=0, return_inverse=True)[1].ravel()
        dummies = np.eye(codes.max() + 1)[codes]
        return ((dummies @ np.linalg.lstsq(dummies, y, rcond=None)[0] - y.mean()) ** 2).sum()

    total = ((y - y.mean()) ** 2).sum()
    alone = {i: explained(i) for i in range(len(shape))}
    pairs = {(i, j): explained(i, j) - alone[i] - alone[j] for i, j in itertools.combinations(range(len(shape)), 2)}
    noise = total - explained(*range(len(shape)))
    return {key: value / total for key, value in {**alone, **pairs, NOISE: noise}.items()}


def test_shares_of_a_complete_grid_are_those_of_an_anova_by_sums_of_squares():
    grid = scores_of((3, 4, 2))
    info = importance_info(finished(grid))
    expected = by_sums_of_squares(grid[..., None])
    names = list(AXES)
    for share in info.shares:
        if share.names[0] != OTHERS:
            key = tuple(names.index(name) for name in share.names)
            assert share.share == pytest.approx(expected[key if len(key) > 1 else key[0]], rel=1e-9)
    assert sum(share.share for share in info.shares) == pytest.approx(1)
    assert info.predicted == 0
    assert "exact" in caption(info)


def test_seeds_have_a_share_of_their_own():
    runs = scores_of((3, 4, 2, 5))
    events = [
        TrialEnded(f"{i:02d}", DONE, float(np.mean(each)), 1, {"val_accuracy": [1.0]}, 1.0, scores=[float(v) for v in each])
        for i, each in enumerate(runs.reshape(-1, 5))
    ]
    info = importance_info(search(product(**AXES), events=events))
    shares = {share.label: share.share for share in info.shares}
    expected = by_sums_of_squares(runs)
    assert shares[NOISE] == pytest.approx(expected[NOISE])
    assert shares["layers"] == pytest.approx(expected[0])
    assert sum(shares.values()) == pytest.approx(1)


def test_what_makes_all_the_difference_comes_first():
    grid = np.broadcast_to(np.array([0.2, 0.9, 0.4])[:, None, None], (3, 4, 2)) + 1e-3 * scores_of((3, 4, 2))
    first = importance_info(finished(grid)).shares[0]
    assert first.names == ("layers",)
    assert first.share > 0.99


def test_combinations_without_a_score_are_predicted_and_counted():
    combinations = product(**AXES)
    events = [done(f"{i:02d}", 0.1 * values["layers"]) for i, values in enumerate(combinations) if i % 7]
    info = importance_info(search(combinations, events=events))
    assert (info.scored, info.predicted) == (20, 4)
    assert info.shares[0].names == ("layers",)
    assert info.shares[0].share > 0.95
    assert "4 without a score predicted" in caption(info)


@pytest.mark.parametrize(
    ("events", "what"),
    [([], "there are none"), ([done("0", 0.5)], "there is one"), ([done("0", 0.5), done("1", 0.5)], "all scores are equal")],
)
def test_where_there_is_nothing_to_share_out_it_says_so(events, what):
    with pytest.raises(UsageError, match=what):
        importance_info(search(product(units=[1, 2]), events=events))
