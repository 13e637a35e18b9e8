"""A learning rate schedule that Keras does not have. Exported code holds it as it stands here."""

import keras


@keras.saving.register_keras_serializable("nbtune")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """One cycle: from a tenth of the peak up to it and down again, each over 45 % of the steps, then down to a thousandth.

    Source: Smith and Topin 2018, Super-Convergence.

    Args:
        peak: the largest rate.
        steps: of the whole training.
    """

    def __init__(self, peak, steps):  # type: ignore[no-untyped-def]
        self.peak, self.steps = peak, steps

    def __call__(self, step):  # type: ignore[no-untyped-def]
        step = keras.ops.cast(step, "float32")
        half, low, end = 0.45 * self.steps, self.peak / 10, self.peak / 1000
        rising = low + (self.peak - low) * step / half
        falling = self.peak - (self.peak - low) * (step - half) / half
        vanishing = low - (low - end) * (step - 2 * half) / (self.steps - 2 * half)
        rate = keras.ops.where(step < half, rising, keras.ops.where(step < 2 * half, falling, vanishing))
        return keras.ops.maximum(rate, end)

    def get_config(self):  # type: ignore[no-untyped-def]
        return {"peak": self.peak, "steps": self.steps}
