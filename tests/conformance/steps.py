"""Models with steps, optimizers, losses and metrics of their own, and with the settings of `compile`."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers, ops

from tests.conformance.case import for_classes, sequential


def _model(kind=keras.Model, hidden=8, rate=0.0):
    inputs = keras.Input((8,))
    outputs = layers.Dropout(rate)(layers.Dense(hidden, activation="relu")(inputs))
    return kind(inputs, layers.Dense(3, activation="softmax")(outputs))


class SharpnessAware(keras.Model):
    """Climbs to the worst weights nearby, takes the gradient there, and goes back."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        norm = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
        steps = [0.05 * each / (norm + 1e-12) for each in gradients]
        for variable, step in zip(self.trainable_variables, steps, strict=True):
            variable.assign_add(step)
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x, y, outputs)
        gradients = tape.gradient(loss, self.trainable_variables)
        for variable, step in zip(self.trainable_variables, steps, strict=True):
            variable.assign_sub(step)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, outputs)
        return {metric.name: metric.result() for metric in self.metrics}


def sharpness_aware():
    return for_classes(_model(SharpnessAware))


class MixedUp(keras.Model):
    def __init__(self, *parts, **settings):
        super().__init__(*parts, **settings)
        self.draws = keras.random.SeedGenerator(4)

    def train_step(self, data):
        x, y = data
        share = keras.random.uniform((ops.shape(x)[0], 1), seed=self.draws)
        labels = ops.one_hot(y, 3)
        with tf.GradientTape() as tape:
            outputs = self(share * x + (1 - share) * x[::-1], training=True)
            loss = ops.mean(keras.losses.categorical_crossentropy(share * labels + (1 - share) * labels[::-1], outputs))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, outputs)
        return {metric.name: metric.result() for metric in self.metrics}


def mixed_up():
    return for_classes(_model(MixedUp, rate=0.2))


class Tested(keras.Model):
    """Averages over two mirrored inputs when it is evaluated."""

    def test_step(self, data):
        x, y = data
        outputs = (self(x, training=False) + self(x[:, ::-1], training=False)) / 2
        loss = self.compute_loss(x, y, outputs, training=False)
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, outputs)
        return {metric.name: metric.result() for metric in self.metrics}


def own_test_step():
    return for_classes(_model(Tested))


class Confident(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        usual = super().compute_loss(x, y, y_pred, sample_weight, training)
        return usual + 0.1 * ops.mean(ops.sum(y_pred * ops.log(y_pred + 1e-7), axis=-1))


def own_compute_loss():
    return for_classes(_model(Confident, rate=0.2))


class Told(keras.Model):
    def __init__(self, *parts, **settings):
        super().__init__(*parts, **settings)
        self.certain = keras.metrics.Mean(name="certain")

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.certain.update_state(ops.max(y_pred, axis=-1), sample_weight)
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "certain": self.certain.result()}


def own_compute_metrics():
    return for_classes(_model(Told))


class Rooted(keras.optimizers.Optimizer):
    """Divides by the root of a mean of absolute gradients, which it keeps beside each weight."""

    def __init__(self, learning_rate=0.01, decay=0.8, **settings):
        super().__init__(learning_rate=learning_rate, **settings)
        self.decay = decay

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.sizes = [self.add_variable_from_reference(each, "size") for each in variables]

    def update_step(self, gradient, variable, learning_rate):
        size = self.sizes[self._get_variable_index(variable)]
        self.assign(size, self.decay * size + (1 - self.decay) * ops.abs(gradient))
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * gradient / (ops.sqrt(size) + 1e-3))

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}


def own_optimizer():
    return for_classes(_model(), Rooted(0.01, clipnorm=0.5, weight_decay=0.01))


class Centred(keras.optimizers.SGD):
    """Takes the mean out of each gradient of a matrix before it is applied."""

    def apply(self, grads, trainable_variables=None):
        centred = [each - ops.mean(each, axis=0, keepdims=True) if len(each.shape) > 1 else each for each in grads]
        return super().apply(centred, trainable_variables)


def centred_gradients():
    return for_classes(_model(), Centred(0.05, momentum=0.9))


def excluded_by_variable():
    """Weight decay leaves out the variables that it was given, and all by a part of their names; EMA and clipping beside it."""
    model = sequential((8,), layers.Dense(8, activation="relu"), layers.LayerNormalization())
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1, clipvalue=0.05, use_ema=True, ema_momentum=0.8)
    optimizer.exclude_from_weight_decay(var_list=[model.layers[-1].kernel], var_names=["gamma", "beta"])
    return for_classes(model, optimizer)


class Kappa(keras.metrics.Metric):
    """Cohen's kappa, of a table of counts."""

    def __init__(self, classes, name="kappa", **settings):
        super().__init__(name=name, **settings)
        self.classes = classes
        self.table = self.add_weight(shape=(classes, classes), initializer="zeros", name="table")

    def update_state(self, y_true, y_pred, sample_weight=None):
        true = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), self.classes)
        weights = 1.0 if sample_weight is None else ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
        self.table.assign_add(ops.matmul(ops.transpose(true * weights), ops.one_hot(ops.argmax(y_pred, axis=-1), self.classes)))

    def result(self):
        shares = self.table / (ops.sum(self.table) + 1e-7)
        by_chance = ops.sum(ops.sum(shares, axis=0) * ops.sum(shares, axis=1))
        return (ops.sum(ops.diagonal(shares)) - by_chance) / (1 - by_chance + 1e-7)

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}


def weighted_kappa():
    model = _model()
    metrics = {"metrics": ["accuracy", Kappa(3)], "weighted_metrics": [Kappa(3, name="weighted_kappa"), "accuracy"]}
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(), **metrics)
    return model


class Sparse(layers.Layer):
    """Adds a loss of what goes through, which it weighs by a variable that grows with each batch."""

    def build(self, shape):
        self.weight = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, training=None):
        if training:
            self.weight.assign(ops.minimum(self.weight + 0.01, 0.1))
        self.add_loss(self.weight * ops.mean(ops.abs(inputs)))
        return inputs


def annealed_loss():
    regular = keras.regularizers.OrthogonalRegularizer(0.01), keras.regularizers.L1L2(1e-4, 1e-3)
    hidden = layers.Dense(8, activation="relu", kernel_regularizer=regular[0], bias_regularizer=regular[1])
    return for_classes(sequential((8,), hidden, Sparse()))


def _heads():
    inputs = keras.Input((8,))
    hidden = layers.Dense(9, activation="relu")(inputs)
    outputs = {"kind": layers.Dense(3, activation="softmax", name="kind")(hidden), "size": layers.Dense(1, name="size")(hidden)}
    return keras.Model(inputs, outputs)


def weighted_losses():
    model = _heads()
    losses = {"kind": keras.losses.SparseCategoricalCrossentropy(), "size": "huber"}
    ranked, rooted = keras.metrics.SparseTopKCategoricalAccuracy(2), keras.metrics.RootMeanSquaredError()
    metrics = {"kind": ["accuracy", ranked], "size": [rooted]}
    weights = {"kind": 0.3, "size": 2.0}
    model.compile(keras.optimizers.Adam(0.01), losses, loss_weights=weights, metrics=metrics)
    return model


def one_output_without_loss():
    model = _heads()
    losses = {"kind": "sparse_categorical_crossentropy", "size": None}
    model.compile(keras.optimizers.Adam(0.01), losses, metrics={"kind": ["accuracy"]})
    return model


def compiled(**settings):
    """A function whose model is compiled with these settings."""

    def build(copy=0):
        model = _model(rate=0.2)
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"], **settings)
        return model

    return build


def unscaled_loss():
    """The optimizer scales the loss itself, and `compile` is told to leave it."""
    model = _model()
    optimizer = keras.optimizers.SGD(0.05, loss_scale_factor=16.0, momentum=0.5)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], auto_scale_loss=False)
    return model


def half_precision():
    """float16, whose loss Keras scales by itself, with the last layer in float32."""
    policy = keras.DTypePolicy("mixed_float16")
    hidden = layers.Conv2D(4, 3, dtype=policy, use_bias=False), layers.ReLU(dtype=policy), layers.Flatten()
    return for_classes(sequential((8, 8, 3), *hidden))


def rate_callbacks():
    """Halves the rate behind the first epoch, and again where the loss does not fall by much."""
    halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch == 1 else rate)
    return [halved, keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=0, min_delta=0.5)]
