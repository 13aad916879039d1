"""`python -m bench.fuzz.exi [--runs N] [--seed S] [--vectors FILE]`: the EXI codec against octets that nobody should send (S-28).

Each run changes a stream and gives it to `Target`, which knows what must hold. The search is guided by coverage: a stream that takes an arc through
the codec (its generated functions included) that none took before is kept, and changed further. The same seed gives the same runs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from bench.exi import instances
from bench.fuzz.mutate import Seed, mutated, seed
from iso15118.exi import ExiError, codec_of, decode, decode_fragment, encode, encode_fragment, from_json, to_json
from iso15118.exi.schema import schema
from iso15118.messages import SETS
from iso15118.messages.declare import Message

VECTORS = Path(__file__).parents[2] / "tests" / "golden" / "exi-generated.jsonl"
CORPUS = Path(__file__).with_name("exi-corpus.jsonl")
"""What searches have found so far: streams that take arcs through the codec which no vector takes."""
RUNS = 20_000


class Wrong(AssertionError):
    """Something that must hold did not; the message has the octets."""


def rows(path: Path = VECTORS) -> list[dict[str, Any]]:
    """The lines of a file of vectors (`tests/golden/README.md`)."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def vectors(path: Path = VECTORS) -> list[Seed]:
    """The streams to begin with."""
    return [seed(row["ns"], bytes.fromhex(row["exi_hex"]), fragment=row["kind"] == "fragment") for row in rows(path)]


def made(dice: random.Random, count: int = 2) -> list[Seed]:
    """The same from random messages: so many of each root of each set, those without vectors included; what is in a wildcard comes by this way only."""
    found = []
    for namespace in SETS:
        for element in schema(namespace).elements.values():
            kind = element.value
            if isinstance(kind, type) and not kind._abstract_:
                found += [seed(namespace, encode(instances.instance(kind, dice, namespace), namespace)) for _ in range(count)]
    return found


# ---- what must hold


@dataclass(slots=True)
class Target:
    """Any octets give a message or an ExiError that says where; both ways of decoding agree; what was read can be written and read again."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def __call__(self, octets: bytes, namespace: str, *, fragment: bool = False) -> None:
        try:
            self._check(octets, namespace, fragment=fragment)
        except ExiError as error:
            raise Wrong(
                f"{namespace} {'fragment ' if fragment else ''}{octets.hex()}: read, but not written or read again: {error}"
            ) from error
        except Wrong:
            raise
        except Exception as error:
            raise Wrong(f"{namespace} {'fragment ' if fragment else ''}{octets.hex()}: {type(error).__name__} {error}") from error

    def _check(self, octets: bytes, namespace: str, *, fragment: bool) -> None:
        read: Callable[[bytes, str], Any] = decode_fragment if fragment else decode
        try:
            found = read(octets, namespace)
        except ExiError as error:
            self.outcomes["refused"] += 1
            told(error, octets, fragment=fragment)
            if "read no further" in error.problem:
                self.outcomes["too long"] += 1  # the walk goes on where somebody listens to it
                return
            with _refused(octets):
                codec_of(namespace).walk(octets, _nobody, fragment=fragment)
            return
        self.outcomes["read"] += 1
        self._same_by_the_walk(octets, namespace, found, fragment=fragment)
        if fragment:
            name, value = found
            again: Any = decode_fragment(encode_fragment(name, value, namespace), namespace)
        else:
            again = decode(encode(found, namespace), namespace)
            if from_json(to_json(found), namespace) != found:
                raise Wrong(f"{namespace} {octets.hex()}: its JSON is another message")
        if again != found:
            raise Wrong(f"{namespace} {octets.hex()}: written and read again, it is another message")

    def _same_by_the_walk(self, octets: bytes, namespace: str, found: Any, *, fragment: bool) -> None:
        try:
            same = codec_of(namespace).walk(octets, _nobody, fragment=fragment) == found
        except ExiError as error:
            raise Wrong(f"{namespace} {octets.hex()}: the generated functions read it, the walk says {error}") from error
        if not same:
            raise Wrong(f"{namespace} {octets.hex()}: the generated functions and the walk read different things")


def told(error: ExiError, octets: bytes, *, fragment: bool = False) -> None:
    """An error of decoding says what and where; of an event code, and where the octets end, also what was expected."""
    # An error in the header, or behind the root's end, has no path.
    outside = fragment or "left over" in error.problem or octets[:1] != b"\x80"
    where = f"{octets.hex()}: {error}"
    if type(error) is not ExiError or not error.problem:
        raise Wrong(f"{where}: no ExiError in words")
    if error.bit is None or not 0 <= error.bit <= 8 * len(octets):
        raise Wrong(f"{where}: bit {error.bit} is not in the octets")
    ended = "the octets end" in error.problem or error.problem.endswith("octets are left")
    if (ended or error.problem.startswith("no event of code")) and not error.expected:
        raise Wrong(f"{where}: does not say what was expected")
    if not error.path and not outside and error.bit > 40:
        raise Wrong(f"{where}: no path")


def _nobody(*_: object) -> None:
    """Nobody listens."""


@contextmanager
def _refused(octets: bytes) -> Iterator[None]:
    try:
        yield
    except ExiError:
        return
    raise Wrong(f"{octets.hex()}: refused by decode, and read by the walk")


def json_target(document: Any, namespace: str) -> Message | None:
    """Any JSON gives a message or an ExiError; the message is written, or an ExiError says what is wrong with it; what is written is read again."""
    try:
        message = from_json(document, namespace)
        octets = encode(message, namespace)
    except ExiError as error:
        if not error.problem or not (error.path or _no_root(document, namespace)):
            raise Wrong(f"{error}: no words, or no path") from error
        return None
    try:
        again = decode(octets, namespace)
    except Exception as error:
        raise Wrong(f"{namespace} {octets.hex()}: written, but not read again: {type(error).__name__} {error}") from error
    if again != message:
        raise Wrong(f"{namespace} {octets.hex()}: not what was written")
    return message


def _no_root(document: Any, namespace: str) -> bool:
    names = {name for _, name in schema(namespace).elements}
    return not (isinstance(document, dict) and len(document) == 1 and next(iter(document)) in names)


# ---- coverage


class Coverage:
    """Arcs from line to line in the codec and the functions that it generates. On Python 3.11 `sys.settrace`, which any coverage tool shares."""

    def __init__(self) -> None:
        self.arcs: set[tuple[CodeType, int, int]] = set()
        self._ours: dict[CodeType, bool] = {}

    def run(self, work: Callable[[], object]) -> bool:
        """Does it; whether it took a new arc."""
        before, tracing = len(self.arcs), sys.gettrace()
        sys.settrace(self._call)
        try:
            work()
        finally:
            sys.settrace(tracing)
        return len(self.arcs) > before

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = "iso15118/exi" in code.co_filename.replace("\\", "/") or code.co_filename.startswith("<exi ")
        if not self._ours[code]:
            return None
        last, arcs = 0, self.arcs

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "line":
                arcs.add((code, last, last := frame.f_lineno))
            return line

        return line


@dataclass(slots=True)
class Search:
    """What came of it."""

    runs: int = 0
    arcs_before: int = 0
    arcs: int = 0
    kept: list[Seed] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


def search(seeds: Sequence[Seed], runs: int, dice: random.Random, target: Target | None = None, most_octets: int = 2048) -> Search:
    """So many runs. Raises Wrong at the first that shows something."""
    target = target or Target()
    coverage, result = Coverage(), Search()
    pools: dict[tuple[str, bool], list[Seed]] = {}
    for each in seeds:
        if len(each.octets) <= most_octets:
            coverage.run(partial(target, each.octets, each.namespace, fragment=each.fragment))
            pools.setdefault((each.namespace, each.fragment), []).append(each)
    result.arcs_before = len(coverage.arcs)
    names = sorted(pools)
    for _ in range(runs):
        namespace, fragment = names[dice.randrange(len(names))]
        pool = pools[namespace, fragment]
        # What was found lately leads further more often.
        parent = pool[-1 - int(len(pool) * dice.random() ** 2)]
        octets = mutated(parent, pool, dice)[:most_octets]
        result.runs += 1
        if coverage.run(partial(target, octets, namespace, fragment=fragment)):
            found = seed(namespace, octets, fragment=fragment)
            pool.append(found)
            result.kept.append(found)
    result.arcs, result.outcomes = len(coverage.arcs), target.outcomes
    return result


def main(arguments: list[str]) -> int:
    """Search, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz.exi", description="A search for octets that the EXI codec does not stand.")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vectors", type=Path, default=VECTORS, help="rows with ns, kind and exi_hex")
    parser.add_argument("--keep", type=Path, help="a file for the streams that took a new arc: rows as in --vectors")
    given = parser.parse_args(arguments)
    try:
        dice = random.Random(given.seed)
        result = search([*vectors(given.vectors), *vectors(CORPUS), *made(dice, 1)], given.runs, dice)
    except Wrong as wrong:
        print(wrong)
        return 1
    if given.keep:
        kept = [
            {"ns": each.namespace, "kind": "fragment" if each.fragment else "document", "exi_hex": each.octets.hex()}
            for each in result.kept
        ]
        given.keep.write_text("".join(f"{json.dumps(row)}\n" for row in kept), "utf-8")
    print(f"{result.runs} runs: {dict(result.outcomes)}; arcs {result.arcs_before} -> {result.arcs}; {len(result.kept)} streams kept")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
