"""Which fields and variables of OCPP hold what nobody but the CSMS and the station may read: for exports, and for whoever looks on."""

from __future__ import annotations

SECRET_NAMES = frozenset({"basicauthpassword", "password", "vpnpassword", "vpnkey", "apnpassword", "simpin", "sharedsecret"})
"""In lower case: of messages (SetNetworkProfile) and of device-model variables."""
ONLY_IN = {"key": "vpn"}
"""Names that hold a secret in an object of this name only."""


def is_secret(name: str, parent: str = "") -> bool:
    """Whether a field of this name, in an object that its parent holds under `parent`, is one.

    >>> is_secret("simPin"), is_secret("key"), is_secret("key", "vpn")
    (True, False, True)
    """
    folded = name.casefold()
    return folded in SECRET_NAMES or ONLY_IN.get(folded, "-") == parent.casefold()


def is_key_code(type_: object) -> bool:
    """Whether a token of this type is a PIN that somebody knows by heart: it stands in no log, not even a part of it (OCPP 2.1 C04.FR.04).

    >>> is_key_code("KeyCode"), is_key_code("ISO14443"), is_key_code(None)
    (True, False, False)
    """
    return isinstance(type_, str) and type_.casefold() == "keycode"
