"""`--where`: which combinations to train, as an expression over the axes. Nothing but arithmetic and comparisons is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbtune.ask.space import Axis
from nbtune.errors import UsageError, did_you_mean

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"abs": abs, "max": max, "min": min, "round": round}
_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.IfExp),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
    *(ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Call),
)


@dataclass(frozen=True)
class Where:
    """An expression over the axes, true for the combinations that are to be trained.

    Attributes:
        text: as it was typed.
        names: the axes that it speaks of, each once.
        function: from their values, in the order of `names`, to what the expression comes to.
    """

    text: str
    names: tuple[str, ...] = field(compare=False)
    function: Callable[..., Any] = field(compare=False, repr=False)

    @classmethod
    def of(cls, text: str) -> Where:
        """Raises UsageError for what is no such expression; nothing is evaluated."""
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            hint = "; compare with ==" if "=" in text and "==" not in text else ""
            raise UsageError(f'where: {text!r} is not an expression{hint}; write --where "layers * units <= 128"') from None
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if not isinstance(node, _ALLOWED) or (id(node) in called and getattr(node, "id", "") not in _FUNCTIONS):
                raise UsageError(
                    f"where: {ast.unparse(node)!r} is not allowed; it takes the names of axes, numbers, text, comparisons, "
                    f"and, or, not, in, + - * / // %, {', '.join(_FUNCTIONS)}"
                )
        found = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called)
        names = tuple(dict.fromkeys(found))
        arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        function = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, tree.body)))
        return cls(text, names, eval(compile(function, "<where>", "eval"), {"__builtins__": {}, **_FUNCTIONS}))

    def check(self, axes: Sequence[Axis]) -> None:
        """Raises UsageError where it speaks of something that is no axis."""
        known = [axis.name for axis in axes]
        for name in self.names:
            if name in known:
                continue
            for axis in axes:
                if name in axis.values:
                    raise UsageError(f"where: put text in quotes, and others around all: --where \"{axis.name} == '{name}'\"")
            hint = did_you_mean(name, known) or f"; the axes are {', '.join(known)}"
            raise UsageError(f"where: {name!r} is not an axis{hint}")

    def holds(self, *values: Any) -> bool:
        """Whether a combination with these values, in the order of `names`, is to be trained.

        Raises:
            UsageError: the expression has no value for them, such as a division by 0.
        """
        try:
            return bool(self.function(*values))
        except Exception as error:  # whatever arithmetic on such values raises
            shown = ", ".join(f"{name} {value!r}" for name, value in zip(self.names, values, strict=True))
            raise UsageError(f"where: {self.text!r} has no value for {shown}: {error}") from None
