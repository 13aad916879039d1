"""10 000 random things in any order (plugs, cards, remote starts, lost links, faults): the invariants hold at every one of them (S-10, S-11, S-30)."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from bench.heap import Heap
from chargepoint.commands import CloseContactor
from chargepoint.events import LinkSwitched
from chargepoint.tick import Tick
from tests.campaigns.test_outages import got, whole
from tests.replay.stories import act, life

WHOLE = bool(os.environ.get("SOAK"))
STEPS = 50
WITHDRAWN_S, OPENS_S = 6.1, 0.1
"""C1 may hold closed for 6 s (facts of the closing invariant); a trip opens within 100 ms."""


class Monitor:
    """Looks at the board's physics and at the disk, not at what the station believes."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.withdrawn: dict[int, float] = {}
        self.tripped: dict[int, float] = {}

    def __call__(self, tick: Tick, event: object, commands: tuple[Any, ...]) -> None:
        heap = self.heap
        assert heap.station
        for command in commands:
            if isinstance(command, CloseContactor):
                rows = heap.store.get("transactions", {}).values()
                assert any(row["evse_id"] == command.evse_id for row in rows), "closed without a Started on disk"
        for evse_id, facts in heap.station.wiring.context.evses.items():
            evse = heap.world.evses[evse_id]
            closed = evse.contactor.poles > 0 and not evse.contactor.welded
            permitted = facts.id_token is not None and facts.transaction_id and evse.load is not None
            if permitted or not closed:
                self.withdrawn[evse_id] = tick.mono
            assert tick.mono - self.withdrawn.setdefault(evse_id, tick.mono) <= WITHDRAWN_S, f"closed for nobody: {facts}"
            if closed and evse.rcd.tripped:
                assert tick.mono - self.tripped.setdefault(evse_id, tick.mono) <= OPENS_S, "closed though tripped"
            else:
                self.tripped.pop(evse_id, None)


@pytest.mark.soak
@pytest.mark.req("S-10", "S-11", "S-30")
@pytest.mark.parametrize("seed", range(200 if WHOLE else 16))
def test_any_order_of_things(seed: int) -> None:
    heap, dice = life(seed), random.Random(seed)
    heap.watch = Monitor(heap)
    heap.start()
    heap.run(10.0)
    for _ in range(STEPS):
        act(heap, dice)
        if dice.random() < 0.02:
            heap.cut()
            heap.run(dice.choice((0.1, 60.0)))
            heap.start()
    heap.reachable = True
    heap.tell(LinkSwitched(up=True))
    for evse in heap.world.evses.values():
        evse.unplug_vehicle()
    heap.run(1500.0)
    for evse in heap.world.evses.values():
        assert evse.contactor.poles == 0
    for numbered in got(heap).values():
        whole(numbered)
    assert not [key for key in heap.store.get("outbox", {}) if key.isdigit()]
