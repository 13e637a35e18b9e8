"""Models of images and films, and the general kinds that Keras shows on them."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.conformance.case import for_classes, for_numbers, for_two_classes, sequential


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
    """The bias has no gradient but rounding, of which Adam makes whole steps; the moving mean follows them late."""
    hidden = [layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU(), layers.GlobalAveragePooling2D()]
    return for_classes(sequential((8, 8, 3), *hidden), metrics=())


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


class OnlySteps(keras.Model):
    """A variational autoencoder that computes its loss itself."""

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


class VariationalAutoencoder(OnlySteps):
    def call(self, inputs):
        return self.decoder(ops.split(self.encoder(inputs), 2, axis=-1)[0])


def only_steps():
    model = OnlySteps()
    model.compile(keras.optimizers.Adam(0.01))
    return model


def variational_autoencoder():
    model = VariationalAutoencoder()
    model.compile(keras.optimizers.Adam(0.01))
    return model
