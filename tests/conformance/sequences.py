"""Models of text and series."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.conformance.case import for_classes, sequential


def bag_of_words():
    hidden = [layers.Embedding(40, 8), layers.GlobalAveragePooling1D(), layers.Dense(8, activation="relu")]
    return for_classes(sequential((10,), *hidden))


def looked_up():
    numbers = keras.Input((10,), dtype="int64")
    known = layers.IntegerLookup(vocabulary=list(range(30)))(numbers)
    parts = [layers.Embedding(31, 4)(known), layers.Embedding(7, 4)(layers.Hashing(7)(numbers))]
    return for_classes(keras.Model(numbers, layers.Flatten()(layers.Concatenate()(parts))))


def lstm():
    return for_classes(sequential((10, 4), layers.LSTM(8)))


def gru():
    return for_classes(sequential((10, 4), layers.GRU(8, return_sequences=True), layers.GlobalMaxPooling1D()))


def bidirectional():
    return for_classes(sequential((10,), layers.Embedding(40, 6), layers.Bidirectional(layers.LSTM(5))))


def masked_lstm():
    return for_classes(sequential((10,), layers.Embedding(40, 6, mask_zero=True), layers.LSTM(6)))


def recurrent_dropout():
    return for_classes(sequential((5, 4), layers.LSTM(6, dropout=0.2, recurrent_dropout=0.3)))


def long_lstm():
    hidden = [layers.LSTM(6, return_sequences=True, dropout=0.2), layers.Dropout(0.2), layers.LSTM(5)]
    return for_classes(sequential((10, 4), layers.UpSampling1D(4), *hidden))


def unknown_steps():
    inputs = keras.Input((None,), dtype="int32")
    hidden = layers.Embedding(40, 6, mask_zero=True)(inputs)
    hidden = layers.Bidirectional(layers.GRU(5, return_sequences=True))(hidden)
    return for_classes(keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.SimpleRNN(4, go_backwards=True)(hidden))))


class Minimal(layers.Layer):
    """As in Keras's guide to recurrent layers."""

    def __init__(self, units, **settings):
        super().__init__(**settings)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="uniform")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), initializer="uniform")

    def call(self, inputs, states):
        out = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        return out, [ops.tanh(out)]


def own_cells():
    hidden = [layers.RNN(Minimal(6), return_sequences=True), layers.RNN([layers.LSTMCell(4), layers.GRUCell(5)])]
    return for_classes(sequential((10, 4), layers.UpSampling1D(2), *hidden))


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
