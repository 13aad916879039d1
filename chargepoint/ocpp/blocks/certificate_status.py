"""Whether the certificates that vehicles are shown have been revoked: asked through the CSMS, kept, and stapled in TLS (OCPP 2.1 M06).

An answer is judged here, whoever has handed it on. It is asked for anew within a week, and sooner where it says so itself; what cannot be believed, or does
not come, leaves what was known until that is too old. Nothing is asked while nobody knows the time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import ClassVar, NamedTuple

from cryptography import x509

from certs import hash_data, ocsp
from certs.ocsp import Answer, Kept, Status, Watch
from certs.reading import fingerprint, is_signed, readable
from certs.store import InstalledRoot, OwnChain, OwnUse, in_use
from chargepoint import codec
from chargepoint.commands import Delete, Log, Persist, Put, SetStaples
from chargepoint.events import CertificateHash, CertificatesRead, LinkUp, PoweredUp, RegistrationChanged, TimerExpired, TimeSet
from chargepoint.ocpp.authorize_contract import hash_row
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

TABLE = "ocsp"
ACTION = "GetCertificateStatus"
LOOK_AGAIN_S = 3_600.0
"""A clock that somebody sets shows itself at the latest then [K]."""
LEAST_S = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one certificate. Times are POSIX seconds as the station tells them."""

    status: Status = "unknown"
    until_utc: float | None = None
    ask_utc: float | None = None
    """None: at once."""
    failures: int = 0
    response: bytes = b""


@dataclass(slots=True)
class CertificateStatusState:
    """What it remembers."""

    rows: dict[str, Row] = field(default_factory=dict)
    """By fingerprint."""
    asking: str = ""
    """About this one the CSMS is being asked."""
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Slot -> hashes of the responses that were handed on last."""
    look_at: float | None = None
    """Tick.mono."""


class Watched(NamedTuple):
    """A certificate of ours whose state somebody tells."""

    name: str
    certificate: x509.Certificate
    issuer: x509.Certificate
    url: str


class CertificateStatusBlock(Block):
    """Of all chains for ISO 15118 that are in use."""

    name: ClassVar[str] = "certificate_status"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: CertificateStatusState = CertificateStatusState()

    def deadline(self) -> float | None:
        return self.state.look_at

    @hears(PoweredUp)
    def powered_up(self, now: Tick, event: PoweredUp) -> Sequence[object]:
        for name, value in event.stored.get(TABLE, {}).items():
            try:
                self.state.rows[name] = codec.load(Row, value, name)
            except codec.CodecError:
                continue  # it is asked for anew
        return ()

    # ---- asking

    @hears(CertificatesRead, LinkUp, RegistrationChanged, TimeSet, TimerExpired)
    def look(self, now: Tick, event: object = None) -> Sequence[object]:
        """What is due is asked for, one after the other; what has become too old is stapled no more."""
        state, utc = self.state, self.context.clock.known_utc(now)
        chains = self._chains(utc)
        watched = {each.name: each for _, chain in chains for each in chain if each.url}
        state.look_at = now.mono + LOOK_AGAIN_S if watched else None
        if utc is None:
            return ()
        gone = [name for name in state.rows if name not in watched] if self.context.certificates.own else []
        for name in gone:
            del state.rows[name]
        out: list[object] = [Persist(tuple(Delete(TABLE, name) for name in gone))] if gone else []
        at, watch = _at(utc), self._watch(watched)
        out += self._staples(chains, watch, at)
        due = [name for name in watched if name in watch.due(at)]
        if due and self.context.link.online and not state.asking:
            state.asking = due[0]
            out.append(Call(ACTION, _request(watched[due[0]]), f"{self.name}:{due[0]}"))
        next_ = watch.deadline(at)
        if next_ is not None:
            state.look_at = now.mono + min(max(next_.timestamp() - utc, LEAST_S), LOOK_AGAIN_S)
        return out

    # ---- what is said

    @hears(CallAnswered, CallFailed)
    def said(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        owner, _, name = event.token.partition(":")
        if owner != self.name:
            return ()
        self.state.asking = ""
        utc = self.context.clock.known_utc(now)
        watched = next((each for _, chain in self._chains(utc) for each in chain if each.name == name), None)
        if watched is None or utc is None:
            return self.look(now)
        if isinstance(event, CallFailed) and event.code == CONNECTION_LOST:
            return ()  # it is due as before, and asked when there is a link again
        octets, answer = _judged(watched, event, _at(utc))
        watch = self._watch({name: watched})
        watch.told(name, answer, _at(utc))
        before = self.state.rows.get(name, Row())
        row = self.state.rows[name] = _row(watch.kept[name], before.response if answer.status == "unknown" else octets)
        values = {"subject": watched.certificate.subject.rfc4514_string()[:100], "status": answer.status, "why": answer.why[:200]}
        log = Log("info" if answer.status == "good" else "warning" if answer.status == "unknown" else "error", "certificate.status", values)
        return [log, Persist((Put(TABLE, name, codec.dump(Row, row)),)), *self.look(now)]

    # ---- small things

    def _staples(self, chains: Sequence[tuple[str, tuple[Watched, ...]]], watch: Watch, at: dt.datetime) -> Iterator[SetStaples]:
        """Those that are good and hold: a vehicle has no use for others."""
        state = self.state
        for slot, chain in chains:
            good = [each.name if watch.status(each.name, at) == "good" else "" for each in chain]
            responses = tuple(state.rows[name].response if name else b"" for name in good)
            mark = tuple(sha256(each).hexdigest() if each else "" for each in responses)
            if state.told.get(slot, ("",) * len(chain)) != mark:
                state.told[slot] = mark
                yield SetStaples(slot, responses)
        state.told = {slot: state.told[slot] for slot, _ in chains if slot in state.told}

    def _chains(self, utc: float | None) -> tuple[tuple[str, tuple[Watched, ...]], ...]:
        certificates = self.context.certificates
        uses: tuple[OwnUse, ...] = ("V2G20Certificate", "V2GCertificate")
        own = tuple(dict.fromkeys(each for use in uses for each in (*certificates.active(use), *in_use(certificates.own, use, utc))))
        return _watched(own, certificates.trusted("V2GRootCertificate"))

    def _watch(self, watched: dict[str, Watched]) -> Watch:
        return Watch({name: _kept(self.state.rows.get(name, Row())) for name in watched})


@lru_cache(maxsize=4)
def _watched(own: tuple[OwnChain, ...], roots: tuple[InstalledRoot, ...]) -> tuple[tuple[str, tuple[Watched, ...]], ...]:
    """Of each chain the certificates whose issuer is there, leaf first."""
    known = tuple(each for root in roots for each in readable(root.pem.encode()))
    found: list[tuple[str, tuple[Watched, ...]]] = []
    for each in own:
        chain = readable(each.pem.encode())
        top = [root for root in known if chain and is_signed(chain[-1], root)][:1]
        pairs = pairwise((*chain, *top))
        found.append((each.slot, tuple(Watched(fingerprint(one), one, above, hash_data.responder_url(one)) for one, above in pairs)))
    return tuple(found)


def _request(watched: Watched) -> dict[str, object]:
    hashed = hash_data.of(watched.certificate, watched.issuer)
    return {"ocspRequestData": hash_row(CertificateHash(*hashed, watched.url))}


def _judged(watched: Watched, event: CallAnswered | CallFailed, at: dt.datetime) -> tuple[bytes, Answer]:
    if isinstance(event, CallFailed):
        return b"", Answer("unknown", f"no good answer of the CSMS: {event.code} {event.description}".rstrip())
    if event.payload["status"] != "Accepted":
        reason = (event.payload.get("statusInfo") or {}).get("reasonCode", "")
        return b"", Answer("unknown", f"the CSMS says {event.payload['status']} {reason}".rstrip())
    octets = ocsp.octets_of(event.payload.get("ocspResult", ""))
    return octets, ocsp.judge(octets, certificate=watched.certificate, issuer=watched.issuer, now=at)


def _at(utc: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(utc, dt.UTC)


def _kept(row: Row) -> Kept:
    answer = Answer(row.status, "") if row.status != "unknown" else None
    until, ask_at = (_at(each) if each is not None else None for each in (row.until_utc, row.ask_utc))
    return Kept(answer, until, ask_at, row.failures)


def _row(kept: Kept, response: bytes) -> Row:
    until, ask_at = (each.timestamp() if each is not None else None for each in (kept.until, kept.ask_at))
    return Row(kept.answer.status if kept.answer else "unknown", until, ask_at, kept.failures, response)
