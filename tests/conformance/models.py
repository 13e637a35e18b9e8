"""Small models of the kinds of Keras's public examples, each with data of its shape, as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from tests.conformance.reference import Terms

RATES = (0.01, 0.003)
RNG = np.random.default_rng(0)
ROWS, HELD_OUT = 90, 30  # the last batch of an epoch is a shorter one


@dataclass(frozen=True)
class Case:
    """One model.

    Attributes:
        build: returns a compiled model; takes no parameter, unless the axis is one.
        x, y, weights: of all rows, of which the last are held out.
        axis: of a grid of two combinations.
        alone: a part of the reason why its trials are trained one by one; empty where they are trained together.
        refused: it cannot be taken yet, or nbtune says why not; empty where it can.
        tolerance: of the largest relative difference in a history.
        random: its evaluation draws at random, so it gives another number each time.
        quick: it is part of every test run.
    """

    name: str
    build: Any
    x: Any
    y: Any
    weights: Any = None
    axis: Mapping[str, Any] = field(default_factory=lambda: {"learning_rate": list(RATES)})
    alone: str = ""
    refused: str = ""
    tolerance: float = 1e-5
    random: bool = False
    quick: bool = False
    terms: Terms = field(default_factory=Terms)

    @property
    def train(self) -> tuple[Any, ...]:
        return self._part(slice(None, ROWS))

    @property
    def validation(self) -> tuple[Any, ...]:
        return self._part(slice(ROWS, None))

    def _part(self, rows: slice) -> tuple[Any, ...]:
        parts = (self.x, self.y) if self.weights is None else (self.x, self.y, self.weights)
        return tuple(keras.tree.map_structure(lambda part: part[rows], part) for part in parts)


COUNT = ROWS + HELD_OUT
CLASSES = RNG.integers(0, 3, COUNT)
BINARY = (CLASSES > 0).astype("int32")
TABLE = (RNG.normal(size=(COUNT, 8)) + 0.5 * CLASSES[:, None]).astype("float32")
NUMBER = (TABLE[:, :3].sum(axis=1) + 0.1 * RNG.normal(size=COUNT)).astype("float32")
SERIES = (RNG.normal(size=(COUNT, 10, 4)) + 0.3 * CLASSES[:, None, None]).astype("float32")
TOKENS = (RNG.integers(1, 20, size=(COUNT, 10)) + 5 * CLASSES[:, None]).astype("int32")
PADDED = np.where(np.arange(10) < RNG.integers(4, 11, size=(COUNT, 1)), TOKENS, 0).astype("int32")
IMAGES = np.clip(RNG.normal(0.4, 0.2, size=(COUNT, 8, 8, 3)) + 0.1 * CLASSES[:, None, None, None], 0, 1).astype("float32")
FILMS = (RNG.normal(size=(COUNT, 4, 6, 6, 1)) + 0.3 * CLASSES[:, None, None, None, None]).astype("float32")
COLUMNS = {
    "age": RNG.integers(18, 80, size=(COUNT, 1)).astype("float32"),
    "income": RNG.lognormal(size=(COUNT, 1)).astype("float32"),
    "region": RNG.integers(0, 4, size=(COUNT, 1)).astype("int32"),
    "job": RNG.integers(0, 50, size=(COUNT, 1)).astype("int32"),
}
WEIGHTS = RNG.uniform(0.2, 2.0, COUNT).astype("float32")


def for_classes(model, optimizer=None, metrics=("accuracy",)):
    model.compile(optimizer or keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def for_two_classes(model):
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def for_numbers(model, loss="mse"):
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["mae"])
    return model


def sequential(shape, *hidden):
    return keras.Sequential([keras.Input(shape), *hidden, layers.Dense(3, activation="softmax")])


# --- tables


def mlp():
    return for_classes(sequential((8,), layers.Dense(16, activation="relu"), layers.Dense(8, activation="tanh")))


def regression():
    hidden = [layers.Dense(16, activation="relu"), layers.Dropout(0.2), layers.Dense(1)]
    return for_numbers(keras.Sequential([keras.Input((8,)), *hidden]), "huber")


def without_input():
    return for_classes(keras.Sequential([layers.Dense(12, activation="relu"), layers.Dense(3, activation="softmax")]))


def batch_normalised():
    hidden = [layers.Dense(12, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.3)]
    return for_classes(sequential((8,), *hidden))


def regularised():
    hidden = layers.Dense(12, activation="relu", kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="max_norm")
    return for_classes(sequential((8,), hidden))


def adapted_normalisation():
    normalise = layers.Normalization()
    normalise.adapt(TABLE[:ROWS])
    return for_classes(sequential((8,), normalise, layers.Dense(12, activation="relu")))


def columns():
    return {name: keras.Input((1,), name=name, dtype=column.dtype.name) for name, column in COLUMNS.items()}


def encoded(inputs):
    """Each column as a preprocessing layer makes it."""
    age = layers.Discretization(bin_boundaries=[30.0, 45.0, 60.0], output_mode="one_hot")(inputs["age"])
    region = layers.CategoryEncoding(4, output_mode="one_hot")(inputs["region"])
    income = layers.Normalization(mean=1.6, variance=4.0)(inputs["income"])
    return layers.concatenate([age, region, income])


def structured_data():
    inputs = columns()
    hidden = layers.Dense(16, activation="relu")(encoded(inputs))
    return for_two_classes(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Dropout(0.3)(hidden))))


def wide_and_deep():
    inputs = columns()
    wide = encoded(inputs)
    job = layers.Flatten()(layers.Embedding(50, 4)(inputs["job"]))
    deep = layers.concatenate([wide, job])
    for _ in range(2):
        deep = layers.ReLU()(layers.BatchNormalization()(layers.Dense(12)(deep)))
    return for_two_classes(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.concatenate([wide, deep]))))


class GatedResidual(layers.Layer):
    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.first, self.second = layers.Dense(units, activation="elu"), layers.Dense(units)
        self.gate, self.project = layers.Dense(units, activation="sigmoid"), layers.Dense(units)
        self.drop, self.norm = layers.Dropout(0.1), layers.LayerNormalization()

    def call(self, inputs):
        hidden = self.drop(self.second(self.first(inputs)))
        return self.norm(self.project(inputs) + hidden * self.gate(hidden))


def gated_residual():
    return for_classes(sequential((8,), GatedResidual(12), GatedResidual(8)))


class Recommender(keras.Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.users, self.user_bias = layers.Embedding(50, 6, embeddings_regularizer="l2"), layers.Embedding(50, 1)
        self.films, self.film_bias = layers.Embedding(50, 6, embeddings_regularizer="l2"), layers.Embedding(50, 1)

    def call(self, inputs):
        user, film = inputs[:, 0], inputs[:, 1]
        match = ops.sum(self.users(user) * self.films(film), axis=-1, keepdims=True)
        return ops.sigmoid(match + self.user_bias(user) + self.film_bias(film))


def recommender():
    return for_two_classes(Recommender())


def tower():
    return keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(4)], name="tower")


def contrastive(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    near, far = ops.square(y_pred), ops.square(ops.maximum(1.0 - y_pred, 0.0))
    return ops.mean((1.0 - y_true) * far + y_true * near)


def siamese():
    left, right, shared = keras.Input((8,)), keras.Input((8,)), tower()
    apart = layers.Lambda(lambda pair: ops.sqrt(ops.sum((pair[0] - pair[1]) ** 2, axis=1, keepdims=True) + 1e-6))
    model = keras.Model([left, right], apart([shared(left), shared(right)]))
    model.compile(keras.optimizers.RMSprop(0.01), contrastive, metrics=["mae"])
    return model


def autoencoder():
    layers_ = [layers.Dense(4, activation="relu"), layers.Dense(8)]
    return for_numbers(keras.Sequential([keras.Input((8,)), *layers_]))


def multi_label():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(4, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["binary_accuracy"])
    return model


def imbalanced():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1, activation="sigmoid")])
    metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision"), keras.metrics.Recall(name="recall")]
    model.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(), metrics=metrics)
    return model


def several_outputs():
    inputs = keras.Input((8,))
    hidden = layers.Dense(12, activation="relu")(inputs)
    outputs = {"kind": layers.Dense(3, activation="softmax", name="kind")(hidden), "size": layers.Dense(1, name="size")(hidden)}
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"kind": "sparse_categorical_crossentropy", "size": "mse"}, loss_weights={"kind": 1.0, "size": 0.3})
    return model


# --- text and series


def bag_of_words():
    hidden = [layers.Embedding(40, 8), layers.GlobalAveragePooling1D(), layers.Dense(8, activation="relu")]
    return for_classes(sequential((10,), *hidden))


def lstm():
    return for_classes(sequential((10, 4), layers.LSTM(8)))


def gru():
    return for_classes(sequential((10, 4), layers.GRU(8, return_sequences=True), layers.GlobalMaxPooling1D()))


def bidirectional():
    return for_classes(sequential((10,), layers.Embedding(40, 6), layers.Bidirectional(layers.LSTM(5))))


def masked_lstm():
    return for_classes(sequential((10,), layers.Embedding(40, 6, mask_zero=True), layers.LSTM(6)))


def recurrent_dropout():
    return for_classes(sequential((10, 4), layers.LSTM(6, dropout=0.2, recurrent_dropout=0.3)))


def stateful():
    inputs = keras.Input(batch_shape=(15, 10, 4))
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.LSTM(6, stateful=True)(inputs))))


def convolution_1d():
    hidden = [layers.Conv1D(8, 3, activation="relu"), layers.MaxPooling1D(), layers.Conv1D(6, 2), layers.GlobalMaxPooling1D()]
    return for_classes(sequential((10, 4), *hidden))


class TransformerBlock(layers.Layer):
    def __init__(self, causal=False, **settings):
        super().__init__(**settings)
        self.causal = causal
        self.attention = layers.MultiHeadAttention(2, 4, dropout=0.1)
        self.dense = keras.Sequential([layers.Dense(16, activation="gelu"), layers.Dense(8)])
        self.norms = [layers.LayerNormalization(epsilon=1e-6), layers.LayerNormalization(epsilon=1e-6)]
        self.drop = layers.Dropout(0.1)

    def call(self, inputs):
        attended = self.attention(inputs, inputs, use_causal_mask=self.causal)
        hidden = self.norms[0](inputs + self.drop(attended))
        return self.norms[1](hidden + self.drop(self.dense(hidden)))


class Positions(layers.Layer):
    def __init__(self, length, width, **settings):
        super().__init__(**settings)
        self.tokens, self.places = layers.Embedding(40, width), layers.Embedding(length, width)

    def call(self, inputs):
        return self.tokens(inputs) + self.places(ops.arange(ops.shape(inputs)[-1]))


def transformer():
    hidden = [Positions(10, 8), TransformerBlock(), layers.GlobalAveragePooling1D(), layers.Dropout(0.1)]
    return for_classes(sequential((10,), *hidden))


def attention():
    inputs = keras.Input((10, 4))
    hidden = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    hidden = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([hidden, inputs])))
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


def tagger():
    hidden = [layers.Embedding(40, 8), layers.Bidirectional(layers.LSTM(5, return_sequences=True))]
    return for_classes(keras.Sequential([keras.Input((10,)), *hidden, layers.Dense(4, activation="softmax")]))


def gpt():
    hidden = [Positions(10, 8), TransformerBlock(causal=True), layers.Dense(40)]
    model = keras.Sequential([keras.Input((10,)), *hidden])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def seq2seq():
    source, target = keras.Input((10,), name="source"), keras.Input((6,), name="target")
    _, *state = layers.LSTM(6, return_state=True)(layers.Embedding(40, 6)(source))
    decoded = layers.LSTM(6, return_sequences=True)(layers.Embedding(40, 6)(target), initial_state=state)
    model = keras.Model({"source": source, "target": target}, layers.Dense(40, activation="softmax")(decoded))
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


# --- images


def convolution_2d():
    hidden = [layers.Rescaling(2.0), layers.Conv2D(6, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten()]
    return for_classes(sequential((8, 8, 3), *hidden, layers.Dropout(0.3)))


def residual():
    inputs = keras.Input((8, 8, 3))
    hidden = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(inputs)))
    other = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", use_bias=False)(hidden))
    hidden = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([hidden, other])))
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


def normalised_with_bias():
    hidden = [layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D()]
    return for_classes(sequential((8, 8, 3), *hidden))


def separable():
    hidden = [layers.SeparableConv2D(6, 3, activation="relu"), layers.DepthwiseConv2D(3), layers.GlobalAveragePooling2D()]
    return for_classes(sequential((8, 8, 3), *hidden))


def convolution_lstm():
    return for_classes(sequential((4, 6, 6, 1), layers.ConvLSTM2D(3, 3), layers.Flatten()))


def convolutional_autoencoder():
    hidden = [layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")]
    hidden += [layers.Conv2DTranspose(6, 3, strides=2, padding="same", activation="relu"), layers.Conv2D(3, 3, padding="same")]
    return for_numbers(keras.Sequential([keras.Input((8, 8, 3)), *hidden]))


def u_net():
    inputs = keras.Input((8, 8, 3))
    down = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    deep = layers.Conv2D(6, 3, padding="same", activation="relu")(layers.MaxPooling2D()(down))
    up = layers.concatenate([layers.UpSampling2D()(deep), down])
    return for_two_classes(keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(up)))


class Patches(layers.Layer):
    def call(self, images):
        patches = ops.image.extract_patches(images, 4)
        return ops.reshape(patches, (ops.shape(images)[0], 4, 48))


def vision_transformer():
    inputs = keras.Input((8, 8, 3))
    hidden = layers.Dense(8)(Patches()(inputs))
    hidden = layers.Add()([hidden, layers.MultiHeadAttention(2, 4)(hidden, hidden)])
    hidden = layers.Flatten()(layers.LayerNormalization()(hidden))
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


class Mixer(layers.Layer):
    def build(self, shape):
        self.tokens = keras.Sequential([layers.Dense(8, activation="gelu"), layers.Dense(shape[1])])
        self.channels = keras.Sequential([layers.Dense(8, activation="gelu"), layers.Dense(shape[2])])
        self.norm = layers.LayerNormalization()

    def call(self, inputs):
        mixed = inputs + ops.transpose(self.tokens(ops.transpose(self.norm(inputs), (0, 2, 1))), (0, 2, 1))
        return mixed + self.channels(mixed)


def mlp_mixer():
    hidden = [Patches(), layers.Dense(8), Mixer(), layers.GlobalAveragePooling1D()]
    return for_classes(sequential((8, 8, 3), *hidden))


def frozen_application():
    base = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU()])
    base.trainable = False
    inputs = keras.Input((8, 8, 3))
    hidden = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(base(inputs, training=False)))
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


def augmented():
    hidden = [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.1)]
    return for_classes(sequential((8, 8, 3), *hidden, layers.Conv2D(4, 3, activation="relu"), layers.Flatten()))


def noisy():
    hidden = [layers.GaussianNoise(0.1), layers.Dense(12, activation="relu"), layers.GaussianDropout(0.2)]
    return for_classes(sequential((8,), *hidden))


def mixed_precision():
    policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    hidden = [layers.Dense(12, activation="relu", dtype=policy), layers.Dense(8, activation="relu", dtype=policy)]
    return for_classes(sequential((8,), *hidden))


class VariationalAutoencoder(keras.Model):
    def __init__(self, **settings):
        super().__init__(**settings)
        self.encoder = keras.Sequential([keras.Input((8,)), layers.Dense(6)])
        self.decoder = keras.Sequential([keras.Input((3,)), layers.Dense(8)])
        self.tracker, self.seeds = keras.metrics.Mean(name="loss"), keras.random.SeedGenerator(1)

    @property
    def metrics(self):
        return [self.tracker]

    def elbow(self, x):
        mean, spread = ops.split(self.encoder(x), 2, axis=-1)
        drawn = mean + ops.exp(0.5 * spread) * keras.random.normal(ops.shape(mean), seed=self.seeds)
        divergence = -0.5 * ops.mean(1 + spread - ops.square(mean) - ops.exp(spread))
        return ops.mean(ops.square(x - self.decoder(drawn))) + divergence

    def train_step(self, data):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.elbow(data[0])
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def test_step(self, data):
        self.tracker.update_state(self.elbow(data[0]))
        return {"loss": self.tracker.result()}


def variational_autoencoder():
    model = VariationalAutoencoder()
    model.compile(keras.optimizers.Adam(0.01))
    return model


# --- own parts


class Scaled(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        if training:
            self.seen.assign(0.9 * self.seen + 0.1 * ops.mean(inputs))
        return (inputs - self.seen) * self.scale


def own_layer():
    return for_classes(sequential((8,), layers.Dense(12, activation="relu"), Scaled()))


class Own(keras.Model):
    """Neither built nor with an `Input`."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.hidden, self.attention = layers.Dense(8, activation="relu"), layers.MultiHeadAttention(2, 3)
        self.flat, self.last = layers.Flatten(), layers.Dense(3, activation="softmax")

    def call(self, inputs):
        hidden = self.hidden(inputs)
        return self.last(self.flat(self.attention(hidden, hidden)))


def own_model():
    return for_classes(Own())


def focal(y_true, y_pred):
    true = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), 3)
    return -ops.sum(true * (1 - y_pred) ** 2 * ops.log(y_pred + 1e-7), axis=-1)


def own_loss():
    model = sequential((8,), layers.Dense(12, activation="relu"))
    model.compile(keras.optimizers.Adam(0.01), focal, metrics=["sparse_categorical_accuracy"])
    return model


def quantiles():
    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * error, -0.1 * error), axis=-1)

    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), pinball, metrics=["mae"])
    return model


class WithinOne(keras.metrics.Metric):
    def __init__(self, name="within_one", **settings):
        super().__init__(name=name, **settings)
        self.hits, self.all = self.add_weight(name="hits"), self.add_weight(name="all")

    def update_state(self, y_true, y_pred, sample_weight=None):
        near = ops.abs(ops.reshape(y_true, (-1,)) - ops.reshape(y_pred, (-1,))) < 1
        self.hits.assign_add(ops.sum(ops.cast(near, "float32")))
        self.all.assign_add(ops.cast(ops.size(near), "float32"))

    def result(self):
        return self.hits / self.all


def own_metric():
    model = keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=[WithinOne()])
    return model


def random_constant():
    mask = (np.random.rand(12) > 0.5).astype("float32")
    inputs = keras.Input((8,))
    hidden = layers.Dense(12, activation="relu")(inputs) * mask
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden)))


# --- optimizers


def optimized(optimizer):
    """A function whose model is trained by a new optimizer of this kind, whatever the number of the copy."""

    def build(copy=0):
        model = sequential((8,), layers.Dense(12, activation="relu"), layers.Dense(8, activation="tanh"))
        return for_classes(model, optimizer())

    return build


OPTIMIZERS = {
    "Adam, amsgrad": lambda: keras.optimizers.Adam(0.01, amsgrad=True),
    "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.02),
    "SGD, Nesterov": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "RMSprop, centred": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "Adagrad": lambda: keras.optimizers.Adagrad(0.05),
    "Adadelta": lambda: keras.optimizers.Adadelta(0.5),
    "Adamax": lambda: keras.optimizers.Adamax(0.01),
    "Ftrl": lambda: keras.optimizers.Ftrl(0.05),
    "Lion": lambda: keras.optimizers.Lion(0.003),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "Adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "Lamb": lambda: keras.optimizers.Lamb(0.01),
    "clipnorm": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.05, global_clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.Adam(0.01, clipvalue=0.02),
    "EMA": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "EMA, overwriting": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
}
SCHEDULES = {
    "exponential decay": lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.02, 5, 0.8)),
    "cosine decay": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.0, 12, 0.1, 0.1, 6)),
}
_ONE_BY_ONE = {
    "Nadam": "the optimizer Nadam",
    "Adafactor": "the optimizer Adafactor",
    "Lamb": "the optimizer Lamb",
    "EMA, overwriting": "ema_overwrite_frequency",
    "gradient accumulation": "gradient_accumulation_steps",
}
_FIXED_BATCH = Terms(batch_size=15)

CASES = [
    Case("MLP", mlp, TABLE, CLASSES, quick=True),
    Case("regression, huber", regression, TABLE, NUMBER),
    Case("Sequential without Input", without_input, TABLE, CLASSES, quick=True),
    Case("batch normalisation", batch_normalised, TABLE, CLASSES),
    Case("regularisers, constraint", regularised, TABLE, CLASSES),
    Case("sample weights", mlp, TABLE, CLASSES, weights=WEIGHTS),
    Case("adapted Normalization", adapted_normalisation, TABLE, CLASSES),
    Case("structured data", structured_data, COLUMNS, BINARY),
    Case("wide and deep", wide_and_deep, COLUMNS, BINARY, tolerance=1e-3),
    Case("gated residual network", gated_residual, TABLE, CLASSES),
    Case("recommender", recommender, np.stack([COLUMNS["job"][:, 0], COLUMNS["job"][::-1, 0]], 1), BINARY),
    Case("siamese", siamese, [TABLE, TABLE[::-1].copy()], (CLASSES[::-1] == CLASSES).astype("float32")),
    Case("autoencoder", autoencoder, TABLE, TABLE),
    Case("multi-label", multi_label, TABLE, (TABLE[:, :4] > 0.3).astype("float32")),
    Case("imbalanced, AUC and recall", imbalanced, TABLE, BINARY),
    Case("several outputs", several_outputs, TABLE, {"kind": CLASSES, "size": NUMBER}, refused="several outputs"),
    Case("bag of words", bag_of_words, TOKENS, CLASSES),
    Case("LSTM", lstm, SERIES, CLASSES, quick=True),
    Case("GRU", gru, SERIES, CLASSES),
    Case("bidirectional LSTM", bidirectional, TOKENS, CLASSES),
    Case("masked LSTM", masked_lstm, PADDED, CLASSES),
    Case("recurrent dropout", recurrent_dropout, SERIES, CLASSES),
    Case("stateful LSTM", stateful, SERIES, CLASSES, terms=_FIXED_BATCH),
    Case("Conv1D", convolution_1d, SERIES, CLASSES),
    Case("transformer", transformer, TOKENS, CLASSES, quick=True),
    Case("attention", attention, SERIES, CLASSES),
    Case("tagger", tagger, TOKENS, TOKENS % 4, refused="labels"),
    Case("GPT", gpt, TOKENS, np.roll(TOKENS, -1, 1), refused="labels"),
    Case("seq2seq", seq2seq, {"source": TOKENS, "target": TOKENS[:, :6]}, TOKENS[:, 1:7], refused="labels"),
    Case("Conv2D", convolution_2d, IMAGES, CLASSES, quick=True),
    Case("residual network", residual, IMAGES, CLASSES, tolerance=1e-3),
    Case("Conv2D with bias, batch normalisation", normalised_with_bias, IMAGES, CLASSES, tolerance=1e-3),
    Case("separable convolution", separable, IMAGES, CLASSES),
    Case("ConvLSTM2D", convolution_lstm, FILMS, CLASSES),
    Case("convolutional autoencoder", convolutional_autoencoder, IMAGES, IMAGES),
    Case("U-Net", u_net, IMAGES, (IMAGES[..., :1] > 0.5).astype("float32")),
    Case("ViT", vision_transformer, IMAGES, CLASSES),
    Case("MLP-Mixer", mlp_mixer, IMAGES, CLASSES),
    Case("frozen application", frozen_application, IMAGES, CLASSES),
    Case("augmentation", augmented, IMAGES, CLASSES),
    Case("noise", noisy, TABLE, CLASSES),
    Case("mixed precision", mixed_precision, TABLE, CLASSES),
    Case("VAE with train_step", variational_autoencoder, TABLE, TABLE, refused="train_step", random=True),
    Case("own layer with state", own_layer, TABLE, CLASSES, quick=True),
    Case("own model, not built", own_model, SERIES, CLASSES),
    Case("own loss", own_loss, TABLE, CLASSES),
    Case("own loss, quantiles", quantiles, TABLE, NUMBER),
    Case("own metric", own_metric, TABLE, NUMBER),
    Case("random constant", random_constant, TABLE, CLASSES),
    *(Case(name, optimized(make), TABLE, CLASSES, alone=_ONE_BY_ONE.get(name, "")) for name, make in OPTIMIZERS.items()),
    *(Case(name, optimized(make), TABLE, CLASSES, axis={"copy": [1, 2]}) for name, make in SCHEDULES.items()),
]
