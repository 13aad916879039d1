"""Rows of CustomizationCtrlr, and what they say: which vendor extensions count, and which triggers they bring."""

from __future__ import annotations

from chargepoint.ocpp.block import Context
from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.vendors import Vendor

CUSTOM_TRIGGERS = Variable(
    "CustomizationCtrlr",
    "CustomTriggers",
    "MemberList",
    None,
    "What TriggerMessage(CustomTrigger) may name; there where a vendor's extension brings one.",
    persistent=False,
    source="OCPP 2.1 F06",
)


def enabled_row(vendor_id: str) -> Variable:
    """CustomImplementationEnabled of this vendor."""
    return Variable(
        "CustomizationCtrlr",
        "CustomImplementationEnabled",
        "boolean",
        "true",
        "Whether what this vendor adds counts.",
        instance=vendor_id,
        mutability=Mutability.READ_WRITE,
        source="OCPP 2.1 P01",
    )


def enabled(context: Context, vendor_id: str) -> bool:
    """As the CSMS has set it."""
    return context.model.flag(enabled_row(vendor_id))


def custom_triggers(context: Context) -> dict[str, Vendor]:
    """Those of the vendors that count: name -> whose it is."""
    vendors = [vendor for vendor in context.vendors.values() if vendor.triggers and enabled(context, vendor.id)]
    return {name: vendor for vendor in vendors for name in vendor.triggers}
