"""A booted station on the heap, seen from the CSMS's end of the line: what is said to it, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from bench.ev import Ev, EvSpec
from bench.heap import Heap
from chargepoint.commands import CloseLink
from hal.types import TokenPresented
from tests.replay.stories import CARD, configured, csms, world_of


class CsmsSide:
    def __init__(self, answers: Callable[..., Any] = csms, **more: Any) -> None:
        config = configured(evses=1, **more)
        self.heap = Heap(config, world_of(config), answers, seed="c5")
        self.heap.start()
        self.heap.run(5.0)
        self._ids = count(1)

    def say(self, text: str | list[Any]) -> list[list[Any]]:
        """What comes back for a text: calls of the station's own left out."""
        before = len(self.heap.frames)
        self.heap.receive(text)
        self.heap.run(0.5)
        return [frame for frame in self.heap.frames[before:] if frame[0] != 2]

    def ask(self, action: str, payload: Any, message_id: str = "") -> list[Any]:
        """The one answer."""
        found = self.say(json.dumps([2, message_id or f"q{next(self._ids)}", action, payload]))
        assert len(found) == 1, found
        return found[0]

    def alive(self) -> None:
        """The same connection answers, and the process goes on."""
        (variable,) = self.ask("GetVariables", {"getVariableData": [{"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}]})[2]["getVariableResult"]  # fmt: skip
        assert variable["attributeStatus"] == "Accepted"
        assert not [c for c in self.heap.commands if isinstance(c, CloseLink)]

    def charge(self) -> None:
        evse = self.heap.world.evses[1]
        evse.plug(Ev(EvSpec(max_A=16.0), self.heap.now))
        self.heap.run(4.0)
        self.heap.tell(TokenPresented(CARD, "ISO14443", (1,)))
        self.heap.run(10.0)
        assert evse.contactor.poles == 3

    @property
    def closed(self) -> bool:
        return self.heap.world.evses[1].contactor.poles > 0

    def calls(self, action: str) -> list[dict[str, Any]]:
        return [frame[3] for frame in self.heap.frames if frame[0] == 2 and frame[2] == action]
