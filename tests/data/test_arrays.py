"""The user's data: every kind that is taken, the split, and the files that workers map."""

from __future__ import annotations

from typing import ClassVar

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.model_selection import train_test_split

from nbtune.ask.labels import Labels
from nbtune.ask.targets import Output, Targets
from nbtune.data.arrays import read, write
from nbtune.data.read import read_data
from nbtune.errors import UsageError

X = np.arange(60, dtype="float32").reshape(20, 3)
Y = np.arange(20) % 4
CLASSES = Labels.of(Y, [])


class Batches(keras.utils.PyDataset):
    """Five batches of four rows."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


class Endless(Batches):
    @property
    def num_batches(self):
        return None

    def __len__(self):
        raise TypeError("this has no length")


def dataset(x=X, y=Y):
    return tf.data.Dataset.from_tensor_slices((x, y))


def mistake(*args, **keywords):
    with pytest.raises(UsageError) as error:
        read_data(*args, **keywords)
    text = str(error.value)
    assert len(text.splitlines()) == 1, text
    return text


def targets(labels):
    return Targets((Output("out", (4,)),), (labels,))


def written(data, folder, labels=CLASSES, seed=0):
    write(data, folder, labels and targets(labels), seed)
    return read(folder)


# ---- kinds of data


@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        [X, Y],
        (X.astype("float64"), Y),
        (X.tolist(), Y.tolist()),
        (pd.DataFrame(X, columns=list("abc")), pd.Series(Y)),
        (pd.DataFrame(X, columns=list("abc"), index=range(100, 120)), pd.Series(Y, index=range(7, 27))),
        (tf.constant(X), tf.constant(Y)),
        (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)),
        (tf.Variable(X), tf.Variable(Y)),
        dataset().batch(8),
        dataset().batch(8).cache().prefetch(2),
        dataset().repeat(1).batch(7, drop_remainder=False),
        Batches(),
    ],
    ids=[
        "arrays", "list of arrays", "float64", "lists", "pandas", "odd index", "tensors", "ops", "variables",
        "dataset", "prefetched", "odd batches", "PyDataset",
    ],
)  # fmt: skip
def test_every_kind_of_data_is_the_same_rows(data):
    found = read_data(data)
    assert isinstance(found.x, np.ndarray)
    assert isinstance(found.y, np.ndarray)
    np.testing.assert_allclose(found.x, X, rtol=1e-6)
    np.testing.assert_array_equal(found.y, Y)
    assert found.rows == 20


def test_workers_get_single_precision_and_whole_numbers_as_they_are(tmp_path):
    x, y = X.astype("float64"), Y.astype("int16")
    write(read_data((x, y), validation_data=(x, y)), tmp_path, targets(Labels.of(y, [])), seed=0)
    found = read(tmp_path)
    assert (found.x.dtype, found.y.dtype) == ("float32", "int16")
    np.testing.assert_array_equal(found.x, x.astype("float32"))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused_as_nan_is(value):
    x = X.astype("float32")
    x[3, 0] = value
    with pytest.raises(UsageError, match="features hold infinity in 1 row,"):
        read_data((x, Y))


def test_nan_is_refused_with_the_number_of_rows():
    x = X.copy()
    x[[3, 7], 0] = np.nan
    with pytest.raises(UsageError, match="features hold NaN in 2 rows"):
        read_data((x, Y))
    with pytest.raises(UsageError, match="labels hold NaN in 1 row,"):
        read_data((X, np.where(np.arange(20) == 4, np.nan, Y)))


def test_a_dataset_brings_its_batch_size():
    assert read_data(dataset().batch(8)).batch_size == 8
    assert read_data(Batches()).batch_size == 4
    assert read_data((X, Y)).batch_size is None


@pytest.mark.parametrize("kind", ["uint8", "int64", "float16", "bool"])
def test_numbers_that_are_not_float64_keep_their_type(kind):
    assert read_data((X.astype(kind), Y)).x.dtype == kind


def test_a_frame_of_numbers_and_booleans_is_numbers():
    frame = pd.get_dummies(pd.DataFrame({"age": [1.5, 2.0, 3.0], "port": ["S", "C", "S"]}))
    found = read_data((frame, [0, 1, 0]))
    assert found.x.dtype.kind == "f"
    np.testing.assert_array_equal(found.x, [[1.5, 0, 1], [2, 1, 0], [3, 0, 1]])


def test_a_frame_of_nullable_numbers_is_numbers():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]}).convert_dtypes()
    np.testing.assert_array_equal(read_data((frame, [0, 1, 0])).x, [[1, 0.5], [2, 1.5], [3, 2.5]])


def test_images_keep_their_shape():
    assert read_data((np.zeros((5, 8, 8, 1), "uint8"), np.arange(5))).x.shape == (5, 8, 8, 1)


@pytest.mark.parametrize("make", [dict, lambda parts: {name: tf.constant(part) for name, part in parts.items()}])
def test_named_inputs_stay_named(make):
    found = read_data((make({"wide": X, "deep": X[:, :1]}), Y))
    assert set(found.x) == {"wide", "deep"}
    np.testing.assert_array_equal(found.x["deep"], X[:, :1])


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_inputs_stay_in_order(kind):
    found = read_data((kind([X, X[:, :1]]), Y))
    assert [part.shape for part in found.x] == [(20, 3), (20, 1)]


def test_a_dataset_of_named_inputs():
    named = tf.data.Dataset.from_tensor_slices(({"wide": X, "deep": X[:, :1]}, Y)).batch(6)
    found = read_data(named)
    np.testing.assert_array_equal(found.x["wide"], X)
    np.testing.assert_array_equal(found.x["deep"], X[:, :1])


def test_a_dataset_of_several_inputs():
    found = read_data(tf.data.Dataset.from_tensor_slices(((X, X[:, :1]), Y)).batch(6))
    assert [part.shape for part in found.x] == [(20, 3), (20, 1)]
    np.testing.assert_array_equal(found.y, Y)


def test_labels_may_be_text_here_and_are_judged_as_labels():
    assert read_data((X, np.array(["a", "b"] * 10))).rows == 20


# ---- what is no data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((X, Y[:-1]), ["20 rows", "19"]),
        ((X[:-1], Y), ["19 rows", "20"]),
        (({"a": X, "b": X[:-1]}, Y), ["19"]),
        (([X, X[:-1]], Y), ["19"]),
        ((X[:0], Y[:0]), ["no rows"]),
        (([], []), ["no rows"]),
        (({}, Y), ["data"]),
        ((X,), ["two things"]),
        ((X, Y, Y, Y), ["two things", "weights"]),
        ("x,y", ["two things"]),
        ((X, 3), ["labels"]),
        ((3, Y), ["features"]),
        ((None, Y), ["features"]),
        (([[1, 2], [3]], [0, 1]), ["features"]),
        ((X.astype(object), Y), ["features", "astype"]),
        ((X.astype(complex), Y), ["non-numeric"]),
        ((pd.DataFrame({"age": [1, 2], "day": pd.to_datetime(["2024", "2025"])}), [0, 1]), ["'day'"]),
        ((pd.DataFrame({"town": ["Bonn", None]}), [0, 1]), ["'town'", "missing", "fillna"]),
        ((pd.DataFrame({"day": pd.to_datetime(["2024", "2025"])}), [0, 1]), ["'day'", "dates", "dayofweek"]),
        ((X, {"a": Y, "b": np.array(["u"] * 20)}), ["labels 'b'", "text like 'u'"]),
        ((X, {"a": Y, "b": Y[:-1]}), ["y (b) has 19"]),
    ],
    ids=lambda value: None if isinstance(value, list) else "data",
)
def test_what_is_no_data_is_a_mistake_in_one_line(data, words):
    text = mistake(data)
    assert all(word in text for word in words), text


def test_a_sparse_matrix_is_written_out_if_that_fits():
    from scipy.sparse import csr_matrix

    np.testing.assert_array_equal(read_data((csr_matrix(X), Y)).x, X)
    np.testing.assert_array_equal(read_data((tf.sparse.from_dense(X), Y)).x, X)
    assert "TruncatedSVD" in mistake((csr_matrix((20, 10**9)), Y))


def test_rows_of_several_lengths_are_to_be_padded():
    assert "to_tensor()" in mistake((tf.ragged.constant([[1, 2], [3]]), [0, 1]))


def test_text_is_kept_as_it_is(tmp_path):
    frame = pd.DataFrame({"age": [1.5, 2.0], "town": ["Bönn", "Kiel"], "kind": pd.Categorical(["u", "v"])})
    found = read_data((frame, [0, 1]), validation_split=0)
    assert list(found.x) == ["age", "town", "kind"]
    x = written(found, tmp_path, None).x
    assert x["age"].dtype == "float32"
    assert [town.decode() for town in x["town"]] == ["Bönn", "Kiel"]
    for text in (["ab", "c"], np.array(["ab", "c"]), np.array(["ab", "c"], object), tf.constant(["ab", "c"])):
        assert read_data((text, [0, 1])).x.tolist() == [b"ab", b"c"]


def test_labels_of_text_become_numbers_with_names():
    data = read_data((X, pd.Series(["no", "yes"] * 10)), (X[:2], ["yes", "no"]))
    assert data.y.tolist() == [0, 1] * 10
    assert data.validation.y.tolist() == [1, 0]
    assert data.class_names == ("no", "yes")
    assert "'maybe'" in mistake((X, ["no", "yes"] * 10), (X[:1], ["maybe"]))


def test_labels_may_be_several_or_none(tmp_path):
    two = read_data((X, {"a": Y, "b": X[:, :1]}), validation_split=0)
    arrays = written(two, tmp_path / "two", None)
    assert list(arrays.y) == ["a", "b"]
    assert read_data((X, [Y, X])).y[1].shape == (20, 3)
    assert written(read_data(X, validation_split=0), tmp_path / "none", None).y is None
    assert written(read_data((X, None), validation_split=0), tmp_path / "also", None).y is None


def test_the_rows_of_an_autoencoder_are_written_once(tmp_path):
    written(read_data((X, X), validation_split=0), tmp_path, None)
    assert len(list((tmp_path / "train").glob("*.npy"))) == 1


def test_features_may_be_nested(tmp_path):
    x = {"images": [X, X + 1], "more": {"age": X[:, 0]}}
    found = written(read_data((x, Y)), tmp_path).x
    np.testing.assert_array_equal(found["images"][1], found["images"][0] + 1)
    np.testing.assert_array_equal(found["more"]["age"], found["images"][0][:, 0])


class Table:
    """As a Hugging Face `datasets.Dataset`, as far as that is used."""

    features: ClassVar = {}

    def __init__(self, **columns):
        self.columns, self.column_names = columns, list(columns)

    def with_format(self, kind):
        return self

    def __getitem__(self, name):
        return np.asarray(self.columns[name])


def test_a_table_with_a_column_of_labels():
    np.testing.assert_array_equal(read_data(Table(image=X, label=Y)).x, X)
    assert list(read_data(Table(title=["a"] * 20, text=["b"] * 20, label=Y)).x) == ["title", "text"]
    assert "d['x'],d['y']" in mistake(Table(a=X, b=Y))


class DatasetDict(dict):
    """As Hugging Face's, of which one is to be taken."""

    def __init__(self, **tables):
        super().__init__(tables)
        self.column_names = {name: table.column_names for name, table in tables.items()}

    def with_format(self, kind):
        return self


class IterableDataset(Table):
    """As Hugging Face's, which is read row by row."""


def test_several_tables_and_streams_of_rows_are_named():
    assert "give one of them, like data['train']" in mistake(DatasetDict(train=Table(image=X, label=Y), test=Table()))
    assert "read row by row" in mistake(IterableDataset(image=X, label=Y))


class DataLoader:
    """As PyTorch's, which gives batches of tensors in a new order each time."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return 3

    def __iter__(self):
        order = self.rng.permutation(len(X))
        return ([X[rows], Y[rows]] for rows in np.array_split(order, [8, 16]))


def test_a_loader_of_the_same_rows_is_kept():
    data = read_data(DataLoader())
    assert (data.stream, data.shuffle, data.batch_size) == (None, True, 8)
    assert sorted(data.x[:, 0]) == sorted(X[:, 0])


def test_an_endless_dataset_is_refused_at_once():
    assert "no end" in mistake(dataset().batch(4).repeat())
    assert "no end" in mistake(Endless())


@pytest.mark.parametrize(
    "single", [dataset(), dataset(X, np.eye(4)[Y]), dataset(X, X[:, :2]), dataset(X[:, 0], Y)],
    ids=["classes", "one-hot", "targets", "one feature"],
)  # fmt: skip
def test_a_dataset_of_single_rows_is_to_be_batched(single):
    assert ".batch(" in mistake(single)


@pytest.mark.parametrize(
    "odd",
    [
        tf.data.Dataset.from_tensor_slices((X, Y, Y, Y)).batch(4),
        tf.data.Dataset.from_tensor_slices((X, Y, Y, Y, Y)).batch(4),
    ],
    ids=["four things", "five things"],
)
def test_a_dataset_must_give_features_and_labels(odd):
    assert "(x, y)" in mistake(odd)


def test_an_empty_dataset_has_no_rows():
    assert "no rows" in mistake(dataset().batch(4).take(0))


def test_batches_of_unlike_shapes_cannot_be_joined():
    ragged = tf.data.Dataset.from_generator(
        lambda: ((np.zeros((2, n), "float32"), np.zeros(2, "int32")) for n in (3, 4)),
        output_signature=(tf.TensorSpec((None, None), tf.float32), tf.TensorSpec((None,), tf.int32)),
    )
    assert "data" in mistake(ragged)


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        ((X[:4], Y[:3]), ["validation_data", "4 rows"]),
        ((X[:4, :2], Y[:4]), ["validation_data", "(2,)", "(3,)"]),
        ((X[:0], Y[:0]), ["validation_data", "no rows"]),
        (({"a": X}, Y), ["validation_data"]),
    ],
)
def test_validation_data_is_held_to_the_same(validation, words):
    text = mistake((X, Y), validation)
    assert all(word in text for word in words), text


def test_named_validation_inputs_are_matched_by_name():
    data = read_data(({"wide": X, "deep": X[:, :1]}, Y), ({"deep": X[:4, :1], "wide": X[:4]}, Y[:4]))
    assert data.validation[0]["wide"].shape == (4, 3)
    assert "validation_data" in mistake(({"wide": X, "deep": X}, Y), ({"wide": X, "depth": X}, Y))


# ---- the split


@pytest.mark.parametrize("seed", [0, 1, 7])
@pytest.mark.parametrize("share", [0.2, 0.3, 0.5])
def test_the_split_is_that_of_scikit_learn(tmp_path, seed, share):
    arrays = written(read_data((X, Y), validation_split=share), tmp_path, seed=seed)
    x, x_val, y, y_val = train_test_split(X, Y, test_size=share, random_state=seed, stratify=Y)
    np.testing.assert_array_equal(arrays.x, x)
    np.testing.assert_array_equal(arrays.y, y)
    np.testing.assert_array_equal(arrays.x_val, x_val)
    np.testing.assert_array_equal(arrays.y_val, y_val)


def test_the_split_of_numbers_is_shuffled_and_not_stratified(tmp_path):
    y = np.linspace(0.1, 1.0, 20).astype("float32")
    arrays = written(read_data((X, y)), tmp_path, Labels.of(y, []), seed=3)
    expected = train_test_split(X, y, test_size=0.2, random_state=3)
    np.testing.assert_array_equal(arrays.x_val, expected[1])
    assert arrays.y_val.tolist() != y[-4:].tolist()


@pytest.mark.parametrize("one_hot", [False, True])
def test_sorted_labels_leave_every_class_on_both_sides_in_proportion(tmp_path, one_hot):
    classes = np.repeat([0, 1, 2], [100, 50, 20])
    y = np.eye(3)[classes] if one_hot else classes
    arrays = written(read_data((classes[:, None].astype("float32"), y)), tmp_path, Labels.of(y, []))
    assert np.bincount(arrays.x_val[:, 0].astype(int)).tolist() == [20, 10, 4]
    assert np.bincount(arrays.x[:, 0].astype(int)).tolist() == [80, 40, 16]


def test_every_row_is_on_one_side_with_its_own_label(tmp_path):
    x, y = np.arange(50)[:, None], np.arange(50) % 5
    arrays = written(read_data((x, y)), tmp_path)
    together = arrays.joined()
    assert sorted(together.x[:, 0]) == list(range(50))
    assert (together.y == together.x[:, 0] % 5).all()


def test_the_same_seed_splits_the_same_and_another_does_not(tmp_path):
    parts = [written(read_data((X, Y)), tmp_path / str(i), seed=seed).x_val.tolist() for i, seed in enumerate((0, 0, 1))]
    assert parts[0] == parts[1] != parts[2]


@pytest.mark.parametrize("inputs", [{"wide": X, "deep": X[:, :1]}, [X, X[:, :1]]], ids=["named", "several"])
def test_all_inputs_are_split_alike(tmp_path, inputs):
    arrays = written(read_data((inputs, Y)), tmp_path)
    wide, deep = arrays.x.values() if isinstance(inputs, dict) else arrays.x
    assert type(arrays.x) is type(inputs)
    np.testing.assert_array_equal(wide[:, :1], deep)
    np.testing.assert_array_equal(wide[:, 0] // 3 % 4, arrays.y)
    together = arrays.joined().x
    assert len(together["wide"] if isinstance(inputs, dict) else together[0]) == 20


@pytest.mark.parametrize(
    ("y", "split", "says"),
    [
        (np.array([0] * 19 + [1]), 0.2, "class 1 has one row only"),
        (np.arange(20), 0.2, "class 0 has one row only"),
        (np.arange(20) // 2, 0.2, "4 of 20 rows to validate on are too few for 10 classes"),
        (np.arange(20) % 2, 0.01, "1 of 20 rows to validate on are too few for 2 classes"),
        (np.arange(20) % 2, 0.99, "0 of 20 rows to train on are too few for 2 classes"),
    ],
)
def test_a_split_that_cannot_be_stratified_is_a_mistake_in_one_line(tmp_path, y, split, says):
    with pytest.raises(UsageError, match=f"{says}.*--validation-data") as error:
        write(read_data((X, y), validation_split=split), tmp_path, targets(Labels.of(y, [])), 0)
    assert len(str(error.value).splitlines()) == 1


def test_validation_data_is_kept_as_it_is(tmp_path):
    arrays = written(read_data((X, Y), (X[5:9] + 1, Y[5:9])), tmp_path)
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.y, Y)
    np.testing.assert_array_equal(arrays.x_val, X[5:9] + 1)
    np.testing.assert_array_equal(arrays.y_val, Y[5:9])


def test_validation_data_may_be_a_dataset(tmp_path):
    arrays = written(read_data(dataset().batch(4), dataset(X[:5], Y[:5]).batch(2)), tmp_path)
    np.testing.assert_array_equal(arrays.x_val, X[:5])


def test_without_a_split_every_row_trains(tmp_path):
    data = read_data((X, Y), validation_split=0)
    assert not data.validated
    arrays = written(data, tmp_path)
    assert arrays.x_val is None
    assert arrays.y_val is None
    np.testing.assert_array_equal(arrays.x, X)
    np.testing.assert_array_equal(arrays.joined().x, X)


def test_it_is_known_whether_there_is_anything_to_validate_on():
    assert read_data((X, Y)).validated
    assert read_data((X, Y), (X, Y), 0).validated


# ---- files


@pytest.mark.parametrize("inputs", [X, {"wide": X, "deep": X[:, :1]}, [X, X[:, :1]]], ids=["one", "named", "several"])
def test_what_was_written_is_mapped_into_memory_and_not_writable(tmp_path, inputs):
    arrays = written(read_data((inputs, Y)), tmp_path)
    parts = [
        part
        for x in (arrays.x, arrays.x_val)
        for part in (x.values() if isinstance(x, dict) else x if isinstance(x, list) else [x])
    ]
    for array in [*parts, arrays.y, arrays.y_val]:
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


@pytest.mark.parametrize("kind", ["uint8", "int32", "float16", "float32", "bool"])
def test_types_and_shapes_survive_the_files(tmp_path, kind):
    x = (np.arange(20 * 4 * 4).reshape(20, 4, 4, 1) % 2).astype(kind)
    arrays = written(read_data((x, Y), validation_split=0), tmp_path)
    assert (arrays.x.dtype, arrays.x.shape) == (np.dtype(kind), x.shape)
    np.testing.assert_array_equal(arrays.x, x)


def test_the_users_arrays_are_left_as_they_were(tmp_path):
    x, y = X.astype("float64"), Y.copy()
    written(read_data((x, y)), tmp_path)
    assert x.dtype == "float64"
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize("inputs", [X, {"wide": X}, [X, X]], ids=["one", "named", "several"])
def test_a_sample_is_two_rows_of_the_same_shape(inputs):
    data = read_data((inputs, Y)).sample()
    parts = list(data.x.values()) if isinstance(data.x, dict) else data.x if isinstance(data.x, list) else [data.x]
    assert data.rows == 2
    assert all(part.shape == (2, 3) for part in parts)
    assert not data.validated


# ---- what pandas and NumPy know of rows, and Keras does not


def test_masked_values_are_not_taken_as_they_are():
    hidden = np.ma.masked_equal(X, X[3, 1])
    assert "1 masked value, " in mistake((hidden, Y))
    assert ".filled(0)" in mistake((hidden, Y))
    assert "labels" in mistake((X, np.ma.masked_less(Y, 2)))
    np.testing.assert_array_equal(read_data((np.ma.array(X), Y)).x, X)


def test_rows_with_other_labels_are_joined_by_position_and_that_is_said():
    frame, series = pd.DataFrame(X), pd.Series(Y)
    assert not read_data((frame, series)).note
    assert not read_data((frame.iloc[::-1], series.iloc[::-1])).note
    scaled, shuffled = pd.DataFrame(X), pd.Series(Y, index=np.arange(20)[::-1])  # as after a StandardScaler
    data = read_data((scaled, shuffled), (frame, series.set_axis(range(5, 25))))
    np.testing.assert_array_equal(data.y, Y)
    assert data.note.count("joined by position") == 2
    assert "validation_data: x and y" in data.note


def test_rows_that_were_shuffled_alone_are_refused():
    frame, series = pd.DataFrame(X, index=list("abcdefghijklmnopqrst")), pd.Series(Y, index=list("abcdefghijklmnopqrst"))
    assert "y with .loc[x.index]" in mistake((frame.iloc[::-1], series))
    assert "the weights with" in mistake((frame, series, series.iloc[::-1] + 1))
    assert "parts of x" in mistake(({"a": frame[0], "b": frame[1].iloc[::-1]}, series))
    assert not read_data((frame.iloc[::-1].to_numpy(), series)).note


@pytest.mark.parametrize("shape", [lambda y: y, lambda y: y.to_frame()], ids=["series", "frame"])
def test_categories_are_numbered_in_their_own_order(shape):
    sizes = ["low", "middle", "high", "none"]
    y = pd.Series(pd.Categorical([sizes[number % 3] for number in range(20)][::-1], sizes, ordered=True))
    data = read_data((X, shape(y)), (X, shape(y)))
    assert data.class_names == ("low", "middle", "high")
    np.testing.assert_array_equal(data.y.reshape(-1), y.cat.codes)
    np.testing.assert_array_equal(data.validation.y.reshape(-1), y.cat.codes)


def test_numbers_that_are_python_objects_are_to_be_made_numbers():
    assert ".astype('int64')" in mistake((X, Y.astype(object)))


def test_batches_of_sparse_tensors_are_written_out_and_ragged_ones_refused():
    sparse = tf.data.Dataset.from_tensor_slices((tf.sparse.from_dense(X), Y)).batch(8)
    np.testing.assert_array_equal(read_data(sparse).x, X)
    rows = tf.RaggedTensor.from_row_lengths(np.arange(len(Y), dtype="float32"), np.tile([0, 2], len(Y) // 2))
    assert "ragged" in mistake(tf.data.Dataset.from_tensor_slices((rows, Y)).batch(8))
