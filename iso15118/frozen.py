"""`dataclass(slots=True)`, frozen or not, as the standard library has it, made in a quarter of the time.

A station has some four hundred kinds of values, and makes them all before it can say BootNotification: the standard library compiles six functions for
each of them, which was two fifths of the start. Here `__init__` is compiled, and the rest are closures over the names. `fields`, `replace`, `asdict` and
`match` work as ever; what has no slots is the standard library's own.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import MISSING, Field, FrozenInstanceError
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, **others: Any) -> Any:
        """The decorator; options as the standard library has them."""
        if cls is None:
            return partial(dataclass, frozen=frozen, slots=slots, **others)
        if not slots or others.keys() - {"kw_only"}:
            return dataclasses.dataclass(cls, frozen=frozen, slots=slots, **others)
        return (_frozen if frozen else _changing)(cls, **others)


def _frozen(cls: type, **others: Any) -> type:
    made: Any = dataclasses.dataclass(cls, init=False, repr=False, eq=False, slots=True, **others)
    every = dataclasses.fields(made)
    shared = {"__setattr__": _setattr, "__delattr__": _delattr, "__getstate__": _getstate, "__setstate__": _setstate}
    return _completed(cls, made, {"__init__": _init(made, every), **_described(every), **shared})


def _changing(cls: type, **others: Any) -> type:
    """What is not frozen has no hash."""
    made: Any = dataclasses.dataclass(cls, repr=False, eq=False, slots=True, **others)
    return _completed(cls, made, {**_described(dataclasses.fields(made)), "__hash__": None})


def _completed(cls: type, made: type, methods: dict[str, Any]) -> type:
    own = cls.__dict__
    for name, method in methods.items():
        if name not in own or own[name] is None:  # a class with an `__eq__` of its own has None for its hash
            setattr(made, name, method)
    return made


def _described(every: tuple[Field[Any], ...]) -> dict[str, Any]:
    return {
        "__repr__": _repr([each.name for each in every if each.repr]),
        **_comparing([each.name for each in every if each.compare]),
    }


def _init(made: Any, every: tuple[Field[Any], ...]) -> Any:
    """Each slot is set by its descriptor, since `__setattr__` refuses."""
    known: dict[str, Any] = {"_MISSING": MISSING}
    positional: list[str] = ["self"]
    keywords: list[str] = []
    body: list[str] = []
    for each in every:
        name = each.name
        known[f"_set_{name}"] = made.__dict__[name].__set__ if name in made.__dict__ else partial(_set_inherited, name)
        value = name
        if each.default_factory is not MISSING:
            known[f"_new_{name}"] = each.default_factory
            value = f"_new_{name}() if {name} is _MISSING else {name}" if each.init else f"_new_{name}()"
        elif not each.init:
            if each.default is MISSING:
                continue
            value = f"_is_{name}"
        known[f"_is_{name}"] = MISSING if each.default is MISSING else each.default
        if each.init:
            required = each.default is MISSING and each.default_factory is MISSING
            (keywords if each.kw_only else positional).append(name if required else f"{name}=_is_{name}")
        body.append(f"  _set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append("  self.__post_init__()")
    arguments = ", ".join([*positional, *(["*", *keywords] if keywords else [])])
    source = f"def _make({', '.join(known)}):\n def __init__({arguments}):\n" + ("\n".join(body) or "  pass") + "\n return __init__"
    namespace: dict[str, Any] = {}
    exec(source, sys.modules[made.__module__].__dict__, namespace)  # noqa: S102 the names of its fields, as the standard library does
    init = namespace["_make"](**known)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.type for each in every if each.init} | {"return": None}
    return init


def _set_inherited(name: str, self: object, value: object) -> None:
    object.__setattr__(self, name, value)


def _repr(names: list[str]) -> Any:
    @recursive_repr()
    def shown(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return shown


def _comparing(names: list[str]) -> dict[str, Any]:
    """By the values that count, which are a tuple even where there is one."""
    if len(names) > 1:
        key: Any = attrgetter(*names)
    elif names:
        one = attrgetter(names[0])

        def key(value: object) -> tuple[Any, ...]:
            return (one(value),)

    else:

        def key(value: object) -> tuple[Any, ...]:
            return ()

    def equal(self: object, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(key(self))

    return {"__eq__": equal, "__hash__": hashed}


def _setattr(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _setstate(self: Any, state: list[Any]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
