"""Whether a stack is worth its compilation."""

from nbtune.costs import SETUPS_OF_A_PROOF, SETUPS_OF_A_STACK, STEPS_OF_A_SETUP


def pays(fits: int, steps: int, proofs: int = 0) -> bool:
    """Whether so many fits of so many steps each are faster together than one by one.

    Together they are never slower at training, but have to be compiled. On two cores that took as long as 2 to 3.5 setups
    of `model.fit`, and a setup as long as 400 to 900 of its steps (Dense on digits, LSTM over 8 steps, Conv2D on 28 × 28).
    So four trials always pay, and two if they have some hundred steps.

    Args:
        proofs: how often the stack's first steps are compared with those of `model.fit` (`first_steps`).
    """
    return fits * (STEPS_OF_A_SETUP + steps) >= (SETUPS_OF_A_STACK + proofs * SETUPS_OF_A_PROOF) * STEPS_OF_A_SETUP
