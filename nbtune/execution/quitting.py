"""What a user's function raises to end the program that it runs in, where only its trial is to end."""

from __future__ import annotations

from nbtune.ask.function import Function


def quit_message(error: BaseException, function: Function) -> str:
    """What to tell the function's author: its traceback, and what the last line of it means here."""
    from nbtune.training.tracebacks import user_traceback

    what = "sys.exit()" if isinstance(error, SystemExit) else f"raising {type(error).__name__}"
    return f"{user_traceback(error, function)}\n{what} ends the trial, and nothing else; to skip a combination, raise ValueError"
