"""Events travel as JSON and come back as they were."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbtune.events import EpochEnded, StateChanged, TrialEnded, TrialStarted, from_dict, to_dict

numbers = st.floats(allow_nan=False)
names = st.text(max_size=10)
events = st.one_of(
    st.builds(StateChanged, names, numbers),
    st.builds(TrialStarted, names, numbers),
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
    assert to_dict(TrialStarted("07", 1.5)) == {"event": "TrialStarted", "trial": "07", "at": 1.5}


def test_events_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrialStarted("07", 1.5).trial = "08"


def test_reading_a_message_leaves_it_as_it_was():
    message = to_dict(StateChanged("running", 1.0))
    from_dict(message)
    assert message["event"] == "StateChanged"
