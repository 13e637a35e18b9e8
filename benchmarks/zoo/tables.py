"""Networks for rows of a table."""

from __future__ import annotations

from typing import Any


def mlp(units: int, dropout: float) -> Any:
    """With batch normalisation and dropout."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((30,))])
    for _ in range(2):
        model.add(layers.Dense(units, use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def adapted_mlp(units: int, layers: int) -> Any:
    """With a `Normalization` that has seen the data."""
    import keras

    from benchmarks.zoo.data import table

    normalisation = keras.layers.Normalization()
    normalisation.adapt(table().x)
    model = keras.Sequential([keras.Input((30,)), normalisation])
    for _ in range(layers):
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def wide_and_deep(units: int, dropout: float) -> Any:
    """A linear part and a deep one, over numbers and categories."""
    import keras
    from keras import layers

    inputs = {name: keras.Input((1,), name=name, dtype="float32") for name in ("age", "income")}
    inputs |= {name: keras.Input((1,), name=name, dtype="int32") for name in ("region", "job")}
    numbers = layers.Concatenate()([layers.Rescaling(1 / 80)(inputs["age"]), inputs["income"]])
    region = layers.CategoryEncoding(8, output_mode="one_hot")(inputs["region"])
    job = layers.Flatten()(layers.Embedding(60, 8)(inputs["job"]))
    deep = layers.Concatenate()([numbers, region, job])
    for _ in range(2):
        deep = layers.Dropout(dropout)(layers.Dense(units, activation="relu")(deep))
    both = layers.Concatenate()([numbers, region, deep])
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(both))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def autoencoder(units: int, code: int) -> Any:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(code, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["mean_absolute_error"])
    return model


def recommender(size: int, penalty: float) -> Any:
    """Collaborative filtering by embeddings of users and films."""
    import keras
    from keras import layers, ops, regularizers

    class Recommender(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            regular = regularizers.L2(penalty)
            self.users = layers.Embedding(200, size, embeddings_initializer="he_normal", embeddings_regularizer=regular)
            self.films = layers.Embedding(300, size, embeddings_initializer="he_normal", embeddings_regularizer=regular)
            self.user_bias, self.film_bias = layers.Embedding(200, 1), layers.Embedding(300, 1)

        def call(self, inputs: Any) -> Any:
            user, film = inputs[:, 0], inputs[:, 1]
            match = ops.sum(self.users(user) * self.films(film), axis=1, keepdims=True)
            return ops.sigmoid(match + self.user_bias(user) + self.film_bias(film))

    model = Recommender()
    model.compile("adam", "binary_crossentropy", metrics=["mean_absolute_error"])
    return model


def vae(units: int, code: int) -> Any:
    """A variational autoencoder that trains itself, as in Keras's guide."""
    import keras
    import tensorflow as tf
    from keras import layers, ops

    class Sampling(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.seeds = keras.random.SeedGenerator(1337)

        def call(self, inputs: Any) -> Any:
            mean, log_var = inputs
            return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seeds)

    class VAE(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            shown = keras.Input((64,))
            hidden = layers.Dense(units, activation="relu")(shown)
            mean, log_var = layers.Dense(code)(hidden), layers.Dense(code)(hidden)
            self.encoder = keras.Model(shown, [mean, log_var, Sampling()([mean, log_var])])
            drawn = keras.Input((code,))
            hidden = layers.Dense(units, activation="relu")(drawn)
            self.decoder = keras.Model(drawn, layers.Dense(64, activation="sigmoid")(hidden))
            self.total = keras.metrics.Mean(name="loss")
            self.rebuilt = keras.metrics.Mean(name="reconstruction_loss")
            self.apart = keras.metrics.Mean(name="kl_loss")

        @property
        def metrics(self) -> Any:
            return [self.total, self.rebuilt, self.apart]

        def call(self, inputs: Any) -> Any:
            return self.decoder(self.encoder(inputs)[2])

        def losses_of(self, x: Any) -> Any:
            mean, log_var, drawn = self.encoder(x)
            rebuilt = ops.mean(ops.sum(ops.square(x - self.decoder(drawn)), axis=1))
            apart = ops.mean(ops.sum(-0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var)), axis=1))
            return rebuilt, apart

        def noted(self, rebuilt: Any, apart: Any) -> Any:
            self.total.update_state(rebuilt + apart)
            self.rebuilt.update_state(rebuilt)
            self.apart.update_state(apart)
            return {metric.name: metric.result() for metric in self.metrics}

        def train_step(self, data: Any) -> Any:
            with tf.GradientTape() as tape:
                rebuilt, apart = self.losses_of(data[0])
                loss = rebuilt + apart
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            return self.noted(rebuilt, apart)

        def test_step(self, data: Any) -> Any:
            return self.noted(*self.losses_of(data[0]))

    model = VAE()
    model.compile("adam")
    return model
