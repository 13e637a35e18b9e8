"""The set-up panel: a form for a search, what the search would cost, and the search itself below it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import Any

from nbtune import machine, threads
from nbtune.ask.function import Function
from nbtune.ask.options import Options
from nbtune.ask.parsing import DEFAULT_NAME, typed
from nbtune.ask.values import Evaluate, split
from nbtune.data.read import read_data
from nbtune.errors import UsageError
from nbtune.execution.local import warm
from nbtune.launch import launch
from nbtune.panel import form
from nbtune.panel.form import Field
from nbtune.record.progress import Progress, duration
from nbtune.run.estimate import Estimate, Estimator
from nbtune.run.opening import Cancel
from nbtune.run.plan import Plan
from nbtune.run.request import Request
from nbtune.search import Search
from nbtune.views.findings import Edge
from nbtune.views.front import Front
from nbtune.views.frontend import clicks_work, current_shell
from nbtune.views.notebook.bundle import text_bundle
from nbtune.views.notebook.panel import LivePanel
from nbtune.views.notebook.surfaces import Nowhere, PanelSurface, Place
from nbtune.views.screen import Screen
from nbtune.views.surface import Controls

ESTIMATING = "estimating …"
_OFFERS = {"500": "Train a fair sample of 500", "all": "Train every one"}  # text of the option `sample` to the button's
MANY, LONG = 200, 600  # combinations, seconds: from here on the panel shows how the grid grows


def _no_names(text: str) -> Any:
    raise UsageError(f"{text!r}: a panel made in Python takes plain values; use %tune panel for expressions")


@dataclass(frozen=True)
class InNotebook:
    """What things are called in the notebook: for the equivalent cell, and for expressions in the form.

    `begin` is called before a search starts, `keep` with the search; both from a thread. Workers come from `pool`.
    """

    build: str
    data: str
    search: str = DEFAULT_NAME
    evaluate: Evaluate = _no_names
    begin: Callable[[], None] = lambda: None
    keep: Callable[[Search], None] = lambda search: None
    pool: warm.Pool = field(default_factory=warm.reserve)


class Panel:
    """A form for a search of one function on some data.

    Attributes:
        search: the search that was started last; None before the first.
    """

    def __init__(
        self, build: Any, data: Any, names: InNotebook | None = None, defaults: dict[str, Any] | None = None, earlier: Any = None
    ) -> None:
        """A panel, to be displayed in a cell.

        Args:
            build, data: as for `nbtune.tune`.
            names: what they are called in the notebook.
            defaults: values of options that the form leaves out.
            earlier: texts of an earlier search of this function, to begin with.

        Raises:
            UsageError: `build` is no function, `data` are no data, or nobody can click here.
        """
        self.search: Search | None = None
        self._build, self._data, self._defaults = build, data, defaults or {}
        function = Function.of(build)
        self._takes_hp = function.takes_hp
        self._names = names or InNotebook(
            function.name, ",".join(("x", "y", "sample_weight")[: len(data)]) if isinstance(data, (tuple, list)) else "data"
        )
        self._filled = form.fields(function, read_data(data, None, 0.0).y, earlier)
        if not (threads.in_marimo() or clicks_work(current_shell())):
            raise UsageError("a panel needs a notebook where somebody can click; write the options on a %%tune line")
        self._lock, self._door = threading.RLock(), threading.Lock()
        self._told: dict[str, Any] = {}
        self._estimate: Estimate | None = None
        self._cost = ""
        self._starting: Cancel | None = None  # of the search that is being started
        self._wrong: UsageError | None = None  # what is wrong with all of it, beyond the fields one by one
        self._estimator = Estimator(self._estimated, self._names.pool)
        self._surface: SetupSurface | None = None

    def _ipython_display_(self) -> None:
        front = Front("setup", {})
        front.listen(self._hear)
        self._surface = SetupSurface(front, self.cell)
        self._changed()

    def _display_(self) -> Front:
        """What marimo shows."""
        front = Front("setup", {})
        front.listen(self._hear)
        self._surface = SetupSurface(front, self.cell, Nowhere)
        self._changed()
        return front

    @property
    def texts(self) -> dict[str, Any]:
        """What is filled in, as on a `%%tune` line."""
        return form.texts_of(self._filled)

    @property
    def cell(self) -> str:
        """The `%%tune` cell that starts the same search."""
        return form.cell_text(self._names.search, self._names.build, self._names.data, self._filled)

    def options(self) -> Options:
        """What is filled in.

        Raises:
            UsageError: a text that is not right.
        """
        texts = self.texts
        found = typed(texts, self._names.evaluate, self._defaults)
        return replace(found, build=self._build, data=self._data, texts={**texts, "data": self._names.data})

    def start(self) -> None:
        """Starts the search that is filled in, in the background; one that this panel started before is stopped."""
        with self._lock:
            if self._starting:
                return
            self._starting = Cancel()
        self._tell(**self._standing())
        threads.start(self._start, "nbtune-start", self._starting)

    def cancel(self) -> None:
        """Gives up the start of a search, where one is being started."""
        with self._lock:
            cancel, self._starting = self._starting, None
        if cancel:
            self._tell(**self._standing())
            threads.start(cancel, "nbtune-cancel")  # it ends workers, and the page shall not wait for that

    def _start(self, cancel: Cancel) -> None:
        with self._door:  # one that is being cancelled may still hold its folder
            self._try_to_start(cancel)

    def _try_to_start(self, cancel: Cancel) -> None:
        assert self._surface is not None
        try:
            request = Request.of(self.options())
            self._estimator.end()
            self._cost = "" if self._cost == ESTIMATING else self._cost  # nobody will tell it any more
            if self.search is not None:
                self.search.stop()
                self.search.wait()
            cancel.check()
            self._names.begin()
            self._surface.cell = self.cell
            launch(request, self._names.search, self._names.pool, self._take, Screen(self._surface), cancel)
            if cancel.asked and self.search:  # too late to be cancelled
                self.search.stop()
        except UsageError as error:
            self._failed(cancel, error)
        except Exception as error:  # it must not vanish in a thread
            self._failed(cancel, UsageError(f"{type(error).__name__}: {error}"))
        finally:
            if self._starting is cancel:
                self._starting = None
            self._tell(**self._standing())

    def _failed(self, cancel: Cancel, error: UsageError) -> None:
        if not cancel.asked:  # else it is what was wanted
            self._mistaken(error)

    def _take(self, search: Search) -> None:
        self.search = search
        self._names.keep(search)

    def _hear(self, content: dict[str, Any]) -> None:
        with self._lock:
            match content:
                case {"kind": "hello"}:
                    self._told = {}
                    self._tell(form=[asdict(field) for field in self._filled], **self._standing())
                case {"kind": "set", "name": str(name), "text": str(text)}:
                    self._fill(name, lambda field: replace(field, text=text))
                case {"kind": "as_list", "name": str(name)}:
                    self._fill(name, form.listed)
                    self._tell(form=[asdict(field) for field in self._filled])
                case {"kind": "start"}:
                    self.start()
                case {"kind": "cancel"}:
                    self.cancel()
                case {"kind": "offer", "text": str(text)}:
                    self._fill("sample", lambda field: replace(field, text=text))
                    self._tell(form=[asdict(field) for field in self._filled])
                case {"kind": "click", "button": str(button)} if (edge := self._edge(button)) is not None:
                    self._fill(edge.name, lambda field: form.with_value(field, edge.beyond))
                    self._tell(form=[asdict(field) for field in self._filled])
                    self.start()
                    self._answer_click()
                    return
            if self._surface and self._surface.live:
                self._surface.live.hear(content)

    def _answer_click(self) -> None:
        """Tells the page that the kernel has heard a button of the search below."""
        if self._surface and self._surface.live:
            self._surface.live.problem = ""

    def _edge(self, button: str) -> Edge | None:
        """The edge beyond which a button of the search below goes, where the form has its values."""
        live = self._surface and self._surface.live
        edge = live.edge_of(button) if live else None
        return edge if edge and any(field.name == edge.name and field.text for field in self._filled) else None

    def _fill(self, name: str, change: Callable[[Field], Field]) -> None:
        self._filled = [change(field) if field.name == name else field for field in self._filled]
        self._changed()

    def _changed(self) -> None:
        """Holds the form against the rules; what only shows with the function and the data follows from a thread."""
        with self._lock:
            self._cost, self._wrong = "", None
            self._estimate = None if self._takes_hp else self._estimate
            try:
                self._estimator.ask(self.options())
                self._cost = ESTIMATING
            except UsageError as error:
                self._estimator.forget()
                self._wrong = error
            self._tell(**self._standing())

    def _estimated(self, found: Estimate | UsageError) -> None:
        if isinstance(found, UsageError):
            self._mistaken(found)
            return
        with self._lock:
            self._estimate, self._wrong = found, None
            self._cost = _cost(found.plan)
            if self._takes_hp:
                self._show_own_axes(found)
            self._tell(**self._standing())

    def _show_own_axes(self, found: Estimate) -> None:
        """A row for each hyperparameter that a KerasTuner function asks for, with the function's own values as a hint."""
        own = {axis.name: axis.values for axis in found.space.axes}
        known = [
            replace(field, hint=form.hint_of(own[field.name])) if field.name in own and not field.text else field
            for field in self._filled
        ]
        names = {field.name for field in known}
        filled = [*(form.parameter_field(name, own=values) for name, values in own.items() if name not in names), *known]
        if filled != self._filled:
            self._filled = filled
            self._tell(form=[asdict(field) for field in filled])

    def _mistaken(self, error: UsageError) -> None:
        with self._lock:
            self._cost, self._wrong = "", error
            self._tell(**self._standing())

    def _standing(self) -> dict[str, Any]:
        """What the page shows besides the fields."""
        errors = form.mistakes(self._filled, self._names.evaluate)
        mistake = str(self._wrong or "")
        is_too_large = self._wrong is not None and self._wrong.about == "sample" and not self.texts.get("sample")
        if self._wrong and self._wrong.about in {field.name for field in self._filled} and not is_too_large:
            errors.setdefault(self._wrong.about, mistake)
            mistake = ""
        return {
            "errors": errors,
            "wrong": {field.name: self._wrong_values(field) for field in self._filled if field.name in errors},
            "mistake": mistake,
            "size": self._size() if not errors else {},
            "cost": self._cost,
            "cell": self.cell,
            "starting": self._starting is not None,
            "offers": _OFFERS if is_too_large else {},
        }

    def _wrong_values(self, field: Field) -> list[str]:
        """Of a list of values those that are wrong by themselves."""
        try:
            values = split(field.text, ",".__eq__) if field.editor in ("tags", "choice") else []
        except UsageError:
            return []
        alone = ([replace(field, text=value)] for value in values)
        return [one[0].text for one in alone if form.mistakes(one, self._names.evaluate)]

    def _size(self) -> dict[str, Any]:
        plan = self._estimate.plan if self._estimate else None
        if self._takes_hp and plan is None:
            return {}
        axes = plan.axes if plan and self._takes_hp else {axis.name: len(axis.values) for axis in self.options().axes}
        each = plan.seconds / max(plan.trials, 1) if plan and plan.seconds else None
        steps = form.growth(axes, each)
        total = plan.trials if plan and not plan.is_product else steps[-1].total if steps else 1
        explodes = total > MANY or (each or 0.0) * total > LONG
        line = form.product_line(axes) if plan is None or plan.is_product else plan.arithmetic
        rows = [
            {"name": s.name, "values": s.values, "total": f"{s.total:,}", "time": duration(s.seconds) if s.seconds else ""}
            for s in steps
        ]
        unit = f"combination{'s' * (total != 1)}"
        options = self.options()
        folds = options.folds.count if options.folds else 1
        unit += f" × {folds} folds" * (folds > 1) + f" × {options.repeats} seeds" * (options.repeats > 1)
        if (runs := folds * options.repeats) > 1:
            unit += f" = {total * runs:,} fits"
        return {"line": line, "unit": unit, "names": list(axes), "growth": rows if explodes else []}

    def _tell(self, **parts: Any) -> None:
        """Sends what is new of these parts."""
        with self._lock:
            new = {name: part for name, part in parts.items() if name not in self._told or self._told[name] != part}
            self._told |= new
            if new and self._surface:
                self._surface.front.send(new)


def _cost(plan: Plan) -> str:
    workers = f"{plan.workers} worker{'s' * (plan.workers != 1)}" if plan.workers else "no worker"
    return f"at most about {duration(plan.seconds or 0)} with {workers}, {plan.peak_mb or 0:,.0f} MB of memory"


class SetupSurface(PanelSurface):
    """The place of a set-up panel: one search after the other shows below the form, in the same widget."""

    def __init__(self, front: Front, cell: str, place: type[Place] = Place) -> None:
        """`cell`: the `%%tune` cell for the same search, which lasts in the notebook; set anew when another one starts."""
        super().__init__(place)
        self.front, self.cell = front, cell
        self.live: LivePanel | None = None
        self._show(front, text_bundle(f"set up: {cell}"))

    def announce(self, text: str) -> None:
        self.front.send({"notice": text})

    def open(self, progress: Progress, controls: Controls) -> None:
        self._begin(progress, controls, self.front)
        self.live = self._panel
        if self.front.greetings:
            self.live.hear({"kind": "hello"})
        else:
            self.live.draw(machine.now())

    def close(self, now: float) -> None:
        self.rest(now)  # the form stays

    def _words(self, now: float) -> dict[str, str]:
        words = super()._words(now)
        code = f"<pre>{escape(self.cell)}</pre>"
        return {"text/html": words["text/html"] + code, "text/plain": f"{words['text/plain']}\n{self.cell}"}
