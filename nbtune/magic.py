"""`%%tune` and `%tune`: text in, one call, a `Search` out. The only file that knows IPython's shell."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import traitlets
from IPython.core.error import UsageError as ShellUsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.terminal.interactiveshell import TerminalInteractiveShell

from nbtune import completer
from nbtune.ask.help import help_text
from nbtune.ask.option import Option
from nbtune.ask.options import table
from nbtune.ask.parsing import DEFAULT_NAME, read, typed
from nbtune.errors import UsageError, did_you_mean
from nbtune.execution.local import warm

Method = TypeVar("Method", bound=Callable[..., Any])
UNDERSCORES = ("_", "__", "___")  # the last three outputs
FOR_FUNCTIONS = ("panel", "lr", "suggest")  # commands that take a function and options
VERBS = ("plan", "status", "pause", "resume", "stop", "retry", "show", "best", "clean", "panel", "lr", "suggest")


def _documented(text: str) -> Callable[[Method], Method]:
    """Gives a magic its help, and keeps IPython from turning `{expression}` and `$name` into text: here they are objects."""

    def decorate(method: Method) -> Method:
        method.__doc__ = text
        no_var_expand(method)
        return method

    return decorate


@magics_class
class TuneMagics(Magics):
    """The two magics; `NbTune` adds a configurable default for each option."""

    shell: InteractiveShell

    standby = traitlets.Bool(
        help="keep a worker process with TensorFlow in reserve, so that the next search starts at once; it holds about 500 MB. "
        "NBTUNE_STANDBY=0 in the environment turns it off for everybody"
    ).tag(config=True)

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.pool = warm.reserve()  # of workers, for the next search
        self._keep_standby()
        self._panels: dict[tuple[str, str], Any] = {}  # the last one of a search and its function

    @traitlets.default("standby")
    def _standby_wanted(self) -> bool:
        return warm.standby_wanted()

    @traitlets.observe("standby")
    def _standby_changed(self, change: Any) -> None:
        if hasattr(self, "pool"):  # settings of a profile come before it
            self._keep_standby()

    def _keep_standby(self) -> None:
        self.pool.keep(self.standby)
        threading.Thread(target=self.pool.refill, name="nbtune-warm-pool", daemon=True).start()

    @cell_magic("tune")  # type: ignore[arg-type]  # as IPython annotates it, it would take nothing
    @_documented(help_text())
    def cell(self, line: str, cell: str) -> Any:
        try:
            return self._tune(line, cell)
        except UsageError as error:
            raise ShellUsageError(str(error)) from None

    @line_magic("tune")  # type: ignore[arg-type]
    @_documented(
        f"%tune {'|'.join(VERBS)} [NAME]: says how a search stands, or steers it; NAME is `search` if left out.\n"
        "%tune panel FUNC --data X,Y: a form to set a search up, with its size and its cost.\n"
        "%tune lr FUNC --data X,Y: which learning rates are worth trying.\n"
        "%tune suggest FUNC --data X,Y: values to begin with, and why."
    )
    def line(self, line: str) -> Any:
        try:
            return self._tune(line, "") if line.lstrip().startswith("--") else self._command(line)
        except UsageError as error:
            raise ShellUsageError(str(error)) from None

    def _tune(self, line: str, cell: str) -> Any:
        from nbtune.launch import launch
        from nbtune.run.request import Request  # here, so that %load_ext stays quick
        from nbtune.views.frontend import clicks_work
        from nbtune.views.screen import Screen

        name, texts = read(line)
        function = texts.get("build") or _last_function(cell)
        if function == name:
            raise UsageError(f"{name} is the function already; give the search another name")
        self._check_free(name)
        self._run_body(cell)
        texts["build"] = function
        options = typed(texts, self._evaluate, self._defaults())
        request = Request.of(options)
        self._stop_earlier(name)
        waits = options.wait or (options.wait is None and not clicks_work(self.shell))
        search = launch(request, name, self.pool, partial(self._keep, name), Screen(waits=waits))
        if waits and not options.plan:
            search.wait()
        return search

    def _command(self, line: str) -> Any:
        from nbtune.views.frontend import in_terminal  # here, so that %load_ext stays quick

        verb, *rest = line.split() or ["status"]
        if verb not in VERBS and any(word.startswith("--") for word in rest):
            raise UsageError(f"{verb!r} is no command; to tune a function write %tune --build {verb} --data x,y …")
        if verb not in VERBS:
            raise UsageError(f"unknown command {verb!r}{did_you_mean(verb, VERBS)}; %tune takes {', '.join(VERBS)}")
        if verb not in FOR_FUNCTIONS and len(rest) > (verb != "clean"):
            raise UsageError(f"{rest[-1]!r} is one word too many; write %tune {verb}{' NAME' * (verb != 'clean')}")
        if verb == "clean":
            return self._clean()
        if verb == "panel":
            return self._panel(line.partition("panel")[2])
        if verb == "suggest":
            return self._suggest(line.partition("suggest")[2])
        if verb == "lr":
            return self._range_test(line.partition("lr")[2])
        search = self._search(rest[0] if rest else DEFAULT_NAME)
        match verb:
            case "plan":
                return search.plan
            case "show":
                search.show()
            case "best":
                print(search.best)
            case "pause" | "resume" | "stop" | "retry":
                getattr(search, verb)()
                if verb in ("resume", "retry") and in_terminal():  # the prompt would be written over
                    search.wait()
        if verb in ("status", "pause", "resume", "stop", "retry"):
            print(search)
        return None

    def _panel(self, line: str) -> Any:
        """`%tune panel FUNC --data X,Y`: a form, with what was filled in before if there was one."""
        from nbtune.panel.setup import InNotebook, Panel

        first, texts = read(line)
        build, data = texts.pop("build", first), texts.pop("data", None)
        name = first if build != first else DEFAULT_NAME
        if not line.strip() or data is None:
            raise UsageError("write %tune panel build --data x,y, with the names of your function and of your data")
        self._check_free(name)
        names = InNotebook(
            build,
            data,
            name,
            evaluate=self._evaluate,
            begin=lambda: self._stop_earlier(name),
            keep=partial(self._keep, name),
            pool=self.pool,
        )
        earlier = self._panels.get((name, build))
        typed = texts or (earlier.texts if earlier else None)
        panel = Panel(self._evaluate(build), self._evaluate(data), names, self._defaults(), typed)
        self._panels[name, build] = panel
        return panel

    def _suggest(self, line: str) -> Any:
        """`%tune suggest FUNC --data X,Y`: values to begin with."""
        from nbtune.run.suggesting import suggest

        build, texts = read(line)
        if not line.strip() or "data" not in texts:
            raise UsageError("write %tune suggest build --data x,y, with the names of your function and of your data")
        return suggest(self._evaluate(texts.get("build", build)), self._evaluate(texts["data"]))

    def _range_test(self, line: str) -> Any:
        """`%tune lr FUNC --data X,Y`: which learning rates are worth trying; --learning-rate says between which to look."""
        from nbtune import range_test

        first, texts = read(line)
        texts = {"build": first, "learning_rate": f"log:{range_test.LOW}:{range_test.HIGH:g}:{range_test.POINTS}", **texts}
        if not line.strip() or "data" not in texts:
            raise UsageError("write %tune lr build --data x,y, with the names of your function and of your data")
        options = typed(texts, self._evaluate, {**self._defaults(), **range_test.TERMS})
        return range_test.run(options, range_test.NAME, self.pool)

    def _clean(self) -> None:
        """Removes projects that a later run of the same name has replaced."""
        from nbtune.record.project import clean

        cleaned = clean(Path(self._defaults()["dir"]))
        for path, size in cleaned.removed:
            print(f"removed {path}, {size:.1f} MB")
        for path, reason in cleaned.left:
            print(f"could not remove {path}: {reason}")
        if not cleaned.removed and not cleaned.left:
            print("nothing to clean: no search has been replaced by a later one of its name")

    def _search(self, name: str) -> Any:
        from nbtune.search import Search

        found = self.shell.user_ns.get(name)
        if not isinstance(found, Search):
            raise UsageError(f"there is no search {name!r}{did_you_mean(name, self._searches())}; %%tune makes one")
        return found

    def _searches(self) -> list[str]:
        return [name for name, thing in self.shell.user_ns.items() if type(thing).__name__ == "Search"]

    def _check_free(self, name: str) -> None:
        """A search takes the place of an earlier one, and of nothing else."""
        held = self.shell.user_ns.get(name)
        if held is not None and name not in self._searches():
            kind = type(held).__name__
            raise UsageError(f"{name} holds a {kind}, which would be lost; give the search another name: %%tune my_search …")

    def _stop_earlier(self, name: str) -> None:
        if name in self._searches() and self._search(name).state in ("running", "paused"):
            earlier = self._search(name)
            earlier.stop()
            print(f"The earlier search {name!r} was stopped: {earlier.coverage}. It is kept in {earlier.directory}.")

    def _keep(self, name: str, search: Any) -> None:
        """Gives a search its name; the one that had it leaves `Out` and `_`, which would keep its data for ever."""
        earlier = self.shell.user_ns.get(name)
        self.shell.user_ns[name] = search
        if earlier is None:
            return
        outputs, last = self.shell.user_ns.get("_oh", {}), self.shell.displayhook
        for number in [number for number, thing in outputs.items() if thing is earlier]:
            del outputs[number]
        for names in (self.shell.user_ns, self.shell.user_ns_hidden):  # IPython keeps its underscores in both
            for label in [label for label, thing in names.items() if thing is earlier and re.fullmatch(r"_\d+", label)]:
                del names[label]
            names.update({label: "" for label in UNDERSCORES if names.get(label) is earlier})
        for label in UNDERSCORES:
            if getattr(last, label, None) is earlier:
                setattr(last, label, "")

    def _run_body(self, cell: str) -> None:
        if cell.strip() and not self.shell.run_cell(cell, store_history=False).success:
            raise UsageError("the cell raised an error, so nothing was tuned")

    def _evaluate(self, text: str) -> Any:
        try:
            return eval(text, self.shell.user_ns)
        except NameError as error:
            hint = did_you_mean(error.name or "", self.shell.user_ns) or "; run the cell that defines it first"
            raise UsageError(f"{error.name!r} is not defined{hint}") from None
        except SyntaxError:
            raise UsageError(f"{text!r} is no Python expression") from None
        except Exception as error:
            raise UsageError(f"{text} raised {type(error).__name__}: {error}") from None

    def _defaults(self) -> dict[str, Any]:
        """The value of each option that a line leaves out."""
        return {name: getattr(self, name) for name, option in table().items() if option.configurable}


class _Default(traitlets.TraitType[Any, Any]):
    """The default of an option, checked when it is set."""

    def __init__(self, option: Option) -> None:
        super().__init__(option.default, allow_none=True, help=option.help)
        self._option = option
        self.tag(config=True)

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            self._option.check(self._option.name, value)
        except UsageError as error:
            raise traitlets.TraitError(str(error)) from None
        return value


def _traits() -> dict[str, Any]:
    return {name: _Default(option) for name, option in table().items() if option.configurable}


# `%config NbTune.epochs = 50` sets a default for every later %%tune.
NbTune = type("NbTune", (TuneMagics,), _traits())


def _last_function(cell: str) -> str:
    if not cell.strip():
        raise UsageError("the cell is empty; define a function that builds a model in it, or name one with --build")
    try:
        tree = ast.parse(InteractiveShell.instance().transform_cell(cell))
    except SyntaxError:
        return ""  # running the cell will show where
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not names:
        raise UsageError("the cell defines no function; define one that builds a model, or name one with --build")
    return names[-1]


def _with_a_body(lines: list[str]) -> list[str]:
    """A `%%tune` cell may consist of its first line alone, which IPython refuses for cell magics."""
    if len(lines) == 1 and lines[0].split()[:1] == ["%%tune"] and not lines[0].rstrip().endswith("?"):
        return [lines[0].rstrip("\n") + "\n", "\n"]
    return lines


def _with_a_body_if_named(lines: list[str]) -> list[str]:
    """In a terminal more lines may follow the first one, unless the function has been named."""
    return _with_a_body(lines) if " --build" in lines[0] else lines


def register(shell: InteractiveShell) -> None:
    """Adds the magics, their completion, and `%%tune` cells without a body to a shell; the first workers get ready."""
    shell.register_magics(NbTune(shell=shell))
    completer.install(shell, VERBS)
    transform = _with_a_body_if_named if isinstance(shell, TerminalInteractiveShell) else _with_a_body
    if transform not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(transform)


def unregister(shell: InteractiveShell) -> None:
    """Takes back what `register` added, and ends the worker in reserve. Searches that run go on."""
    magics = shell.magics_manager.registry.pop("NbTune", None)
    if magics is None:
        return
    magics.pool.keep(False)
    for kind in ("cell", "line"):
        shell.magics_manager.magics[kind].pop("tune", None)
    shell.configurables[:] = [each for each in shell.configurables if each is not magics]
    completer.remove(shell)
    for transform in (_with_a_body, _with_a_body_if_named):
        if transform in shell.input_transformers_cleanup:
            shell.input_transformers_cleanup.remove(transform)
