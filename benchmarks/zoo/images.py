"""Networks for images."""

from __future__ import annotations

from typing import Any


def cnn(filters: int, dropout: float) -> Any:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * filters, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def resnet(filters: int, blocks: int) -> Any:
    """With augmentation."""
    import keras
    from keras import layers

    inputs = keras.Input((16, 16, 1))
    hidden = layers.RandomTranslation(0.1, 0.1)(layers.RandomRotation(0.05)(inputs))
    hidden = layers.Conv2D(filters, 3, padding="same", use_bias=False)(hidden)
    for block in range(blocks):
        wide = filters * 2**block
        other = layers.ReLU()(layers.BatchNormalization()(hidden))
        other = layers.Conv2D(wide, 3, strides=2, padding="same", use_bias=False)(other)
        other = layers.ReLU()(layers.BatchNormalization()(other))
        other = layers.Conv2D(wide, 3, padding="same", use_bias=False)(other)
        hidden = layers.Add()([layers.Conv2D(wide, 1, strides=2, use_bias=False)(hidden), other])
    hidden = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization()(hidden)))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def frozen_mobilenet(units: int, dropout: float) -> Any:
    """A new head on an application that is not trained; its weights are drawn, since nothing is downloaded."""
    import keras
    from keras import layers

    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    base.trainable = False
    inputs = keras.Input((32, 32, 3))
    hidden = layers.GlobalAveragePooling2D()(base(layers.Rescaling(2.0, offset=-1.0)(inputs), training=False))
    hidden = layers.Dropout(dropout)(layers.Dense(units, activation="relu")(hidden))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def u_net(filters: int, dropout: float) -> Any:
    import keras
    from keras import layers

    def twice(hidden: Any, wide: int) -> Any:
        for _ in range(2):
            hidden = layers.Conv2D(wide, 3, padding="same", activation="relu")(hidden)
        return hidden

    inputs = keras.Input((32, 32, 1))
    first = twice(inputs, filters)
    second = twice(layers.MaxPooling2D()(first), 2 * filters)
    deep = layers.Dropout(dropout)(twice(layers.MaxPooling2D()(second), 4 * filters))
    up = layers.Conv2DTranspose(2 * filters, 2, strides=2)(deep)
    up = layers.Conv2DTranspose(filters, 2, strides=2)(twice(layers.Concatenate()([up, second]), 2 * filters))
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(twice(layers.Concatenate()([up, first]), filters)))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
