"""`%%tune` in a real browser: what a person sees and clicks from the first trial to the reopened notebook."""

from __future__ import annotations

import re
import time

from .page import BUILD, until

LINE = "%%tune --data x,y --layers 1:2 --units 16,32,64 --learning-rate 1e-2,1e-3 --loss cce,mse --epochs 20 --patience 3"
TUNE = f"{LINE.replace('cce,mse', 'categorical_crossentropy,mean_squared_error')}\n{BUILD}"


def test_from_start_to_the_reopened_notebook(pages):
    book = pages.digits("lab", TUNE, "1 + 1", name="tune")
    book.run(0)
    book.start(1)
    book.see(re.compile("Starting the workers"))
    book.shot("tune-starting")
    book.see(re.compile(r"running: [2-9] of 24"), 60)
    book.shot("tune-running")
    asked = time.monotonic()
    book.button("Pause").click()
    book.button("Resume").wait_for(timeout=5000)
    assert time.monotonic() - asked < 1
    book.shot("tune-paused")
    until(lambda: True, 1, "")
    assert not book.errors
