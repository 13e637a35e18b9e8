"""The panel's buttons: to steer a search, and once it is over to make use of it."""

from __future__ import annotations

from typing import Any

from nbtune.record.progress import Progress, show
from nbtune.views.findings import Edge, edges
from nbtune.views.notebook.schema import Button
from nbtune.views.surface import OVER

Action = tuple[str, dict[str, Any]]  # a method of the search, and its arguments
_IDLE = {"planned": "Start", "paused": "Resume", "stopped": "Resume", "failed": "Resume"}
_WIDEN = "widen-"


def action(progress: Progress, button: str) -> Action | None:
    """What a button has the search do; None for one that there is not."""
    if edge := edge_of(progress, button):
        return "widen", {edge.name: edge.beyond}
    actions: dict[str, Action] = {
        "toggle": ("pause" if progress.state == "running" else "resume", {}),
        "stop": ("stop", {}),
        "code": ("code", {}),
        "answers": ("plot", {"kind": _answers(progress)[0]}),
        "save": ("save", {}),
        "refit": ("save", {"refit": True}),
        "download": ("archive", {}),
        "next": ("next_steps", {}),
    }
    return actions.get(button)


def edge_of(progress: Progress, button: str) -> Edge | None:
    """The edge beyond which a button goes."""
    return next((edge for edge in edges(progress) if button == _WIDEN + edge.name), None)


def buttons(progress: Progress, asked: str) -> dict[str, Button]:
    """What can be clicked now; `asked`: the button whose action is under way, if there is one."""
    state = progress.state
    halted = state in _IDLE
    over = state in OVER and progress.best is not None
    toggle = _IDLE.get(state, "Pause") if asked != "toggle" else "Starting…" if halted else "Pausing…"
    set_going = "Set the training going" if halted else "Halt the training; nothing is lost"
    _, answers, what = _answers(progress)
    found = {
        "toggle": _button(toggle, set_going, state != "finished", "▶" if halted else "❚❚"),
        "stop": _button(
            "Stopping…" if asked == "stop" else "Stop",
            "End the search and keep every result",
            state in ("running", "paused"),
            "■",
        ),
        "code": _button("Code", "Plain Keras that builds, compiles and fits the best combination", over),
        "answers": _button("Drawing…" if asked == "answers" else answers, what, over and bool(answers)),
        "save": _button("Saving…" if asked == "save" else "Save", "Write the best network as a .keras file", over),
        "refit": _button(
            "Training…" if asked == "refit" else "Refit",
            "Train the best combination anew on training and validation data together, and write it as a .keras file",
            over,
        ),
        "download": _button(
            "Packing…" if asked == "download" else "Download",
            "The search as a zip; unpacked beside the notebook on another machine, the same cell goes on there",
            over or state == "paused",
        ),
        "next": _button("Next steps", "What to do with the winner", over),
    }
    for edge in edges(progress):
        end = "largest" if edge.largest else "smallest"
        why = f"The best {edge.name} is the {end} that was tried: train the combinations with {show(edge.beyond)} too"
        found[_WIDEN + edge.name] = _button(f"Add {edge.name} {show(edge.beyond)}", why, over, "+")
    for button in found.values():
        button["disabled"] = bool(asked)
    return found


def _button(text: str, title: str, shown: bool, icon: str = "") -> Button:
    return Button(text=text, icon=icon, title=title, disabled=False, hidden=not shown)


def _answers(progress: Progress) -> tuple[str, str, str]:
    """The plot of what the winner answers for the validation rows, its button and what it shows; empty where there is none."""
    if progress.held_out.classes:
        return "confusion", "Confusion matrix", "Which class the best network takes for which, on the validation data"
    if progress.held_out.rows and progress.objective.direction == "min":
        return "residuals", "Residuals", "How far the best network is from the true numbers, on the validation data"
    return "", "", ""
