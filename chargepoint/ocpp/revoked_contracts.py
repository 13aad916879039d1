"""Contract certificates that the CSMS has called revoked: they stay refused offline, whatever becomes of the authorization cache (OCPP 2.1 C07)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargepoint.authorize_contract import TBS, TEXT, certificate_key
from chargepoint.commands import Delete, Put
from chargepoint.events import Contract

TABLE = "revoked_contracts"
MOST_ROWS = 1000
"""Certificates that are remembered (ours): the one that was told longest ago goes."""
REVOKED = "CertificateRevoked"


def loaded(stored: Mapping[str, Any]) -> tuple[dict[str, float], list[Delete]]:
    """As they were kept: key of the certificate -> when that was told, as POSIX seconds. What is of another form, or has a key of another kind, goes."""
    rows = {key: float(at) for key, at in stored.items() if isinstance(at, (int, float)) and key.startswith((TBS, TEXT))}
    return rows, [Delete(TABLE, key) for key in stored if key not in rows]


def told(rows: dict[str, float], contract: Contract, certificate: str, utc: float) -> list[Put | Delete]:
    """What the CSMS says now; `certificate` is its certificateStatus, "" where it says nothing. Only what was judged by a root that is known here counts."""
    if not contract.rooted:
        return []
    key = certificate_key(contract)
    if certificate != REVOKED:
        gone = certificate == "Accepted" and rows.pop(key, None) is not None
        return [Delete(TABLE, key)] if gone else []
    out: list[Put | Delete] = []
    if key not in rows and len(rows) >= MOST_ROWS:
        oldest = min(rows, key=lambda each: rows[each])
        del rows[oldest]
        out.append(Delete(TABLE, oldest))
    rows[key] = utc
    return [*out, Put(TABLE, key, utc)]
