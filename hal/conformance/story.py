"""A story, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from hal.conformance.rig import Bench, Can, Rig
from hal.types import BoardInfo, EvseInfo, Shape

Play = Callable[[Bench], Coroutine[Any, Any, None]]
Fits = Callable[[BoardInfo, EvseInfo], bool]


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that every board does."""

    name: str
    needs: frozenset[Can]
    fits: Fits
    told: Play
    declared: BoardInfo | None = None
    """What the list was made for; the board has to be that."""

    def __str__(self) -> str:
        return self.name

    async def play(self, rig: Rig) -> None:
        """On a fresh rig. Raises AssertionError."""
        bench = Bench(rig)
        rig.board.listen(bench.sink)
        try:
            await rig.board.start()
            self._is_declared(bench)
            await self.told(bench)
        finally:
            await bench.let_lapse()
            await rig.board.stop()
        assert not bench.told_inside, f"told from inside of a call: {bench.told_inside}"

    def _is_declared(self, bench: Bench) -> None:
        if self.declared is None:
            return
        board, evse_id = bench.board.info, bench.rig.evse_id
        assert board.shape is self.declared.shape
        assert board.on_silence == self.declared.on_silence
        assert board.evse(evse_id) == self.declared.evse(evse_id)


ALL: list[Story] = []


def story(*needs: Can, fits: Fits = lambda board, evse: True) -> Callable[[Play], Play]:
    """Put it into the list."""

    def add(play: Play) -> Play:
        ALL.append(Story(play.__name__, frozenset(needs), fits, play))
        return play

    return add


def raw(board: BoardInfo, evse: EvseInfo) -> bool:
    """We run the pilot."""
    return board.shape is Shape.RAW


def delegated(board: BoardInfo, evse: EvseInfo) -> bool:
    """A controller runs it."""
    return board.shape is Shape.DELEGATED


def with_feedback(board: BoardInfo, evse: EvseInfo) -> bool:
    """The contactor says where it is."""
    return evse.contactor_feedback


def stories(board: BoardInfo, can: frozenset[Can] = frozenset(), evse_id: int = 1) -> list[Story]:
    """Those that such a board, on this EVSE, with hands that can do this, has to live through."""
    evse = board.evse(evse_id)
    return [replace(each, declared=board) for each in ALL if each.needs <= can and each.fits(board, evse)]
