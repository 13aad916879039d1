"""The conformance kit on the OpenEVSE driver, over a pseudo-terminal."""

from __future__ import annotations

import pytest

from hal.conformance import Story, stories
from hal.types import BoardInfo, EvseInfo, FallsBack, Shape
from tests.unit.hal.openevse_rig import CAN, OpenEvseRig, play, powered

INFO = BoardInfo("openevse", Shape.DELEGATED, FallsBack(6.0), (EvseInfo(1, 16.0, phases=1, closes_by_itself=True),))


@pytest.mark.parametrize("story", stories(INFO, CAN), ids=str)
def test_the_driver_conforms(story: Story) -> None:
    async def whole() -> None:
        async with powered() as device:
            await story.play(OpenEvseRig(device))

    play(whole())
