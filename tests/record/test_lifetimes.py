"""How many epochs a trial still has before it."""

from __future__ import annotations

import random
from dataclasses import replace
from statistics import fmean

import pytest

from nbtune.ask.objective import Objective
from nbtune.record.lifetimes import Further, Lifetimes
from nbtune.record.progress import Trial

ACCURACY = Objective("val_accuracy", "max")


def ended(epochs):
    return Trial("0", {}, "done", epochs=epochs, history={"val_accuracy": (0.5,) * epochs})


def running(epochs, scores=()):
    scores = tuple(scores)
    best = scores.index(max(scores)) + 1 if scores else None
    return Trial("0", {}, "running", epochs=epochs, best_epoch=best, history={"val_accuracy": scores})


def test_without_patience_they_are_those_that_others_lived_for():
    """By hand: of five, one ends after 2 epochs, one after 4; one is under way with 3, two with 5; all train 10 at most."""
    lives = Lifetimes([ended(2), ended(4), running(3), running(5), running(5)], 10)
    assert lives.usual == pytest.approx(2 + 2 * 4 / 5 + 6 * 4 / 5 * 2 / 3)
    assert lives.left(running(3)).expected == pytest.approx(1 + 6 * 2 / 3)
    assert lives.left(running(5)).expected == pytest.approx(5)
    assert Lifetimes([], 10).left(running(4)).expected == 6


def left(scores, others=(), epochs=100, patience=4):
    trial = running(len(scores), scores)
    return Lifetimes([trial, *others], epochs, patience, ACCURACY).left(trial)


def test_a_trial_that_waits_for_a_better_epoch_has_at_least_the_rest_of_its_patience():
    stuck = left([0.5] + [0.4] * 3)
    assert stuck.least == 1
    assert 1 <= stuck.expected < left([0.5, 0.4, 0.4, 0.6]).expected


def test_patience_counts_scores_where_they_do_not_come_in_every_epoch():
    trial = replace(running(8), best_epoch=2, history={"val_accuracy": (0.5, 0.4, 0.4, 0.4)})
    found = Lifetimes([trial], 100, 4, replace(ACCURACY, every=2)).left(trial)
    assert found.least == 2
    assert 2 <= found.expected < 12


def test_one_that_gets_better_and_better_trains_nearly_all_epochs():
    assert left([i / 100 for i in range(1, 21)]).expected > 70
    assert left([i / 100 for i in range(1, 21)], epochs=22).expected <= 2


def test_the_chance_of_a_better_epoch_gives_the_waiting_time_of_probability_theory():
    """A simulation in which each epoch is better with the same chance."""
    chance, patience, most = 0.3, 4, 40
    draw = random.Random(0)
    waits = []
    for _ in range(20_000):
        streak = length = 0
        while streak < patience and length < most:
            length += 1
            streak = 0 if draw.random() < chance else streak + 1
        waits.append(length)
    from nbtune.record import lifetimes

    assert lifetimes._until_row(chance, patience, 0, most) == pytest.approx(fmean(waits), rel=0.05)


def test_what_others_did_counts_for_a_trial_that_has_just_begun():
    short = [ended(5) for _ in range(10)]
    long = [replace(ended(60), history={"val_accuracy": tuple(i / 100 for i in range(60))}) for _ in range(10)]
    assert left([0.5], short).expected < left([0.5], long).expected / 3


def test_the_last_of_several_runs_side_by_side_ends_later():
    assert Further(10.0, 4.0).of_longest(1, 50) == 10
    assert Further(10.0, 4.0).of_longest(3, 50) == pytest.approx(4 + 6 * (1 + 1 / 2 + 1 / 3))
    assert Further(10.0, 4.0).of_longest(3, 12) == 12
