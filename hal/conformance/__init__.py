"""A kit for the tests of drivers: stories that any board has to live through, raw or delegated.

A driver's test module builds a `Rig` (the board, and hands that play the car and break things) and plays every story that fits it:

    STORIES = stories(BoardInfo("mine", Shape.RAW, Opens(0.5), (EvseInfo(),)), frozenset({Can.WELD, Can.JAM}))

    @pytest.mark.parametrize("story", STORIES, ids=str)
    def test_conforms(story: Story) -> None:
        asyncio.run(played(story))      # `await story.play(MyRig())` on any loop

What hands or board cannot do is not asked: such a story is not in the list. Stories wait for what is told, not for time to pass, so they
run on virtual time as well. For readable failures, a conftest says `pytest.register_assert_rewrite("hal.conformance")`.
"""

from hal.conformance import dc, fitted, line, power, told
from hal.conformance.rig import Bench, Can, CarState, Rig
from hal.conformance.story import Story, stories

__all__ = ["Bench", "Can", "CarState", "Rig", "Story", "dc", "fitted", "line", "power", "stories", "told"]
