"""Tracebacks as the user wants them: their own lines, with the text of the cell that they typed."""

from __future__ import annotations

import itertools
import linecache
import re
import traceback

from nbtune.ask.function import Function


def know_sources(function: Function) -> None:
    """Lets tracebacks in this process quote the cells that the function came from."""
    for name, text in function.sources.items():
        if not linecache.getlines(name):
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)


def user_traceback(error: BaseException, function: Function) -> str:
    """The traceback from the user's first line on; all of it where no line of theirs is in it."""
    know_sources(function)
    frames = traceback.extract_tb(error.__traceback__)
    own = [i for i, frame in enumerate(frames) if frame.filename in function.sources]
    if own:
        last = own[-1]  # what a library did below the user's last line rarely helps
        kept = [frame for i, frame in enumerate(frames) if own[0] <= i <= last]
    else:
        kept = list(frames)
    lines = traceback.format_list(kept) + traceback.format_exception_only(error)
    return "".join(["Traceback (most recent call last):\n", *lines]).rstrip()


def message_lines(error: BaseException) -> list[str]:
    """The lines of its message, without colours and without what Keras puts around it: in which layer, and called with what."""
    message = re.sub(r"\x1b\[\d*m", "", str(error)).rpartition("Error encountered:\n")[-1]
    own = itertools.takewhile(lambda line: not line.startswith("Arguments received by"), map(str.strip, message.splitlines()))
    return [line for line in own if line and "Exception encountered when calling" not in line]
