"""Datasets that differ each time they are read, and how they get to a worker."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from nbtune.data.read import read_data
from nbtune.data.streams import files_of
from nbtune.errors import UsageError
from nbtune.training.streams import opened

X = np.arange(60, dtype="float32").reshape(20, 3)
Y = np.arange(20) % 4


@pytest.fixture(autouse=True)
def without_a_seed():
    """With TensorFlow's global seed set, a dataset draws the same in each epoch."""
    tf.random.set_seed(None)


class Noisy(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows] + np.random.normal(size=(4, 3)).astype("float32"), Y[rows]


def augmented():
    noise = lambda x, y: (x + tf.random.normal([8, 3])[: tf.shape(x)[0]], y)  # noqa: E731
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).map(noise)


def generator():
    for start in range(0, 20, 5):
        yield X[start : start + 5] + np.random.normal(size=(5, 3)).astype("float32"), Y[start : start + 5]


def passes(source):
    """What two epochs read."""
    dataset = opened(source)
    batches = lambda: (dataset[i] for i in range(len(dataset))) if hasattr(dataset, "__getitem__") else iter(dataset)  # noqa: E731
    return [np.concatenate([np.asarray(batch[0]) for batch in batches()]) for _ in range(2)]


@pytest.mark.parametrize(
    "given",
    [Noisy(), augmented(), augmented, generator, lambda: generator()],
    ids=["PyDataset", "tf.data", "function", "generator", "lambda"],
)
def test_rows_that_differ_are_read_anew_and_that_is_said(given):
    data = read_data(given, (X, Y))
    assert data.stream is not None
    assert "anew in each epoch" in data.note
    assert "--cache" in data.note
    first, second = passes(data.stream.training)
    assert first.shape == (20, 3)
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first, X, atol=6)


def test_each_trial_begins_with_a_dataset_of_its_own():
    class Counted(Noisy):
        def __init__(self):
            super().__init__()
            self.epochs = 0

        def on_epoch_end(self):
            self.epochs += 1

    source = read_data(Counted(), (X, Y)).stream.training
    opened(source).on_epoch_end()
    assert opened(source).epochs == 0


def test_rows_that_are_the_same_are_kept_in_their_order_and_that_is_said():
    plain = read_data(tf.data.Dataset.from_tensor_slices((X, Y)).batch(8), (X, Y))
    assert (plain.stream, plain.shuffle, plain.batch_size) == (None, False, 8)
    assert "the same 20 rows each time" in plain.note
    assert "kept in memory." in plain.note
    shuffled = read_data(tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(20).batch(8), (X, Y))
    assert (shuffled.stream, shuffled.shuffle) == (None, True)
    assert "shuffled anew in each epoch" in shuffled.note
    np.testing.assert_array_equal(np.sort(shuffled.x[:, 0]), X[:, 0])


def seeded():
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(20, seed=1).batch(8)


def drawn_by_numpy():
    order = np.random.permutation(20)
    for start in range(0, 20, 5):
        yield X[order[start : start + 5]], Y[order[start : start + 5]]


def test_a_shuffle_with_a_seed_gives_its_own_orders():
    """`fit` gives the same numbers with it each time, so it is the reference."""
    expected = [np.concatenate([np.asarray(batch[0]) for batch in dataset]) for dataset in [seeded()] * 2]
    given = seeded()
    data = read_data(given, (X, Y))
    assert "anew in each epoch" in data.note
    for _ in range(2):
        np.testing.assert_array_equal(passes(data.stream.training), expected)
    np.testing.assert_array_equal(np.concatenate([np.asarray(batch[0]) for batch in given]), expected[0])  # it was not read


def test_rows_that_numpy_shuffles_have_the_orders_of_its_seed():
    state = np.random.get_state()[1].copy()
    assert read_data(drawn_by_numpy, (X, Y)).stream is not None
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_the_state_of_a_factory_goes_on_from_epoch_to_epoch():
    rng = np.random.default_rng(0)
    assert read_data(lambda: iter([(X + rng.normal(size=(20, 1)), Y)]), (X, Y)).stream is not None


def test_a_dataset_that_does_not_say_its_length_is_counted_in_another_way_and_that_is_said():
    data = read_data(tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).filter(lambda x, y: True), (X, Y))
    assert data.stream is None
    assert "a step too many" in data.note


def test_cache_reads_once():
    data = read_data(Noisy(), (X, Y), cache=True)
    assert data.stream is None
    assert data.rows == 20


def test_what_is_too_large_to_keep_is_read_anew(monkeypatch):
    monkeypatch.setattr("nbtune.data.streams.MOST_KEPT", 100)
    data = read_data(tf.data.Dataset.from_tensor_slices((X, Y)).batch(8), (X, Y))
    assert data.stream is not None
    np.testing.assert_array_equal(passes(data.stream.training)[0], X)


def test_a_dataset_without_end_needs_the_length_of_an_epoch():
    endless = tf.data.Dataset.from_tensor_slices((X, Y)).repeat().batch(8)
    with pytest.raises(UsageError, match="--steps-per-epoch"):
        read_data(endless, (X, Y))
    assert read_data(endless, (X, Y), steps=3).stream.steps == 3


def endless_generator():
    while True:
        yield from generator()


class EndlessLoader:
    """As PyTorch's over an `IterableDataset`: it cannot say how long it is."""

    def __iter__(self):
        return endless_generator()

    def __len__(self):
        raise TypeError


EndlessLoader.__name__ = "DataLoader"
ENDLESS = {
    "a generator function": endless_generator,
    "a function of a dataset": lambda: tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat(),
    "a dataset of unknown size": tf.data.Dataset.from_tensor_slices((X, Y)).batch(8).repeat().filter(lambda x, y: True),
    "a loader": EndlessLoader(),
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("cache", [False, True])
def test_what_may_have_no_end_needs_one(monkeypatch, kind, cache):
    monkeypatch.setattr("nbtune.data.streams.MOST_KEPT", 10_000)
    monkeypatch.setattr("nbtune.machine.memory_mb", lambda: 0.1)
    with pytest.raises(UsageError, match=r"take\(batches\)"):
        read_data(ENDLESS[kind], (X, Y), cache=cache)
    assert read_data(ENDLESS[kind], (X, Y), steps=3).stream.steps == 3


def test_one_to_validate_on_needs_an_end_of_its_own(monkeypatch):
    monkeypatch.setattr("nbtune.data.streams.MOST_KEPT", 10_000)
    for kind in ENDLESS:
        with pytest.raises(UsageError, match="validation_data: the dataset") as mistake:
            read_data((X, Y), ENDLESS[kind])
        assert "--steps-per-epoch" not in str(mistake.value)


def test_a_generator_is_given_as_the_function_that_makes_it():
    with pytest.raises(UsageError, match="the function that makes it"):
        read_data(generator(), (X, Y))


def test_files_that_a_dataset_reads_are_known(tmp_path, monkeypatch):
    monkeypatch.setattr("nbtune.data.streams.MOST_KEPT", 10)
    names = [str(tmp_path / f"{i}.csv") for i in range(3)]
    for name in names:
        Path(name).write_text("1,2\n")
    lines = tf.data.TextLineDataset(names[:2]).interleave(lambda _: tf.data.TextLineDataset(names[2]))
    rows = lines.map(lambda line: (tf.strings.to_number(tf.strings.split(line, ",")), 1)).batch(1)
    rows = rows.apply(tf.data.experimental.assert_cardinality(2))
    assert files_of(read_data(rows).stream) == set(names)


def test_a_function_that_loads_arrays_is_called_for_them():
    np.testing.assert_array_equal(read_data(lambda: (X, Y)).x, X)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda: None, "returns None; it must return a dataset"),
        (lambda: 5, "returns int; it must return a dataset"),
        (lambda: iter([None]), "gives None for a batch"),
        (lambda: iter([(X, Y[:7])]), "a batch has parts of 7 and of 20 rows"),
        (lambda: zip(X, Y, strict=True), "single rows; add .batch(32)"),
        (lambda: iter([]), "has no rows"),
    ],
    ids=["nothing", "number", "no batch", "other rows", "single rows", "empty"],
)
def test_what_is_no_dataset_is_named(given, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        read_data(given, (X, Y))


def test_a_stream_is_not_split():
    assert not read_data(Noisy()).validated
    assert read_data(Noisy(), Noisy()).stream.validation is not None


def test_what_cannot_be_sent_is_to_be_made_by_a_function():
    signature = (tf.TensorSpec((None, 3)), tf.TensorSpec((None,), "int64"))
    dataset = tf.data.Dataset.from_generator(generator, output_signature=signature)
    with pytest.raises(UsageError, match="give a function that makes it"):
        read_data(dataset, (X, Y))


@pytest.mark.parametrize("shape", [(20,), (20, 1)])
def test_rows_of_text_are_known_again(shape):
    words = np.array(["a", "bb", "c", "dd"] * 5).reshape(shape)
    dataset = tf.data.Dataset.from_tensor_slices(({"word": words, "n": X}, Y)).batch(8)
    data = read_data(dataset, None, 0.2)
    assert data.stream is None
    assert data.x["word"].reshape(-1).astype(str).tolist() == words.reshape(-1).tolist()
    numbers = iter(range(100))
    changing = tf.data.Dataset.from_generator(
        lambda: ((f"w{next(numbers)}", i % 2) for i in range(20)), output_types=("string", "int32"), output_shapes=((), ())
    )
    with pytest.raises(UsageError, match="give a function that makes it"):
        read_data(changing.batch(8), None, 0.0)


class Drifting(keras.utils.PyDataset):
    """Other rows in each epoch, and the same until `fit` says that one has ended."""

    epoch = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4] + self.epoch, Y[4 * index : 4 * index + 4]

    def on_epoch_end(self):
        self.epoch += 1


def test_rows_that_change_at_an_epochs_end_are_read_anew():
    own = Drifting()
    data = read_data(own, (X, Y), 0.0)
    assert data.stream is not None
    assert own.epoch == 0
    assert opened(data.stream.training).epoch == 0
