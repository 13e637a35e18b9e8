"""Events travel as JSON and come back as they were."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.record.events import (
    Checkpointed,
    DiskFull,
    EpochEnded,
    EpochUnderWay,
    StateChanged,
    TrialAdded,
    TrialEnded,
    TrialReopened,
    TrialStarted,
    from_dict,
    to_dict,
)

numbers = st.floats(allow_nan=False)
names = st.text(max_size=10)
events = st.one_of(
    st.builds(StateChanged, names, numbers, names),
    st.builds(TrialAdded, names, st.dictionaries(names, st.integers() | st.booleans() | names | numbers, max_size=4), names),
    st.builds(TrialReopened, names),
    st.builds(DiskFull, names, names),
    st.builds(TrialStarted, names, numbers, st.dictionaries(names, st.lists(numbers, max_size=4), max_size=3)),
    st.builds(Checkpointed, names, st.dictionaries(names, st.integers() | names, max_size=3), st.integers(0, 1000), names),
    st.builds(EpochUnderWay, st.lists(names, max_size=3), st.integers(1, 1000), numbers),
    st.builds(EpochEnded, names, st.integers(1, 1000), st.dictionaries(names, numbers, max_size=4)),
    st.builds(
        TrialEnded,
        names,
        st.sampled_from(["done", "failed", "diverged", "stopped"]),
        st.none() | numbers,
        st.none() | st.integers(1, 1000),
        st.dictionaries(names, st.lists(numbers, max_size=4), max_size=3),
        numbers,
        st.none() | st.text(max_size=50),
    ),
)


@given(events)
def test_an_event_comes_back_from_a_line_of_json(event):
    line = json.dumps(to_dict(event))
    assert "\n" not in line
    assert from_dict(json.loads(line)) == event


def test_a_loss_that_is_no_number_survives_the_way():
    event = TrialEnded("1", "diverged", history={"loss": [1.0, float("nan"), float("inf")]})
    back = from_dict(json.loads(json.dumps(to_dict(event))))
    assert repr(back) == repr(event)


def test_the_message_of_an_event_names_its_kind():
    assert to_dict(TrialReopened("07")) == {"event": "TrialReopened", "trial": "07"}


def test_events_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrialStarted("07", 1.5).trial = "08"


def test_reading_a_message_leaves_it_as_it_was():
    message = to_dict(StateChanged("running", 1.0))
    from_dict(message)
    assert message["event"] == "StateChanged"


@pytest.mark.parametrize(
    "message",
    [
        {"event": "NoSuchThing", "trial": "1"},
        {"trial": "1"},
        {"event": "TrialStarted", "trial": "1"},
        {"event": "TrialStarted", "trial": 1, "at": 0.0},
        {"event": "TrialStarted", "trial": "1", "at": "now"},
        {"event": "TrialStarted", "trial": "1", "at": True},
        {"event": "TrialStarted", "trial": "1", "at": 10**400},
        {"event": "TrialStarted", "trial": "1", "at": 0.0, "more": 1},
        {"event": "EpochEnded", "trial": "1", "epoch": 1.5, "logs": {}},
        {"event": "EpochEnded", "trial": "1", "epoch": 1, "logs": {"loss": "low"}},
        {"event": "TrialEnded", "trial": "1", "status": "done", "history": {"loss": 1.0}},
        {"event": "TrialEnded", "trial": "1", "status": "done", "score": [1.0]},
    ],
)
def test_what_is_no_event_is_refused(message):
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_dict(message)
