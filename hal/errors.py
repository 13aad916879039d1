"""Why hardware did not do what it was asked. The class name travels (`HardwareFailed.error`), so names stay as they are."""

from __future__ import annotations


class HalError(Exception):
    """The hardware did not do it. Whoever asked for something that makes safe must assume that it is not safe."""


class ContactorFault(HalError):
    """The feedback disagrees with the command: failed to close, or still closed after opening (welded)."""


class StageFault(HalError):
    """The DC stage does not take this order, or is broken."""


class InsulationFault(HalError):
    """The insulation monitor gives no reading, or failed its self-test; never a guess."""


class LockFault(HalError):
    """The lock did not reach its position."""


class PilotFault(HalError):
    """The board could not put this on the pilot."""


class MeterFault(HalError):
    """No reading, or one that cannot be right (S-12); never a guess."""


class ResidualCurrentFault(HalError):
    """The residual-current device failed its self-test, or does not take the re-arming."""


class LeaseLapsed(HalError):
    """Closing was asked for without a live permit, or the permit ran out meanwhile."""


class BoardSilent(HalError):
    """The board does not answer."""


class NotFitted(HalError):
    """This board cannot do that, and never will."""


class OptionError(ValueError):
    """A driver's option is wrong; the message names the key, what it is and what it may be."""
