"""Whatever a declaration allows goes to octets and to JSON and comes back, by the generated functions as by the walk along the grammar."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bench.exi import instances, shape
from bench.fuzz.mutate import Bits
from iso15118.exi import Codec, ExiError, codec_of, fragment_to_json, from_json, to_json
from iso15118.exi.decoder import Decoder
from iso15118.exi.encoder import Encoder
from iso15118.exi.json import Reader
from iso15118.exi.limits import MOST_EVENTS
from iso15118.messages import SETS
from iso15118.messages.declare import Message

WHOLE = bool(os.environ.get("SOAK"))
DOCUMENTS, FRAGMENTS = (60, 40) if WHOLE else (2, 2)
"""Examples of each type."""
SEEDS = st.integers(0, 1 << 32)
"""Much quicker than dice that Hypothesis draws; for elements, which are small enough to look at."""
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
every_set = pytest.mark.parametrize("namespace", SETS, ids=lambda namespace: namespace.rpartition(":")[2])


def each_of(strategy: st.SearchStrategy[Any], holds: Callable[[Any], None], number: int, examples: int) -> None:
    """The property for so many examples, the same ones each time."""

    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(example: Any) -> None:
        holds(example)

    run()


def read_alike(codec: Codec, octets: bytes, *, fragment: bool) -> Any:
    """By both ways. What the generated functions leave to the walk is bounded for strangers; here it goes on."""
    walk = Decoder(codec.grammars, octets, most_events=8 * len(octets))
    found: Any = walk.fragment() if fragment else walk.document()
    try:
        assert (codec.decode_fragment(octets) if fragment else codec.decode(octets)) == found
    except ExiError as error:
        if "read no further" not in error.problem or walk.events <= MOST_EVENTS:
            raise
    return found


# ---- documents


def document_holds(message: Message, namespace: str) -> None:
    codec = codec_of(namespace)
    octets = codec.encode(message)
    assert Encoder(codec.grammars).document(message) == octets
    assert read_alike(codec, octets, fragment=False) == message
    assert from_json(json.loads(json.dumps(to_json(message))), namespace) == message


@pytest.mark.soak
@pytest.mark.timeout(0 if WHOLE else 120)
@pytest.mark.req("S-28")
@every_set
def test_every_type_with_a_global_element(namespace: str) -> None:
    kinds = shape.roots(namespace)
    for number, kind in enumerate(kinds):
        each_of(instances.messages(kind, namespace), lambda message: document_holds(message, namespace), number, DOCUMENTS)
    values = (each.value for each in codec_of(namespace).schema.elements.values())
    assert set(kinds) == {each for each in values if isinstance(each, type) and not each._abstract_}


# ---- fragments


def fragment_holds(qname: tuple[str, str], value: Any, namespace: str) -> None:
    codec, name = codec_of(namespace), qname[1]
    octets = codec.encode_fragment(name, value)
    assert Encoder(codec.grammars).fragment(name, value) == octets
    for each in {octets, named(codec, qname, octets)}:
        assert read_alike(codec, each, fragment=True) == (name, value)
    assert Reader(codec.schema).fragment(json.loads(json.dumps(fragment_to_json(name, value, namespace)))) == (name, value)


def named(codec: Codec, qname: tuple[str, str], octets: bytes) -> bytes:
    """The same element in this namespace: by a local name alone, the first that suits is written."""
    names = list(codec.schema.declared)
    width = (len(names) + 1).bit_length()
    return Bits.of(octets).put(8, 8 + width, Bits(names.index(qname), width)).octets()


@pytest.mark.soak
@pytest.mark.timeout(0 if WHOLE else 120)
@pytest.mark.req("S-28")
@every_set
def test_every_element_that_a_fragment_may_begin_with(namespace: str) -> None:
    """Each with the values at its bounds, where it has a simple type."""
    reached = set()
    for number, (uri, name, kind) in enumerate(shape.declared(namespace)):
        reached.add((uri, name))

        def holds(value: Any, qname: tuple[str, str] = (uri, name)) -> None:
            fragment_holds(qname, value, namespace)

        if isinstance(kind, shape.Simple):
            for value in bounds(kind):
                holds(value)
        each_of(SEEDS, lambda number: holds(instances.value(kind, random.Random(number), namespace)), number, FRAGMENTS)  # noqa: B023 run at once
    abstract = {qname for qname, (kind, *_) in codec_of(namespace).schema.declared.items() if isinstance(kind, type) and kind._abstract_}
    assert reached == set(codec_of(namespace).schema.declared) - abstract


def bounds(kind: shape.Simple) -> list[Any]:
    """The least and the greatest value, or one of the least and one of the greatest length; all of an enumeration."""
    if kind.values:
        return list(kind.values)
    if kind.type is bool:
        return [False, True]
    if kind.type is int:
        return [each for each in kind.range if each is not None]
    lengths = [each for each in kind.length if each is not None]
    return [b"\xff" * each if kind.type is bytes else "\U0010fffd" * each for each in lengths]


@pytest.mark.req("S-28")
@every_set
def test_what_is_beyond_a_bound_is_written_by_neither_way(namespace: str) -> None:
    codec = codec_of(namespace)
    for uri, name, kind in shape.declared(namespace):
        others = [other for *qname, other in shape.declared(namespace) if qname == [uri, name]]
        for value in beyond(kind) if isinstance(kind, shape.Simple) else ():
            if any(integer_of(other, value) for other in others):
                continue
            for write in codec.encode_fragment, Encoder(codec.grammars).fragment:
                with pytest.raises(ExiError):
                    write(name, value)


def integer_of(kind: shape.Kind, value: Any) -> bool:
    """A name may have two types of integer: what is beyond one of them is written where it is within the other."""
    return isinstance(kind, shape.Simple) and kind.type is int and bounds(kind)[0] <= value <= bounds(kind)[-1]


def beyond(kind: shape.Simple) -> list[Any]:
    if kind.values:
        return ["", kind.values[0] + "x"]
    if kind.type is bool:
        return [2, None]
    if kind.type is int:
        least, most = kind.range
        return [*([least - 1] if least is not None else ()), *([most + 1] if most is not None else ())]
    least, most = kind.length
    one: Any = b"\xff" if kind.type is bytes else "x"
    return [*([one * (least - 1)] if least else ()), *([one * (most + 1)] if most is not None else ())]
