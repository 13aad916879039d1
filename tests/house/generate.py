"""`python -m tests.house.generate [--check]`, which is `make docs`: every generated page under docs/."""

from __future__ import annotations

import sys

from bench import render_config, render_limits, render_machines, render_story
from tests.house import conformance, requirements

RENDERERS = (render_machines.main, render_config.main, render_limits.main, render_story.main, requirements.main, conformance.main)


def main(arguments: list[str]) -> int:
    """Each renderer writes, or with `--check` only says what is stale; 1 when any is."""
    return max(renderer(arguments) for renderer in RENDERERS)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
