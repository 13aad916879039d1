"""A simulated EV on the pilot of IEC 61851-1, and a catalogue of EVs that misbehave."""

from bench.ev.catalogue import CATALOGUE, ev
from bench.ev.ev import Ev
from bench.ev.spec import EvSpec

__all__ = ["CATALOGUE", "Ev", "EvSpec", "ev"]
