"""What things cost, as measured: what the decisions on stacks, workers and memory go by, in one place.

Measured on two cores of an Intel Xeon (AVX-512) under Linux with Python 3.11, TensorFlow 2.21 and Keras 3.15.1, on the days
that stand beside them. Costs in floating-point operations are seconds times the 3e10 that such a core does in one on the
small products of Dense networks: on another machine the ratios hold better than the seconds do. `benchmarks/` tells whether
they still hold.
"""

from __future__ import annotations

# ---- memory, in MB

SHARED_MB = 500  # TensorFlow once, in the fork server (2026-11-23)
WORKER_MB = 350  # more for each worker that trains a small network (2026-11-23)
FREE_MB = 1500  # without which no worker is held in reserve: it holds 500 itself, and the user may import TensorFlow too

# ---- making stacks, in floating-point operations (2026-11-25)

OPERATIONS_A_STACK = 2e10  # in which one more stack is traced or compiled: 0.7 to 2 s
OPERATIONS_A_TRIAL = 2e9  # in which one more trial of a stack is made ready, watched and saved: 0.06 s
OPERATIONS_A_MODEL = 1e9  # in which one more model is made: 0.03 s
OPERATIONS_A_WEIGHT = 6  # for each row, by arithmetic: forwards, and backwards to the input and to the weight
OTHER_WEIGHTS = 3_000  # take as long as a trial's activations, loss and metrics: so do epochs of 18 networks on digits grow
MOST_TOGETHER = 256  # trials of a stack: making them ready takes 15 s, beside which compiling once more hardly counts

# ---- whether a stack, or XLA, is worth its compilation (2026-11-25)

SETUPS_OF_A_STACK = 3.5  # setups of `model.fit` in which a stack is compiled: 2 to 3.5
# in which a stack's first steps are compared with those of `model.fit`, for each loss: an estimate. Where benchmark (a),
# which needs none, is made to, two losses take 3.7 s of 13.5 s of processor time (2026-11-26)
SETUPS_OF_A_PROOF = 1.5
STEPS_OF_A_SETUP = 500  # training steps that a setup of `model.fit` takes: 400 to 900 (Dense on digits, LSTM, Conv2D)
# that an optimizer updates in the time in which XLA compiles a stack of Dense layers: 1.4 s of processor time, at 0.7 to 1.9 ns
# that an update takes longer without it; and without it, a stack shrinks with every trial that stops
NUMBERS_OF_A_COMPILATION = 2e9
