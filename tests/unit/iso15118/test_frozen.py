"""Values that are made quickly are what the standard library makes of the same declaration."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iso15118.frozen import dataclass


class Base:
    """With slots, as all events' is."""

    __slots__ = ()


def declared(make: Any) -> Any:
    """The same value by either decorator."""

    @make(frozen=True, slots=True)
    class Reading(Base):
        """Of a meter."""

        meter: str
        import_Wh: float = 0.0
        phases: tuple[int, ...] = ()
        secret: bytes = field(default=b"", repr=False)
        note: str = field(default="", compare=False)
        extra: dict[str, int] = field(default_factory=dict, hash=False, compare=False)
        seen: int = field(default=7, init=False)

    return Reading


def one_field(make: Any) -> Any:
    @make(frozen=True, slots=True)
    class One:
        """A single value."""

        value: float

    return One


OURS, THEIRS = declared(dataclass), declared(dataclasses.dataclass)
ARGUMENTS = st.tuples(st.text(max_size=3), st.floats(allow_nan=False), st.tuples(st.integers()), st.binary(max_size=2), st.text(max_size=2))


@dataclass(frozen=True, slots=True)
class Kept:
    """Can be pickled: it stands in a module."""

    a: int
    b: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """By names only."""

    b: int = 1
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("a < 0")


@dataclass(slots=True)
class Changing:
    """Not frozen."""

    a: int = 0
    b: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnEquality:  # noqa: PLW1641 its hash is the decorator's
    """As its maker wants."""

    a: int
    b: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnEquality) and self.a == other.a


@given(ARGUMENTS, ARGUMENTS)
def test_equal_hashed_and_shown_as_the_standard_library_does(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    mine, theirs = (OURS(*one), OURS(*other)), (THEIRS(*one), THEIRS(*other))
    assert (mine[0] == mine[1]) is (theirs[0] == theirs[1])
    assert hash(mine[0]) == hash(theirs[0])
    assert repr(mine[0]) == repr(theirs[0])
    assert mine[0] != theirs[0]
    assert dataclasses.asdict(mine[0]) == dataclasses.asdict(theirs[0])
    assert dataclasses.replace(mine[0], meter=other[0]) == OURS(other[0], *one[1:])


def test_the_signature_and_the_fields_are_the_same() -> None:
    assert [(each.name, each.default, each.kind) for each in inspect.signature(OURS).parameters.values() if each.name != "extra"] == [
        (each.name, each.default, each.kind) for each in inspect.signature(THEIRS).parameters.values() if each.name != "extra"
    ]
    assert [each.name for each in dataclasses.fields(OURS)] == [each.name for each in dataclasses.fields(THEIRS)]
    assert OURS.__match_args__ == THEIRS.__match_args__
    assert OURS("m").seen == 7
    assert OURS("m").extra is not OURS("m").extra
    with pytest.raises(TypeError, match="meter"):
        OURS()


def test_nothing_of_a_frozen_value_is_changed_or_added() -> None:
    value = OURS("m")
    for name in ("meter", "unheard_of"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        del value.meter
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("make", [dataclass, dataclasses.dataclass])
def test_one_field_that_is_no_number_is_itself(make: Any) -> None:
    value = one_field(make)(float("nan"))
    assert value == value  # noqa: PLR0124 tuples hold what is the same for equal
    assert value != one_field(make)(value.value)


def test_copied_and_pickled() -> None:
    value = Kept(1, [2])
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value


def test_by_names_only_and_checked_at_last() -> None:
    assert Named(a=2).b == 1
    with pytest.raises(ValueError, match="a < 0"):
        Named(a=-1)
    with pytest.raises(TypeError):
        Named(1, 2)  # type: ignore[call-arg]


def test_what_may_change_has_no_hash() -> None:
    value = Changing()
    value.a = 3
    assert value == Changing(3)
    assert repr(value) == "Changing(a=3, b=[])"
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)
    with pytest.raises(AttributeError):
        value.c = 1  # type: ignore[attr-defined]


def test_what_a_class_says_itself_stands() -> None:
    assert OwnEquality(1, 2) == OwnEquality(1, 3)
    assert hash(OwnEquality(1, 2)) == hash((1, 2))
