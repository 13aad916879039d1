"""Which roots and which client chain a connection to the CSMS uses: those of the store, over the files of the configuration.

They are looked up for each connection, so that what was installed meanwhile counts for the next one (M05, A02.FR.08).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from certs.store import Identity, OwnUse, RootUse, in_use
from chargepoint.commands import OpenLink
from chargepoint.config import CsmsConfig
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.tls import TlsFiles

ROOTS: RootUse = "CSMSRootCertificate"
OWN: OwnUse = "ChargingStationCertificate"


def credentials(
    csms: CsmsConfig,
    held: Callable[[], Held],
    order: OpenLink,
    known_utc: Callable[[], float | None] = time.time,
    token_module: str = "",
) -> TlsFiles:
    """What TLS needs for this attempt; `known_utc` is the time of day, None while nobody has set it, `token_module` the PKCS#11 library for a key in a token.

    A store that cannot be read leaves the configured files. The system's roots count as long as the configuration names none, beside what was
    installed: a CSMS with a public certificate would be out of reach else.
    """
    now = held()
    if not now.read:
        return TlsFiles(csms.ca_file, csms.client_cert_file, csms.client_key_file, clock=known_utc)
    roots = "".join(each.pem for each in now.contents.roots if each.use == ROOTS and each.fingerprint not in order.distrusted)
    identity = (now.identity(order.own_slot) if order.own_slot else None) or _best(now, known_utc())
    system = not csms.ca_file
    if identity is None:
        return TlsFiles(roots=roots, system=system, clock=known_utc)
    return TlsFiles(roots=roots, system=system, chain=identity.chain, key=identity.key, token_module=token_module, clock=known_utc)


def _best(held: Held, utc: float | None) -> Identity | None:
    """Of several kinds of keys."""
    for own in in_use(held.contents.own, OWN, utc):
        if identity := held.identity(own.slot):
            return identity
    return None
