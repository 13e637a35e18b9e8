"""A combination written out as a page of plain Python that trains it as the search did."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from nbtune.ask import initializers, optimizers, schedules
from nbtune.ask.calls import RATE
from nbtune.ask.function import Function
from nbtune.ask.labels import AS_GIVEN, MULTI_LABEL, TO_ONE_HOT, Labels
from nbtune.ask.names import canonical
from nbtune.ask.options import Options
from nbtune.ask.space import Value
from nbtune.data.arrays import folds_of
from nbtune.data.rows import Data
from nbtune.record.job import Job
from nbtune.report.script_around import Around
from nbtune.report.script_data import CALLBACKS, FOLD, SCORES, data_lines, fit, fold_lines, splitter
from nbtune.report.script_keras import backend_lines, settings_lines

_INITIALISE = """\
for weight in model.weights:
    if weight.name in ("kernel", "depthwise_kernel", "pointwise_kernel"):
        initializer = {init}
        weight.assign(initializer(weight.shape, dtype=weight.dtype))"""


class Code(str):
    """Python as text. Notebooks show it as code, a terminal line by line."""

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}\n```"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def script(options: Options, data: Data, job: Job, values: Mapping[str, Value]) -> Code:
    """Python that builds, compiles and fits one combination on the same rows in the same order."""
    loss = canonical(str(values.get("loss", job.look.loss or _usual_loss(job))))
    change = _encoding(job, values, loss)
    if change == TO_ONE_HOT and "sparse" in loss:  # the metric needs it
        loss = loss.removeprefix("sparse_")
    schedule = _schedule(job, values, data.training_rows) if data.folds is None else _in_folds(options, data, job, values)
    split = "train_test_split" if data.validation is None and data.split > 0 and data.shuffle and not data.stream else ""
    around = _around(job, values)
    start = [
        backend_lines(),
        _imports(job.function, around, splitter(options, data, job).partition("(")[0] if data.folds else split),
        settings_lines(job.surroundings),
        _one_cycle(schedule),
        around.text,
    ]
    lines, encode = data_lines(options, data, job), _encode(data, job, loss, change)
    model, end = _model(job, around.function, values, loss, schedule), fit(data, job, values, around.function)
    if data.folds is None:
        parts = [*start, "\n".join([*lines, *encode]), model, end]
    else:
        rows = "\n".join([*fold_lines(data), *encode])
        parts = [*start, "\n".join(lines), FOLD + textwrap.indent("\n\n".join([rows, model, end]), "    "), SCORES]
    return Code("\n\n".join(part for part in parts if part) + "\n")


def _around(job: Job, values: Mapping[str, Value]) -> Around:
    """The function, and what else the combination takes from the notebook."""
    around = Around(job.function)
    around.register(job.surroundings.custom_objects)
    for axis, value in values.items():
        if str(value) in job.objects.get(axis, {}):
            around.use(str(value), job.objects[axis][str(value)])
    if job.callbacks is not None:
        around.use(CALLBACKS, job.callbacks)
    return around


def _in_folds(options: Options, data: Data, job: Job, values: Mapping[str, Value]) -> list[str]:
    """As `_schedule`, whose steps are those of each fold."""
    rows = [len(fold.train) for fold in folds_of(data, job.targets, options.seed)]
    each = [_schedule(job, values, count) for count in rows]
    if all(lines == each[0] for lines in each):
        return each[0]
    made = ", ".join(lines[-1].partition("from_config(")[2].removesuffix(")") for lines in each)
    return [*each[0][:-1], f"optimizer = type(optimizer).from_config([{made}][fold])"]


def _imports(function: Function, around: Around, split: str) -> str:
    """`split`: the name of what splits the rows; "" where they are not split."""
    lines = {"import keras", "import numpy as np", *around.imports}
    if function.takes_hp:
        lines.add("import keras_tuner")
    if split:
        lines.add(f"from sklearn.model_selection import {split}")
    return "\n".join(sorted(lines, key=lambda line: (line.startswith("from"), line)))


def _usual_loss(job: Job) -> str:
    """The loss that nbtune compiles an uncompiled model with; with several outputs, which have one each, none."""
    labels = job.targets.single
    return labels.default_loss(job.look.units) if labels else ""


def _encoding(job: Job, values: Mapping[str, Value], loss: str) -> str:
    """What the labels need to have done to them for a loss or a metric that nbtune chose."""
    labels, units = job.targets.single, job.look.units
    if labels is None:
        return AS_GIVEN
    chosen = [loss] if job.look.loss is None or ("loss" in values and "loss" in job.applied) else []
    chosen += [job.objective.metric] if _adds_objective(job) else []
    return next((found for name in chosen if (found := labels.encoding(name, units))), AS_GIVEN)


def _encode(data: Data, job: Job, loss: str, change: str) -> list[str]:
    """Lines that turn the labels into what the loss and the metric take."""
    if change == AS_GIVEN:
        return []
    text = f"keras.utils.to_categorical({{}}, {job.look.units})" if change == TO_ONE_HOT else "{}.argmax(axis=1)"
    names = ["y", "y_val"] if data.validated else ["y"]
    return [f"# {loss} takes labels so", *(f"{name} = {text.format(name)}" for name in names)]


def _model(job: Job, build: str, values: Mapping[str, Value], loss: str, schedule: Sequence[str]) -> str:
    lines = [f"keras.utils.set_random_seed({job.seed})"]
    if job.function.takes_hp:
        lines += ["hp = keras_tuner.HyperParameters()", f"hp.values = {dict(values)!r}", f"model = {build}(hp)"]
    else:
        taken = job.function.arguments(dict(values))
        arguments = [f"{name}={_literal(job, name, value)}" for name, value in taken.items()]
        lines.append(f"model = {build}({', '.join(arguments)})")
    if "init" in values:
        if not job.look.built:
            shapes = "keras.tree.map_structure(lambda part: keras.KerasTensor((None, *part.shape[1:]), part.dtype.name), x)"
            lines.append(f"model({shapes})  # makes its weights")
        lines += _INITIALISE.format(init=_initializer(job, values["init"])).splitlines()
    compiling = _recompile(job, build, values, schedule) if job.look.loss else _compile(job, values, loss, schedule)
    return "\n".join([*lines, *compiling])


def _initializer(job: Job, value: Value) -> str:
    if ":" in str(value) and value not in job.objects.get("init", {}):
        return str(initializers.call(str(value)))
    return f"keras.initializers.get({_literal(job, 'init', value)})"


def _optimizer(job: Job, value: Value) -> str:
    known = optimizers.WITH_SETTINGS.get(str(value)) if str(value) not in job.objects.get("optimizer", {}) else None
    return str(known) if known else f"keras.optimizers.get({_literal(job, 'optimizer', value)})"


def _schedule(job: Job, values: Mapping[str, Value], rows: int) -> list[str]:
    """Lines that put `optimizer` under the schedule of the combination; none where there is no such."""
    if "schedule" not in job.applied or "schedule" not in values:
        return []
    kind = str(values["schedule"])
    if kind in job.objects.get("schedule", {}):
        made, rate = kind, []
    else:
        steps = (job.stream and job.stream.steps) or math.ceil(rows / int(values.get("batch_size", job.batch_size)))
        described = schedules.call(kind, job.epochs, steps)
        made, rate = str(described or ""), [f"{RATE} = float(optimizer.learning_rate.numpy())"]
        if "learning_rate" in values:
            rate = [f"{RATE} = {values['learning_rate']!r}"]
    if not made:
        return []
    return [*rate, f"optimizer.learning_rate = {made}"]


def _one_cycle(schedule: Sequence[str]) -> str:
    """The class that Keras does not have, where a schedule is of it."""
    if not any(f"{schedules.OUR_OWN}(" in line for line in schedule):
        return ""
    text = files("nbtune.training").joinpath("onecycle.py").read_text("utf-8")
    return text[text.index("@keras") :].replace("  # type: ignore[no-untyped-def]", "").strip()


def _compile(job: Job, values: Mapping[str, Value], loss: str, schedule: Sequence[str]) -> list[str]:
    lines = [f"optimizer = {_optimizer(job, values.get('optimizer', 'adam'))}"]
    if "learning_rate" in values:
        lines.append(f"optimizer.learning_rate = {values['learning_rate']!r}")
    lines += schedule
    if len(job.targets.outputs) > 1:
        return [*lines, *_compile_several(job)]
    shown = _literal(job, "loss", values["loss"]) if job.objects.get("loss") else repr(loss)
    metric = _metric(job.objective.metric, job.look.units, job.targets.single)
    metrics = "" if job.objective.metric == "loss" else f", metrics=[{metric}]"
    return [*lines, f"model.compile(optimizer, {shown}{metrics})"]


def _compile_several(job: Job) -> list[str]:
    """The usual loss and metric of each output, and the objective's."""
    known = [(o, each) for o, each in zip(job.targets.outputs, job.targets.labels, strict=True) if each]
    losses = [repr(each.default_loss(output.units)) for output, each in known]
    metrics = []
    for output, each in known:
        more = output.own(job.objective.metric)
        names = dict.fromkeys([each.metric, *([more] if more not in ("", "loss") else [])])
        metrics.append(f"[{', '.join(_metric(name, output.units, each) for name in names)}]")
    own = [f"{output.name!r}: " if job.look.structure == "dict" else "" for output, _ in known]
    ends = "{}" if job.look.structure == "dict" else "[]"
    both = [", ".join(map("".join, zip(own, parts, strict=True))).join(ends) for parts in (losses, metrics)]
    return [f"model.compile(optimizer, {both[0]}, metrics={both[1]})"]


def _metric(name: str, units: int, labels: Labels | None) -> str:
    """A metric as nbtune compiles it."""
    if name != "f1_score":
        return repr(name)
    threshold = ", threshold=0.5" if units == 1 or (labels and labels.form == MULTI_LABEL) else ""
    return f"keras.metrics.F1Score(average='macro'{threshold})"


def _adds_objective(job: Job) -> bool:
    """Whether the function's compiled model does not log the objective of itself."""
    return job.objective.metric not in {"loss", *job.look.metrics, *(job.look.logs or ())}


def _with_objective(job: Job) -> tuple[list[str], str]:
    """Lines to come before, and the metrics with the objective's."""
    metric = job.objective.metric
    if len(job.targets.outputs) == 1:
        own = "*(compiled['metrics'] or []), " if job.look.metrics else ""
        return [], f"[{own}{_metric(metric, job.look.units, job.targets.single)}]"
    lines = [
        "metrics = compiled['metrics'] or {}",
        "metrics = metrics if isinstance(metrics, dict) else dict(zip(model.output_names, metrics))",
    ]
    of = next((i for i, output in enumerate(job.targets.outputs) if output.own(metric)), 0)
    output = job.targets.outputs[of]
    added = _metric(output.own(metric), output.units, job.targets.labels[of])
    return lines, f"{{**metrics, {output.name!r}: [*keras.tree.flatten(metrics.get({output.name!r}) or []), {added}]}}"


def _recompile(job: Job, build: str, values: Mapping[str, Value], schedule: Sequence[str]) -> list[str]:
    """What the axes replace in a model that the function has compiled."""
    applied = {name: value for name, value in values.items() if name in job.applied}
    changes, lines = [], []
    if "optimizer" in applied:
        lines.append(f"optimizer = {_optimizer(job, applied['optimizer'])}")
        changes.append("'optimizer': optimizer")
    elif "learning_rate" in applied or schedule:
        lines.append("optimizer = model.optimizer")
    if "learning_rate" in applied:
        lines.append(f"optimizer.learning_rate = {applied['learning_rate']!r}")
    lines += schedule
    if "loss" in applied:
        changes.append(f"'loss': {_literal(job, 'loss', applied['loss'])}")
    before: list[str] = []
    if _adds_objective(job):
        before, metrics = _with_objective(job)
        changes.append(f"'metrics': {metrics}")
    if not changes:
        return lines
    if "optimizer" not in applied:
        changes.insert(0, "'optimizer': model.optimizer")
    own = f"own = {{name: thing for name, thing in globals().items() if thing is not {build}}}"  # a Keras name, maybe
    config = "config = {name: part for name, part in model.get_compile_config().items() if name not in ('optimizer', 'loss')}"
    compiled = "compiled = {**keras.saving.deserialize_keras_object(config, custom_objects=own), 'loss': model.loss}"
    return [*lines, own, config, compiled, *before, f"model.compile(**{{**compiled, {', '.join(changes)}}})"]


def _literal(job: Job, axis: str, value: Value) -> str:
    """A value as Python; a thing that the user passed goes by its name."""
    return str(value) if value in job.objects.get(axis, {}) else repr(value)
