"""The kit's asserts show their values."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("hal.conformance")
