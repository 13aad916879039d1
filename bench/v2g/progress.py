"""What a PowerDeliveryReq of any protocol wants, in one language."""

from __future__ import annotations


def progress(message: object) -> str:
    """ChargeProgress; "" of anything that is no PowerDeliveryReq. DIN 70121 has ReadyToChargeState for two of its values."""
    if type(message).__name__ != "PowerDeliveryReq":
        return ""
    ready = getattr(message, "ReadyToChargeState", None)
    return str(getattr(message, "ChargeProgress", "")) if ready is None else "Start" if ready else "Stop"
