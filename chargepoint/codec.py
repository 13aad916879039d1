"""Dataclasses to JSON values and back, driven by their annotations: one codec for journal, store and snapshots.

Fields that hold their default are left out, so a field that is added later with a default reads old data as it was meant.
A union of dataclasses carries its class name under `@`.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin

TAG = "@"


class CodecError(ValueError):
    """A value does not have the shape that its type declares; the message names the place, as `Type.field[2]`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """Both directions for one type. `load` raises CodecError only."""

    dump: Callable[[Any], Any]
    load: Callable[[Any, str], Any]


def dump(hint: Any, value: Any) -> Any:
    """`value`, which is of type `hint`, as a JSON value.

    >>> dump(tuple[int, ...], (1, 2))
    [1, 2]
    """
    return codec(hint).dump(value)


def load(hint: Any, value: Any, where: str = "value") -> Any:
    """The JSON value back as `hint`.

    >>> load(tuple[int, ...], [1, 2])
    (1, 2)
    """
    return codec(hint).load(value, where)


@cache
def codec(hint: Any) -> Codec:
    """The codec of a type; built once. Raises TypeError for a type that has no JSON form here."""
    if hint in (Any, object):
        return Codec(_same, lambda value, _: value)
    if hint in _PLAIN:
        return _plain(hint)
    if hint is bytes:
        return Codec(bytes.hex, _load_bytes)
    origin = get_origin(hint)
    if origin is typing.Annotated:
        return codec(get_args(hint)[0])
    if origin is typing.Literal:
        return _literal(get_args(hint))
    if origin in (Union, types.UnionType):
        return _union(get_args(hint))
    if origin in _CONTAINERS:
        return _CONTAINERS[origin](get_args(hint))
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _enum(hint)
    if dataclasses.is_dataclass(hint):
        return _dataclass(typing.cast("type[Any]", hint))
    if typing.is_typeddict(hint):
        return _plain(dict)
    raise TypeError(f"no JSON form for {hint!r}")


def _same(value: Any) -> Any:
    return value


def _wrong(value: Any, where: str, wanted: str) -> CodecError:
    return CodecError(f"{where}: {value!r:.80} is not {wanted}")


_PLAIN = (bool, int, float, str, type(None), dict, list)


def _plain(hint: type) -> Codec:
    accepted = (int, float) if hint is float else (hint,)

    def load_plain(value: Any, where: str) -> Any:
        if not isinstance(value, accepted) or (isinstance(value, bool) and hint is not bool):
            raise _wrong(value, where, hint.__name__)
        return float(value) if isinstance(value, (int, float)) and hint is float else value

    return Codec(_same, load_plain)


def _load_bytes(value: Any, where: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise _wrong(value, where, "bytes in hex") from None


def _literal(allowed: tuple[Any, ...]) -> Codec:
    def load_literal(value: Any, where: str) -> Any:
        if value not in allowed:
            raise _wrong(value, where, f"one of {allowed}")
        return value

    return Codec(_same, load_literal)


def _enum(hint: type[enum.Enum]) -> Codec:
    def load_enum(value: Any, where: str) -> Any:
        try:
            return hint(value)
        except ValueError:
            raise _wrong(value, where, f"one of {[m.value for m in hint]}") from None

    return Codec(lambda member: member.value, load_enum)


def _items(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(value, where, "a list")
    return value


def _sequence(make: Callable[[Any], Any]) -> Callable[[tuple[Any, ...]], Codec]:
    def build(args: tuple[Any, ...]) -> Codec:
        item = codec(args[0])

        def load_sequence(value: Any, where: str) -> Any:
            return make(item.load(v, f"{where}[{i}]") for i, v in enumerate(_items(value, where)))

        return Codec(lambda value: [item.dump(v) for v in value], load_sequence)

    return build


def _tuple(args: tuple[Any, ...]) -> Codec:
    if not args or (len(args) == 2 and args[1] is Ellipsis):
        return _sequence(tuple)(args or (Any,))
    parts = [codec(a) for a in args]

    def load_tuple(value: Any, where: str) -> Any:
        items = _items(value, where)
        if len(items) != len(parts):
            raise _wrong(value, where, f"a list of {len(parts)}")
        return tuple(p.load(v, f"{where}[{i}]") for i, (p, v) in enumerate(zip(parts, items, strict=True)))

    return Codec(lambda value: [p.dump(v) for p, v in zip(parts, value, strict=True)], load_tuple)


def _set(make: Callable[[Any], Any]) -> Callable[[tuple[Any, ...]], Codec]:
    def build(args: tuple[Any, ...]) -> Codec:
        inner = _sequence(make)(args)
        return Codec(lambda value: sorted(inner.dump(value)), inner.load)

    return build


def _dict(args: tuple[Any, ...]) -> Codec:
    key, item = args
    if key not in (str, int):
        raise TypeError(f"a dict key is str or int in JSON, not {key!r}")
    inner = codec(item)

    def load_dict(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, where, "an object")
        try:
            return {key(k): inner.load(v, f"{where}.{k}") for k, v in value.items()}
        except CodecError:
            raise
        except ValueError:
            raise _wrong(value, where, f"an object with {key.__name__} keys") from None

    return Codec(lambda value: {str(k): inner.dump(v) for k, v in value.items()}, load_dict)


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...]], Codec]] = {
    list: _sequence(list),
    tuple: _tuple,
    set: _set(set),
    frozenset: _set(frozenset),
    dict: _dict,
}


def _union(members: tuple[Any, ...]) -> Codec:
    tagged = {m.__name__: m for m in members if dataclasses.is_dataclass(m) and isinstance(m, type)}
    others = [codec(m) for m in members if m is not type(None) and m not in tagged.values()]
    optional = type(None) in members
    if len(tagged) == 1 and not others:
        only = codec(next(iter(tagged.values())))
        return Codec(
            lambda value: None if value is None else only.dump(value),
            lambda value, where: None if value is None and optional else only.load(value, where),
        )

    def dump_union(value: Any) -> Any:
        name = type(value).__name__
        if name in tagged:
            return {TAG: name, **codec(tagged[name]).dump(value)}
        return others[0].dump(value) if len(others) == 1 and value is not None else value

    def load_union(value: Any, where: str) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, dict) and value.get(TAG) in tagged:
            return codec(tagged[value[TAG]]).load({k: v for k, v in value.items() if k != TAG}, where)
        for other in others:
            try:
                return other.load(value, where)
            except CodecError:
                continue
        raise _wrong(value, where, f"one of {sorted(tagged) or [getattr(m, '__name__', str(m)) for m in members]}")

    return Codec(dump_union, load_union)


def _dataclass(hint: type[Any]) -> Codec:
    hints = typing.get_type_hints(hint, include_extras=True)
    fields = [f for f in dataclasses.fields(hint) if f.init]
    built: dict[str, Codec] = {}

    def part(name: str) -> Codec:
        if name not in built:
            built[name] = codec(hints[name])
        return built[name]

    def dump_fields(value: Any) -> dict[str, Any]:
        return {f.name: part(f.name).dump(v) for f in fields if (v := getattr(value, f.name)) != _default(f)}

    def load_fields(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, where, f"an object ({hint.__name__})")
        unknown = value.keys() - {f.name for f in fields}
        if unknown:
            raise CodecError(f"{where}: {hint.__name__} has no field {min(unknown)!r}")
        try:
            return hint(**{name: part(name).load(v, f"{where}.{name}") for name, v in value.items()})
        except TypeError as error:
            raise CodecError(f"{where}: {error}") from None

    return Codec(dump_fields, load_fields)


_NOTHING = object()


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return _NOTHING
