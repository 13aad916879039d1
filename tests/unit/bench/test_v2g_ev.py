"""What `chargepoint ev` speaks, as the command line says it."""

from __future__ import annotations

import pytest

from bench.exi.given import InputError
from bench.v2g.ev import Options, protocols, vehicle_for


@pytest.mark.parametrize(
    ("words", "service", "tls", "names"),
    [
        ("any", "DC", "none", ("iso20-dc", "iso2-dc", "din")),
        ("any", "DC", "1.3", ("iso20-dc", "iso2-dc")),
        ("any", "AC", "none", ("iso20-ac", "iso2-ac")),
        ("any", "DC_BPT", "none", ("iso20-dc",)),
        ("any", "DC_BPT,AC", "none", ("iso20-dc", "iso20-ac", "iso2-ac")),
        ("din,iso2-dc,din", "DC", "none", ("din", "iso2-dc")),
        ("DIN_SPEC_70121,ISO_15118_20_DC", "DC", "none", ("din", "iso20-dc")),
        ("iso2", "AC", "none", ("iso2-ac",)),
        ("ISO_15118_2", "DC", "1.2", ("iso2-dc",)),
        ("urn:din:70121:2012:MsgDef", "DC", "none", ("din",)),
    ],
)
def test_protocols(words: str, service: str, tls: str, names: tuple[str, ...]) -> None:
    options = Options("lo", protocol=words, service=service, tls=tls)
    assert protocols(options) == names
    assert vehicle_for(options).wants.protocols == names


@pytest.mark.parametrize("words", ["iso20-wpt", "ocpp", "din,", "xmldsig"])
def test_no_such_protocol(words: str) -> None:
    with pytest.raises(InputError, match="no such protocol; there are iso20-dc, iso20-ac, iso2-dc, iso2-ac, din"):
        protocols(Options("lo", protocol=words))
