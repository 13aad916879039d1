"""A small CSMS for `demo`, benches and campaigns: `async with EmbeddedCsms() as csms`."""

from bench.csms.server import Behaviour, EmbeddedCsms, Refused, Session

__all__ = ["Behaviour", "EmbeddedCsms", "Refused", "Session"]
