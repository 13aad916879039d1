"""What comes over the cable may be anything: the EXI codec answers with a message or an ExiError, and with little work (S-28).

Nothing here looks at a clock: work is counted (calls, characters, memory); what it takes in time is in `bench.perf.exi`.
"""

from __future__ import annotations

import json
import os
import random
from functools import cache
from typing import Any

import pytest

from bench.fuzz import exi as fuzz
from bench.fuzz.exi import Search, Target, Wrong, json_target
from bench.fuzz.forge import OCTETS, STYLES, Forge
from bench.fuzz.mutate import Bits, Seed, mutated, mutated_json, varint
from bench.fuzz.work import work
from iso15118.exi import ExiError, codec_of, decode, decode_fragment, encode, from_json, to_json
from iso15118.exi.strings import Strings
from iso15118.messages import SETS

WHOLE = bool(os.environ.get("SOAK"))
MOST_CALLS, MOST_CALLED_BY_VECTORS = 250_000, 2_500
MOST_CHARACTERS, MOST_PEAK_OCTETS = 200_000, 32 << 20
SAP, ISO2, DC = "urn:iso:15118:2:2010:AppProtocol", "urn:iso:15118:2:2013:MsgDef", "urn:iso:std:iso:15118:-20:DC"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"


@cache
def pools() -> dict[tuple[str, bool], list[Seed]]:
    """The vectors and random messages of every set, documents and fragments apart."""
    found: dict[tuple[str, bool], list[Seed]] = {}
    for each in [*fuzz.vectors(), *fuzz.vectors(fuzz.CORPUS), *fuzz.made(random.Random(28), 1)]:
        found.setdefault((each.namespace, each.fragment), []).append(each)
    return found


@pytest.mark.soak
@pytest.mark.req("S-28")
@pytest.mark.parametrize("seed", range(40 if WHOLE else 2))
def test_mutated_streams(seed: int) -> None:
    """100,000 of them under SOAK."""
    dice, target = random.Random(seed), Target()
    every = [each for pool in pools().values() for each in pool]
    for _ in range(2500):
        parent = dice.choice(every)
        octets = mutated(parent, pools()[parent.namespace, parent.fragment], dice)
        target(octets, parent.namespace, fragment=parent.fragment)
    assert target.outcomes["read"] > 100
    assert target.outcomes["refused"] > 1000


@pytest.mark.soak
@pytest.mark.req("S-28")
def test_every_event_code_as_all_ones() -> None:
    """One after the other, in short streams of every set; a seeded choice of them without SOAK."""
    places = [(each, place) for pool in pools().values() for each in pool if len(each.octets) <= 400 for place in each.codes]
    for each, (start, end) in places if WHOLE else random.Random(0).sample(places, 4000):
        bits = Bits.of(each.octets)
        if end <= bits.length:
            octets = bits.put(start, end, Bits((1 << end - start) - 1, end - start)).octets()
            Target()(octets, each.namespace, fragment=each.fragment)


@pytest.mark.req("S-28")
def test_what_searches_have_found() -> None:
    corpus, target = fuzz.vectors(fuzz.CORPUS), Target()
    for each in corpus:
        target(each.octets, each.namespace, fragment=each.fragment)
    assert len(corpus) > 100
    assert len({each.namespace for each in corpus}) > 5


@pytest.mark.soak
@pytest.mark.req("S-28")
@pytest.mark.parametrize("seed", range(20 if WHOLE else 2))
def test_mutated_json(seed: int) -> None:
    dice = random.Random(seed)
    rows = [row for row in fuzz.rows() if row["kind"] == "document"]
    made = 0
    for _ in range(1000):
        row = dice.choice(rows)
        made += json_target(mutated_json(row["json"], dice), row["ns"]) is not None
    assert made > 10


# ---- work


@pytest.mark.soak
@pytest.mark.req("S-28")
@pytest.mark.parametrize("style", STYLES)
def test_streams_made_to_be_slow(style: str) -> None:
    number = list(STYLES).index(style)
    sets = list(SETS)
    for namespace in sets if WHOLE else [sets[number % len(sets)]]:
        codec_of(namespace).warm()
        for seed in range(8 if WHOLE else 1):
            bounded(Forge(namespace, random.Random(seed), STYLES[style]).octets("" if seed else "Signature"), namespace, style)


@pytest.mark.soak
@pytest.mark.req("S-28")
@pytest.mark.parametrize("style", STYLES if WHOLE else ("tiny", "hits", "wild"))
def test_fragments_made_to_be_slow(style: str) -> None:
    for namespace, name in (ISO2, "eMAID"), (DC, "Signature"), (XMLDSIG, "SignedInfo"), *((each, "") for each in SETS if WHOLE):
        codec_of(namespace).warm()
        bounded(Forge(namespace, random.Random(7), STYLES[style]).fragment(name), namespace, style, fragment=True)


def bounded(octets: bytes, namespace: str, style: str, *, fragment: bool = False) -> None:
    Target()(octets, namespace, fragment=fragment)
    done = work(octets, namespace, fragment=fragment)
    where = f"{style}, {namespace}, {octets[:16].hex()}: {done}"
    assert done.calls < MOST_CALLS, where
    assert done.characters < MOST_CHARACTERS, where
    assert done.peak_octets < MOST_PEAK_OCTETS, where


@pytest.mark.req("S-28")
def test_the_streams_are_long_and_the_figures_tell_them_from_messages() -> None:
    """Else the bounds above would say nothing."""
    codec_of(DC).warm()
    octets = Forge(DC, random.Random(0), STYLES["tiny"]).octets("Signature")
    assert len(octets) > OCTETS // 2
    assert work(octets, DC).calls > 20_000
    pool = [each for each in pools()[DC, False] if len(each.octets) < 100]
    assert pool
    pool = pool if WHOLE else random.Random(0).sample(pool, min(len(pool), 40))
    assert max(work(each.octets, DC).calls for each in pool) < MOST_CALLED_BY_VECTORS


@pytest.mark.soak
@pytest.mark.req("S-28")
def test_work_grows_no_faster_than_the_octets() -> None:
    for style in STYLES if WHOLE else ("tiny", "wild"):
        short, long = (work(Forge(DC, random.Random(1), STYLES[style], size).octets("Signature"), DC) for size in (OCTETS // 4, OCTETS))
        assert long.calls <= 6 * short.calls + 20_000, style
        assert long.peak_octets <= 6 * short.peak_octets + 500_000, style


# ---- the search


@pytest.mark.soak
@pytest.mark.req("S-28")
@pytest.mark.parametrize("seed", range(8 if WHOLE else 1))
def test_search_guided_by_coverage(seed: int) -> None:
    found = search(runs=10_000 if WHOLE else 2000, seed=seed)
    assert found.arcs > found.arcs_before
    assert found.kept


def search(runs: int, seed: int, namespace: str = "") -> Search:
    seeds = [each for (name, _), pool in pools().items() if namespace in ("", name) for each in pool if len(each.octets) <= 512]
    return fuzz.search(seeds, runs, random.Random(seed))


@pytest.mark.req("S-28")
def test_the_search_finds_a_planted_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hit that no message of the start has, of a text that came before: two steps away from every one of them."""
    pools()
    read = Strings.read_value

    def defective(self: Strings, *given: Any) -> tuple[str, str]:
        text, how = read(self, *given)
        if how.startswith("global"):
            raise IndexError(how)
        return text, how

    monkeypatch.setattr(Strings, "read_value", defective)
    with pytest.raises(Wrong, match="IndexError global hit"):
        search(runs=20_000, seed=0, namespace=SAP)


# ---- what the target itself would say


def test_the_target_tells_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = pools()[SAP, False][0].octets
    Target()(octets, SAP)
    monkeypatch.setattr(fuzz, "decode", lambda octets, namespace: 1 // 0)
    with pytest.raises(Wrong, match="ZeroDivisionError"):
        Target()(octets, SAP)
    monkeypatch.setattr(fuzz, "decode", lambda octets, namespace: None)
    with pytest.raises(Wrong, match="read different things"):
        Target()(octets, SAP)
    for error in (ExiError("x", "a", None), ExiError("x", "a", 8 * len(octets) + 1), ExiError("", "a", 1), ExiError("x", "", 41)):
        with pytest.raises(Wrong):
            fuzz.told(error, octets)
    for words in ("no event of code 3", "the octets end 2 bits early", "a text of 9 characters, and 1 octets are left"):
        with pytest.raises(Wrong, match="what was expected"):
            fuzz.told(ExiError(words, "a", 1), octets)
        fuzz.told(ExiError(words, "a", 1, "EE"), octets)


# ---- by hand


def begun(*values: int) -> bytes:
    """A supportedAppProtocolReq up to its first text, then these integers of variable length, then nothing but ones."""
    bits = Bits(0x80 << 5, 13)
    for each in values:
        bits = bits.then(varint(each))
    return bits.then(Bits((1 << 800) - 1, 800)).octets()


@pytest.mark.req("S-28")
@pytest.mark.parametrize(
    ("octets", "words", "bit"),
    [
        (b"", "no EXI stream", 0),
        (b"\x80", "the octets end 2 bits early", 8),
        (b"\x80\xc0", "the root element is none of the schema set", 8),
        (b"\x00", "no EXI stream", 0),
        (b"\xff" * 9, "no EXI stream", 0),
        (begun(1), "global string table", 13),
        (begun(0), "local string table", 13),
        (begun(103), "a text of 101 characters, 100 are allowed", 21),
        (begun((1 << 28) - 1), "a text of 268435453 characters, 100 are allowed", 45),
        (begun(1 << 28), "a text of 268435454 characters", 53),
        (b"\x80\x40\x00\x00\x00\x00", "2 octets are left over", 28),
        (b"\x80\x40\x00\x00\x01", "1 octets are left over", 28),
    ],
)
def test_by_hand(octets: bytes, words: str, bit: int) -> None:
    with pytest.raises(ExiError) as caught:
        decode(octets, SAP)
    assert words in str(caught.value)
    assert caught.value.bit == bit


@pytest.mark.req("S-28")
@pytest.mark.parametrize("groups", range(1, 12))
def test_a_length_in_more_groups_than_it_needs(groups: int) -> None:
    """EXI does not ask for the fewest. Both ways take as many as an integer of 64 bits has, and no more."""
    plain = bytes.fromhex("80002b0b1318020000040040")
    octets = Bits.of(plain).put(13, 21, varint(5, groups)).octets()
    if groups > 10:
        with pytest.raises(ExiError, match="more than 10 groups"):
            decode(octets, SAP)
    else:
        assert decode(octets, SAP) == decode(plain, SAP)
    Target()(octets, SAP)


@pytest.mark.req("S-28")
def test_a_derived_type_named_where_its_base_is_declared() -> None:
    """xsi:type in the list of services says that an entry is a ChargeService; it is kept in octets and in JSON."""
    octets = bytes.fromhex("80980011c00020008200212e0014001040048000")
    found = decode(octets, ISO2)
    assert "Service=(ChargeServiceType(" in repr(found)
    assert decode(encode(found, ISO2), ISO2) == found
    assert from_json(json.loads(json.dumps(to_json(found))), ISO2) == found
    Target()(octets, ISO2)


def test_the_target_of_json_tells_what_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    (row, *_) = (each for each in fuzz.rows() if each["kind"] == "document")
    assert json_target(row["json"], row["ns"]) is not None
    for error in ExiError("x", "a", 1), ZeroDivisionError("x"):

        def failing(octets: bytes, namespace: str, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(fuzz, "decode", failing)
        with pytest.raises(Wrong, match=f"written, but not read again: {type(error).__name__}"):
            json_target(row["json"], row["ns"])


@pytest.mark.req("S-28")
@pytest.mark.parametrize("read", [decode, decode_fragment])
@pytest.mark.parametrize("namespace", SETS)
def test_nothing_but_ones_zeros_or_octets_of_one_kind(namespace: str, read: Any) -> None:
    for octet in range(256):
        for head in (b"", b"\x80"):
            with pytest.raises(ExiError):
                read(head + bytes([octet]) * OCTETS, namespace)
