"""Networks for series and texts."""

from __future__ import annotations

from typing import Any


def conv1d(filters: int, dropout: float) -> Any:
    """With batch normalisation, as for sensors."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((64, 3))])
    for _ in range(3):
        model.add(layers.Conv1D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(4, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def lstm(units: int, dropout: float) -> Any:
    """A number ahead."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((24, 1)), layers.LSTM(units), layers.Dropout(dropout), layers.Dense(1)])
    model.compile("adam", "mean_squared_error", metrics=["mean_absolute_error"])
    return model


def bidirectional_gru(units: int, dropout: float) -> Any:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((40,), dtype="int32"),
            layers.Embedding(500, 16),
            layers.Bidirectional(layers.GRU(units)),
            layers.Dropout(dropout),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def series_transformer(heads: int, dropout: float) -> Any:
    """As in Keras's classification of time series."""
    import keras
    from keras import layers

    inputs = keras.Input((64, 3))
    hidden = layers.Conv1D(16, 4, strides=4)(inputs)
    for _ in range(2):
        seen = layers.MultiHeadAttention(heads, 8, dropout=dropout)(hidden, hidden)
        hidden = layers.LayerNormalization(epsilon=1e-6)(layers.Dropout(dropout)(seen) + hidden)
        other = layers.Dropout(dropout)(layers.Dense(16)(layers.Dense(32, activation="relu")(hidden)))
        hidden = layers.LayerNormalization(epsilon=1e-6)(other + hidden)
    hidden = layers.Dense(32, activation="relu")(layers.GlobalAveragePooling1D()(hidden))
    model = keras.Model(inputs, layers.Dense(4, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def text_cnn(filters: int, dropout: float) -> Any:
    """Filters of several lengths side by side."""
    import keras
    from keras import layers

    inputs = keras.Input((40,), dtype="int32")
    words = layers.Embedding(500, 16)(inputs)
    found = [layers.GlobalMaxPooling1D()(layers.Conv1D(filters, size, activation="relu")(words)) for size in (3, 4, 5)]
    hidden = layers.Dropout(dropout)(layers.Concatenate()(found))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def text_transformer(heads: int, dropout: float) -> Any:
    """As in Keras's classification of texts."""
    import keras
    from keras import layers, ops

    class Positions(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = layers.Embedding(500, 16), layers.Embedding(40, 16)

        def call(self, inputs: Any) -> Any:
            return self.words(inputs) + self.places(ops.arange(40))

    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.attention = layers.MultiHeadAttention(heads, 16)
            self.dense = keras.Sequential([layers.Dense(32, activation="relu"), layers.Dense(16)])
            self.norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
            self.drops = [layers.Dropout(dropout) for _ in range(2)]

        def call(self, inputs: Any) -> Any:
            hidden = self.norms[0](inputs + self.drops[0](self.attention(inputs, inputs)))
            return self.norms[1](hidden + self.drops[1](self.dense(hidden)))

    inputs = keras.Input((40,), dtype="int32")
    hidden = layers.Dropout(dropout)(layers.GlobalAveragePooling1D()(Block()(Positions()(inputs))))
    hidden = layers.Dropout(dropout)(layers.Dense(16, activation="relu")(hidden))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
