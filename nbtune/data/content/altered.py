"""What code names in libraries that is not what their own texts put there: `np.mean = np.median`, a class's `supports_masking`.

A text is only read where a thing does not go by the name under which it stands, so that ordinary code costs next to nothing.
What a text computes cannot be told from what was set later, and passes.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

from nbtune.data.content.code import NOT_OWN, cell_contents, codes_within
from nbtune.data.content.graph import ATOMS, Node
from nbtune.data.content.live import Live, is_there, value
from nbtune.data.content.planted import MOCKS, bare
from nbtune.data.content.texts import Text, text_of

_PLAIN = (*ATOMS, list, dict, set, tuple, frozenset)
_FILLED = (list, dict, set)  # by and by, in the library itself
_METHODS = (types.MethodType, types.BuiltinMethodType)
_MOST_STEPS = 20  # from one module to the next, before a name is given up


def altered(things: Any) -> dict[str, Any]:
    """Path, as in `live`, to what stands there, of all that can be reached from things."""
    named = _Named()
    named.walk_all(things)
    found, classes = dict[str, Any](), dict.fromkeys(sorted(named.classes, key=repr))
    waiting = sorted(named.libraries & sys.modules.keys())
    for module in waiting:  # grows meanwhile
        held = vars(sys.modules[module])
        for name in sorted(name for name in named.names & held.keys() if not _is_special(name)):
            thing = held[name]
            if isinstance(thing, types.ModuleType):
                waiting += [each for each in _within(thing, module, name) if each not in waiting and named.is_library(each)]
            elif not _is_of_module(thing, module, name):
                found[f"{module}:{name}"] = thing
            elif isinstance(thing, type):
                classes[thing] = None
    bases = dict.fromkeys(base for cls in classes for base in cls.__mro__ if named.is_library(str(base.__module__)))
    for base in bases:
        found |= {f"{base.__module__}:{base.__qualname__}.{name}": vars(base)[name] for name in _of_class(base)}
    return found


class _Named(Live):
    """Takes down what code mentions of libraries.

    Attributes:
        libraries: modules, attributes of which it may mean.
        classes: that it holds, or has derived others from.
        names: that it mentions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.libraries: set[str] = set()
        self.classes: set[type] = set()

    @property
    def names(self) -> set[str]:
        return self._names

    def is_library(self, module: str) -> bool:
        return bool(self.modules.library(module))

    def walk_all(self, things: Any) -> None:
        self.walk(things)
        seen: set[str] = set()
        while waiting := self.paths() - seen:
            seen |= waiting
            for self._at in waiting:
                if is_there(self._at):
                    self.walk(value(self._at))

    def _function(self, function: types.FunctionType) -> Node:
        if not self.is_library(str(function.__globals__.get("__name__") or "")):
            codes = list(codes_within(function.__code__))
            names = {name for code in codes for name in code.co_names} & function.__globals__.keys()
            held = [*(function.__globals__[name] for name in names), *map(cell_contents, function.__closure__ or ())]
            known = {str(vars(thing).get("__name__")) for thing in held if isinstance(thing, types.ModuleType)}
            package = str(function.__globals__.get("__package__") or "")
            known |= {name for code in codes for name in self._code.imports(code, package)}
            self.libraries |= {name for name in known if self.is_library(name)}
        return super()._function(function)

    def _described(self, thing: Any) -> Node:
        if isinstance(thing, type) and self.is_library(str(thing.__module__)):
            self.classes.add(thing)
        return super()._described(thing)


def _within(thing: types.ModuleType, module: str, name: str) -> list[str]:
    """What a module in another one goes by; TensorFlow's of Keras has another name than its own."""
    return [each for each in (str(vars(thing).get("__name__")), f"{module}.{name}") if sys.modules.get(each) is not None]


def _is_of_module(thing: Any, module: str, name: str) -> bool:
    """Whether a module's text puts this thing there, as far as that can be seen."""
    for _ in range(_MOST_STEPS):
        if isinstance(thing, (types.FunctionType, type)) and (thing.__module__, thing.__qualname__) == (module, name):
            return True
        text = text_of(module)
        if text is None:
            return _is_compiled(thing, module, name)
        match text.bound.get(name) or _starred(thing, text.starred, name):
            case ast.Attribute(ast.Name(source), attribute) if held := _held(source, attribute):  # from source import attribute
                if bare(held[0]) is not bare(thing):  # a library may have wrapped it meanwhile
                    return _is_set_by(text, name)
                module, name = source, attribute
            case ast.FunctionDef(decorator_list=[]) if isinstance(thing, _PLAIN) or _is_of_another(thing, name):
                return _is_set_by(text, name) or _starred(thing, text.starred, name) is not None
            case ast.expr() as expression:
                return _fits(thing, expression, vars(sys.modules[module])) or _is_set_by(text, name)
            case None:
                return _is_set_by(text, name) or text.is_open or type(thing).__module__ == module
            case _:
                return True
    return True


def _is_set_by(text: Text, name: str) -> bool:
    """Whether a module itself may have set a name later."""
    return _is_private(name) or name in text.computed


def _held(module: str, name: str) -> list[Any]:
    """What a module that is there has under a name."""
    held = vars(sys.modules[module]) if module in sys.modules else {}
    return [held[name]] if name in held else []


def _starred(thing: Any, sources: Iterable[str], name: str) -> ast.AST | None:
    """From where `import *` brought a thing; where none has it, the last one that has something of its name."""
    has = [source for source in sources if _held(source, name)]
    found = next((source for source in has if _held(source, name)[0] is thing), next(iter(has), ""))
    return ast.Attribute(ast.Name(found), name) if found else None


def _is_of_another(thing: Any, name: str) -> bool:
    """Whether a function, by its own name, has been defined as another one."""
    inner = bare(thing)
    is_code = isinstance(inner, (types.FunctionType, type))
    return type(inner).__module__ == MOCKS or (is_code and "<locals>" not in inner.__qualname__ and inner.__name__ != name)


def _is_compiled(thing: Any, module: str, name: str) -> bool:
    """Whether a module of Python's own that has no text puts this thing there; of others that is not known."""
    spec = getattr(sys.modules[module], "__spec__", None)
    if spec is None or spec.loader is None or module.partition(".")[0] not in sys.stdlib_module_names:
        return True
    try:
        anew = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(anew)
        other = vars(anew)[name]
    except (ImportError, AttributeError, KeyError, TypeError):
        return True
    if type(thing) in _PLAIN or type(other) in _PLAIN:
        return repr(other) == repr(thing)
    return bool(getattr(other, "__name__", "") == getattr(thing, "__name__", ""))


def _fits(thing: Any, expression: ast.expr, held: dict[str, Any]) -> bool:
    """Whether a thing may be what an expression comes to."""
    match expression:
        case ast.Name(other):
            return held.get(other, thing) is thing or getattr(builtins, other, None) is thing
        case ast.Attribute(ast.Name(other), name) if isinstance(held.get(other), types.ModuleType):
            return vars(held[other]).get(name, thing) is thing
        case ast.Attribute(ast.Name(other), name) if other in held and isinstance(thing, _METHODS):  # random = _inst.random
            return thing.__self__ is held[other] and thing.__name__ == name
    try:
        literal = ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return type(thing).__module__ != MOCKS
    if type(thing) not in _PLAIN:
        return False
    return (type(literal) in _FILLED and type(literal) is type(thing)) or repr(literal) == repr(thing)


def _of_class(cls: type) -> Iterator[str]:
    """The names under which something stands in a class that is not from its text."""
    yield from (name for name, thing in list(vars(cls).items()) if name not in NOT_OWN and not _is_from_body(cls, name, thing))


def _is_from_body(cls: type, name: str, thing: Any) -> bool:
    inner = bare(thing)
    is_code = isinstance(inner, (types.FunctionType, type))
    if _is_private(name) or (is_code and inner.__qualname__ == f"{cls.__qualname__}.{name}"):
        return True
    if not is_code and (type(inner) not in _PLAIN or _is_special(name)):
        return type(inner).__module__ != MOCKS
    text = text_of(cls.__module__)
    bound = text.of_class(cls.__qualname__) if text else None
    if text is None or bound is None or _is_set_by(text, name):
        return True
    match bound.get(name):
        case None:  # a library's other modules may add to a class, as TensorFlow's do to its tensors
            if not is_code or "<locals>" in inner.__qualname__ or inner.__qualname__.startswith(f"{cls.__qualname__}."):
                return is_code
            return str(inner.__module__).partition(".")[0] == cls.__module__.partition(".")[0]
        case ast.FunctionDef(decorator_list=decorators):
            return is_code and ("<locals>" in inner.__qualname__ or (bool(decorators) and inner.__name__ == name))
        case ast.expr() as expression:
            return _fits(thing, expression, dict(vars(cls)))
    return True


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_private(name: str) -> bool:
    return name.startswith("_") and not _is_special(name)
