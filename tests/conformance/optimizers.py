"""One model under every optimizer."""

from __future__ import annotations

import keras
from keras import layers

from tests.conformance.case import for_classes, sequential


def optimized(optimizer):
    """A function whose model is trained by a new optimizer of this kind, whatever the number of the copy."""

    def build(copy=0):
        model = sequential((8,), layers.Dense(12, activation="relu"), layers.Dense(8, activation="tanh"))
        return for_classes(model, optimizer())

    return build


def _without_decay_of_biases():
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.05)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


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
    "Muon": lambda: keras.optimizers.Muon(0.01),
    "Nadam": lambda: keras.optimizers.Nadam(0.01),
    "Adafactor": lambda: keras.optimizers.Adafactor(0.01),
    "Lamb": lambda: keras.optimizers.Lamb(0.01),
    "clipnorm": lambda: keras.optimizers.Adam(0.01, clipnorm=0.1),
    "global_clipnorm": lambda: keras.optimizers.SGD(0.05, global_clipnorm=0.1),
    "clipvalue": lambda: keras.optimizers.Adam(0.01, clipvalue=0.02),
    "SGD, weight decay": lambda: keras.optimizers.SGD(0.05, momentum=0.9, weight_decay=0.01),
    "weight decay, not of all": _without_decay_of_biases,
    "loss scale": lambda: keras.optimizers.Adam(0.01, loss_scale_factor=8.0),
    "LossScaleOptimizer": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
    "EMA, weight decay, clipping": lambda: keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9, global_clipnorm=0.1),
    "EMA": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "EMA, overwriting": lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4),
    "gradient accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
}
SCHEDULES = {
    "exponential decay": lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.02, 5, 0.8)),
    "cosine decay": lambda: keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.05, 12, alpha=0.1)),
}
ONE_BY_ONE = {
    "EMA, overwriting": "ema_overwrite_frequency",
    "Adafactor": "the optimizer Adafactor",
    "LossScaleOptimizer": "the optimizer LossScaleOptimizer",
}
