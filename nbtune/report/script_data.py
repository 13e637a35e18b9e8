"""Of a page of Python that trains a combination, the lines that make its data and those that fit."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nbtune.ask import schedules
from nbtune.ask.labels import CLASSES, MULTI_LABEL, ONE_HOT
from nbtune.ask.options import Options
from nbtune.ask.space import Value
from nbtune.data.folds import splitter_in_python
from nbtune.data.rows import Data, Rows
from nbtune.data.streams import is_factory
from nbtune.data.tree import leaves
from nbtune.record.job import Job

CALLBACKS = "callbacks"  # what a script calls the function that makes them
FOLD = "for fold, (train, val) in enumerate(splits):\n"
SCORES = "print('mean and standard deviation over the folds:', np.mean(scores), np.std(scores, ddof=1))"

_TEXT = """\
text = lambda part: keras.ops.convert_to_tensor(part.astype(str), "string") if part.dtype.kind in "OSU" else part"""


_STRATA = {
    CLASSES: "{y}",
    ONE_HOT: "{y}.argmax(axis=1)",
    MULTI_LABEL: "np.where({y}.any(axis=1), ({y} / np.maximum({y}.sum(axis=0), 1)).argmax(axis=1), -1)",
}


def data_lines(options: Options, data: Data, job: Job) -> list[str]:
    """Lines that make `x` and `y`, where there are some `sample_weight`, and the same with `_val`, or `dataset`."""
    lines = ["# the data as the search had it: the same rows to train and to validate on"]
    if data.folds is not None and job.look.adapted:
        lines.append("# the search adapted its layers anew in each fold: in the loop, call adapt(x) of those around the function")
    names = _names(data.parts[0])
    if data.stream:
        lines += _dataset("dataset", options.texts.get("data", ""), options.data)
    else:
        lines += _load(names, options.texts.get("data", ""), options.data, data.parts[0])
    if data.stream and data.stream.validation:
        lines += _dataset("dataset_val", options.texts.get("validation_data", ""), options.validation_data)
    elif data.validation is not None:
        held_out = [f"{name}_val" for name in _names(data.validation)]
        lines += _load(held_out, options.texts.get("validation_data", ""), options.validation_data, data.validation)
    if data.class_names is not None:
        lines.append(f"classes = {list(data.class_names)!r}")
        is_sorted = list(data.class_names) == sorted(data.class_names)
        number = "np.searchsorted(classes, {y})" if is_sorted else "np.array([classes.index(label) for label in {y}])"
        lines += [f"{y} = {number.format(y=y)}" for y in ("y", "y_val")[: 1 + (data.validation is not None)]]
    if data.validation is None and data.split > 0 and not data.stream:
        lines += _split(options, data, job, names)
    if data.folds is not None:
        groups = ", groups" if data.groups is not None else ""
        lines += [f"groups = np.asarray({options.texts.get('groups', 'groups')}).reshape(-1)"] if groups else []
        lines.append(f"folds = {splitter(options, data, job)}")
        lines.append(f"splits = folds.split(np.arange({_count(data)}), {_strata(job)}{groups})")
        return [*lines, "all_rows = " + f"{', '.join(names)}{',' * (len(names) == 1)}", "scores = []"]
    return [*lines, *_text_lines(data)]


def splitter(options: Options, data: Data, job: Job) -> str:
    """The splitter that chose the folds, as Python."""
    return splitter_in_python(data, _strata(job) != "None", options.seed)


def fold_lines(data: Data) -> list[str]:
    """Lines that make of `all_rows` those of a fold, under the names of `data_lines`."""
    names = _names(data.parts[0])
    lines = []
    for end, rows in (("", "train"), ("_val", "val")):
        left = ", ".join(name + end for name in names) + "," * (len(names) == 1)
        lines.append(f"{left} = keras.tree.map_structure(lambda part: part[{rows}], all_rows)")
    return [*lines, *_text_lines(data)]


def _count(data: Data) -> str:
    return "len(x)" if isinstance(data.x, np.ndarray) else "len(keras.tree.flatten(x)[0])"


def _text_lines(data: Data) -> list[str]:
    """Lines that make features that are text what `fit` takes."""
    lines = []
    if any(leaf.dtype.kind == "S" for leaf in leaves(data.x)):
        parts = "x, x_val" if data.validated else "x"
        each = f"({parts})" if data.validated else "(x,)"
        lines += [_TEXT, f"{parts}{'' if data.validated else ','} = (keras.tree.map_structure(text, part) for part in {each})"]
    return lines


def _names(rows: Rows) -> list[str]:
    return [name for name, part in zip(("x", "y", "sample_weight"), rows, strict=True) if part is not None]


def _split(options: Options, data: Data, job: Job, names: Sequence[str]) -> list[str]:
    take = "{0}, {0}_val = (keras.tree.map_structure(lambda part: part[rows], {0}) for rows in (train, val))"
    plain = "{0}, {0}_val = {0}[train], {0}[val]"
    parts = dict(zip(("x", "y", "sample_weight"), data.parts[0], strict=True))
    if not data.shuffle:
        kept, rows = math.floor(data.rows * (1 - data.split)), "slice(None, {0}), slice({0}, None)"
        lines = [f"train, val = {rows.format(kept)}"]
        return [*lines, *((plain if isinstance(parts[name], np.ndarray) else take).format(name) for name in names)]
    return [
        "train, val = train_test_split(",
        f"    np.arange({_count(data)}), test_size={data.split}, random_state={options.seed}, stratify={_strata(job)}",
        ")",
        *((plain if isinstance(parts[name], np.ndarray) else take).format(name) for name in names),
    ]


def _strata(job: Job) -> str:
    """As `Targets.strata`: of the first output whose rows have a class."""
    several = len(job.targets.outputs) > 1
    for i, (output, labels) in enumerate(zip(job.targets.outputs, job.targets.labels, strict=True)):
        y = "y" if not several else f"y[{output.name!r}]" if job.look.structure == "dict" else f"y[{i}]"
        if labels is not None and not labels.spread and labels.form in _STRATA:
            return _STRATA[labels.form].format(y=y)
    return "None"


def _dataset(name: str, text: str, given: Any) -> list[str]:
    made = f"{text or name}{'()' if is_factory(given) else ''}"
    return [] if made == name else [f"{name} = {made}"]


def _load(names: Sequence[str], text: str, given: Any, rows: Rows) -> list[str]:
    """Lines that make arrays with these names, features first, of what was given, whose text it is if that is known."""
    left = ", ".join(names)
    if not isinstance(given, (tuple, list)) and len(names) > 1:
        return [
            f"batches = list({text or names[0].replace('x', 'dataset')}{'()' if is_factory(given) else ''})",
            *(f"{name} = np.concatenate([np.asarray(batch[{i}]) for batch in batches])" for i, name in enumerate(names)),
        ]
    several = isinstance(given, (tuple, list))
    taken = [] if text.replace(" ", "") in ("", ",".join(names)) else [f"{left} = {text}"]
    parts = [_array(name, given[i] if several else given, part) for i, (name, part) in enumerate(zip(names, rows, strict=False))]
    return [*taken, f"{left} = {', '.join(parts)}"]


def _array(name: str, given: Any, read: Any) -> str:
    """An expression that makes of what was given what the search read."""
    if hasattr(given, "toarray"):
        return f"{name}.toarray()"
    if isinstance(read, Mapping) and hasattr(given, "columns"):
        return f"{{column: np.asarray({name}[column]) for column in {name}}}"
    if name.startswith("sample_weight") and getattr(given, "ndim", 1) > np.ndim(read) == 1:  # a column
        return f"np.asarray({name}).reshape(-1)"
    if name.startswith("x") or not isinstance(read, np.ndarray):
        return f"keras.tree.map_structure(np.asarray, {name})"
    return f"np.asarray({name})"


def fit(data: Data, job: Job, values: Mapping[str, Value], build: str) -> str:
    """The call of `fit`, and what came of it; `build`: how the function is called, of a `HyperModel` that may have one too."""
    patience = job.epochs if job.patience is None else job.patience
    lowers = "schedule" in job.applied and values.get("schedule") == schedules.PLATEAU
    given = repr(dict(values)) if job.callbacks is not None and inspect.signature(job.callbacks).parameters else ""
    call = "model.fit(" if job.function.fit is None else f"{build.removesuffix('.build')}.fit(\n    hp,\n    model,"
    lines = [
        *_class_weights(data, job, values),
        f"keras.utils.set_random_seed({job.seed})",
        f"history = {call}",
        *_rows(data, job, values),
        *_weights(data, job, values),
        *_validation(data, job),
        "    callbacks=[",
        *([f"        *keras.tree.flatten({CALLBACKS}({given})),"] if job.callbacks is not None else []),
        "        keras.callbacks.TerminateOnNaN(),",
        *([f"        {schedules.plateau(job.objective.name, job.objective.direction, job.patience)},"] if lowers else []),
        "        keras.callbacks.EarlyStopping(",
        f"            monitor={job.objective.name!r}, mode={job.objective.direction!r}, patience={patience},",
        f"            min_delta={job.min_delta!r}, restore_best_weights=True,",
        "        ),",
        "    ],",
        "    verbose=2,",
        ").history" if job.function.fit is None else ")",
    ]
    if job.function.fit is not None:  # whatever it returns
        return "\n".join([*lines, "print(getattr(history, 'history', history))"])
    best = "max" if job.objective.direction == "max" else "min"
    found = f"{best}(history[{job.objective.name!r}])"
    if data.folds is not None:
        lines.append(f"scores.append({found})")
        found = "scores[-1]"
    return "\n".join([*lines, f"print('best {job.objective.name}:', {found})"])


def _rows(data: Data, job: Job, values: Mapping[str, Value]) -> list[str]:
    if data.stream:
        steps = [f"    steps_per_epoch={data.stream.steps},"] if data.stream.steps else []
        return ["    dataset,", f"    epochs={job.epochs},", *steps]
    return [
        "    x,",
        *(["    y,"] if data.y is not None else []),
        *([f"    batch_size={values.get('batch_size', job.batch_size)},"] if job.gives_batch_size(values) else []),
        f"    epochs={job.epochs},",
        *([] if job.shuffle else ["    shuffle=False,"]),
    ]


def _class_weights(data: Data, job: Job, values: Mapping[str, Value]) -> list[str]:
    """Lines that make weights of rows out of those of their classes."""
    given = job.resolved(values).get("class_weight", "none") if "class_weight" in job.applied else "none"
    if given == "none" or data.stream:
        return []
    is_one_hot = job.targets.single is not None and job.targets.single.form == ONE_HOT
    balanced = "{k: len(of) / len(set(of)) / of.count(k) for k in set(of)}"
    return [
        f"of = {'y.argmax(axis=1)' if is_one_hot else 'y.reshape(-1)'}.tolist()",
        f"class_weight = {balanced if given == 'balanced' else repr(given)}",
        "weights = np.array([class_weight.get(k, 1.0) for k in of], 'float32')",
        f"sample_weight = {'sample_weight * ' * (data.sample_weight is not None)}weights",
    ]


def _weights(data: Data, job: Job, values: Mapping[str, Value]) -> list[str]:
    if data.stream:
        given = job.resolved(values).get("class_weight", "none")
        return [] if given == "none" else [f"    class_weight={given!r},"]
    is_weighted = data.sample_weight is not None or _class_weights(data, job, values)
    return ["    sample_weight=sample_weight,"] if is_weighted else []


def _validation(data: Data, job: Job) -> list[str]:
    if not data.validated:
        return []
    every = job.objective.every
    seldom = [] if every == 1 else [f"    validation_freq={every if isinstance(every, int) else list(every)},"]
    if data.stream and data.stream.validation:
        return ["    validation_data=dataset_val,", *seldom]
    held_out = data.validation if data.validation is not None else data.parts[0]
    size = job.validation_batch_size or (data.batch_size if data.stream else None)
    shown = [f"    validation_batch_size={size},"] if size else []
    shown += seldom
    return [f"    validation_data=({', '.join(f'{name}_val' for name in _names(held_out))}{',' * (held_out.y is None)}),", *shown]
