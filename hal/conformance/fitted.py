"""What may be fitted besides pilot and contactor."""

from __future__ import annotations

from hal.conformance.rig import Bench, Can
from hal.conformance.story import story
from hal.types import LockState, MeterSample, TokenPresented

FIRST_CARD, SECOND_CARD = "04A1B2C3", "04D4E5F6"


@story(fits=lambda board, evse: evse.has_lock)
async def the_lock_goes_both_ways(bench: Bench) -> None:
    """`lock` and `unlock` return when the sensor says so."""
    lock = bench.ports.lock
    assert lock is not None
    for locked, act in ((True, lock.lock), (False, lock.unlock)):
        mark = bench.mark()
        await act()
        await bench.hears(LockState, lambda s, locked=locked: s.locked is locked and not s.fault, since=mark)  # type: ignore[misc] # of this turn


@story(Can.DRAW, fits=lambda board, evse: evse.has_meter and evse.dc is None)
async def the_register_counts_what_flows(bench: Bench) -> None:
    """Energy goes up while current flows, and never back."""
    meter = bench.ports.meter
    assert meter is not None
    await bench.supply()
    before = await meter.read()
    mark = bench.mark()
    await bench.rig.draw(16.0)
    flowing = await bench.hears(MeterSample, lambda m: m.current_A[0] > 15.0, since=mark, within_s=5.0)
    assert flowing.power_W is None or flowing.power_W > 3000.0
    await bench.hears(MeterSample, lambda m: m.energy_import_Wh > before.energy_import_Wh, since=mark, within_s=10.0)
    registers = [each.energy_import_Wh for each in bench.since(0, MeterSample)]
    assert registers == sorted(registers)
    await bench.rig.draw(0.0)


@story(Can.PRESENT)
async def cards_are_read_when_asked(bench: Bench) -> None:
    """A card is told as it is, and none while the reader is off."""
    reader = bench.board.reader
    assert reader is not None
    await reader.enable(on=False)
    await bench.rig.present(FIRST_CARD)
    await reader.enable(on=True)
    await bench.rig.present(SECOND_CARD)
    await bench.hears(TokenPresented, lambda t: t.id_token == SECOND_CARD, since=0)
    assert [each.id_token for each in bench.since(0, TokenPresented)] == [SECOND_CARD]
