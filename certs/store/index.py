"""The one file that says what a folder of certificates holds. It is replaced as a whole, and with it a change is made or not made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, get_args

from certs.store import OWN_USES, ROOT_USES, KeyKind, OwnUse, RootUse, SlotState, StoreError

VERSION = 2
"""2: slots of the configuration that are passed over bear the fingerprint of what was in them."""
_SLOT = re.compile(rf"({'|'.join(OWN_USES)})-(p256|p521|ed448)-([0-9]{{6,10}})")
_ROOT = re.compile(rf"({'|'.join(ROOT_USES)})-([0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Root:
    """An installed one."""

    use: RootUse
    fingerprint: str

    @property
    def name(self) -> str:
        """Of its file, without suffix."""
        return f"{self.use}-{self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Slot:
    """An own key; `number` counts all that were ever made here."""

    use: OwnUse
    kind: KeyKind
    number: int
    state: SlotState = "pending"

    @property
    def name(self) -> str:
        """Of the slot and of its files, without suffix."""
        return f"{self.use}-{self.kind}-{self.number:06}"


@dataclass(frozen=True, slots=True)
class Index:
    """`passed_over` names the roots (as Root.name) and slots of the configuration that were deleted."""

    roots: tuple[Root, ...] = ()
    slots: tuple[Slot, ...] = ()
    passed_over: tuple[str, ...] = ()
    next_number: int = 1
    version: int = VERSION

    def text(self) -> bytes:
        """As it stands on disk."""
        value = {
            "version": self.version,
            "next_number": self.next_number,
            "roots": [each.name for each in self.roots],
            "slots": {each.name: each.state for each in self.slots},
            "passed_over": list(self.passed_over),
        }
        return (json.dumps(value, indent=1) + "\n").encode()

    def slot(self, name: str) -> Slot | None:
        return next((each for each in self.slots if each.name == name), None)

    def in_state(self, state: SlotState, use: str, kind: str) -> Slot | None:
        """The one of this use and kind."""
        return next((each for each in self.slots if (each.state, each.use, each.kind) == (state, use, kind)), None)

    def without(self, *gone: Slot | None) -> Index:
        """These slots are no more."""
        return replace(self, slots=tuple(each for each in self.slots if each not in gone))

    def changed(self, slot: Slot, state: SlotState) -> Index:
        return replace(self, slots=tuple(replace(each, state=state) if each == slot else each for each in self.slots))


def read(octets: bytes) -> Index:
    """Raises ValueError where it is damaged, StoreError where a later software has written it."""
    try:
        value = json.loads(octets)
        if value["version"] > VERSION:
            raise StoreError("Failed", f"of version {value['version']}, written by a later software; this one knows {VERSION}")
        index = Index(
            tuple(map(_root, value["roots"])),
            tuple(_slot(name, state) for name, state in value["slots"].items()),
            tuple(map(str, value["passed_over"])),
            int(value["next_number"]),
            int(value["version"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"damaged: {error!r:.80}") from None
    places = [(each.state, each.use, each.kind) for each in index.slots]
    if len(places) != len(set(places)) or any(each.number >= index.next_number for each in index.slots):
        raise ValueError("damaged: slots that contradict each other")
    return index


def _root(name: str) -> Root:
    root = root_named(name)
    if root is None:
        raise ValueError(f"damaged: {name!r:.80}")
    return root


def _slot(name: str, state: Any) -> Slot:
    slot = slot_named(name)
    if slot is None or state not in get_args(SlotState):
        raise ValueError(f"damaged: {name!r:.80}")
    return replace(slot, state=state)


def root_named(name: str) -> Root | None:
    """Of a file's name without its suffix; None where no root of this store is called so."""
    match = _ROOT.fullmatch(name)
    return Root(next(use for use in ROOT_USES if use == match[1]), match[2]) if match else None


def slot_named(name: str) -> Slot | None:
    """The same for a slot; its state is not in its name."""
    match = _SLOT.fullmatch(name)
    if not match:
        return None
    kind: KeyKind = next(each for each in get_args(KeyKind) if each == match[2])
    slot = Slot(next(use for use in OWN_USES if use == match[1]), kind, int(match[3]))
    return slot if slot.name == name else None
