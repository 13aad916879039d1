"""Who tells what has been revoked: an OCSP responder for a whole test PKI, as a function and over HTTP on loopback (RFC 6960, appendix A); and its CAs' lists."""

from __future__ import annotations

import asyncio
import datetime as dt
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench.v2g.pki import World
from certs import crl, hash_data
from certs.chain import Status, tbs_fingerprint
from certs.hash_data import HashData, HashDataError
from certs.ocsp import Answer, judge
from certs.testpki_make import Identity

MOST_OCTETS = 16 * 1024
HOLDS = dt.timedelta(days=3)
"""From thisUpdate to nextUpdate."""


class Responder:
    """Knows every certificate of the tree, and every contract whose issuer is in it: what it has not revoked is good."""

    def __init__(self, world: World, *, holds: dt.timedelta = HOLDS) -> None:
        self.world, self.holds = world, holds
        self.revoked: dict[str, dt.datetime] = {}
        """By `tbs_fingerprint`."""
        self.serials: dict[int, dt.datetime] = {}
        self.silent = False
        """Says tryLater."""

    def revoke(self, certificate: x509.Certificate, at: dt.datetime) -> None:
        """From then on."""
        self.revoked[tbs_fingerprint(certificate)] = self.serials[certificate.serial_number] = at

    def status_of(self, data: HashData) -> Status:
        """By its hashes."""
        if self._issuer(data) is None:
            return "unknown"
        return "revoked" if int(data.serial_number, 16) in self.serials else "good"

    def respond(self, request: bytes, now: dt.datetime) -> bytes:
        """The response to a request, both in DER."""
        try:
            asked = ocsp.load_der_ocsp_request(request)
            algorithm = {"sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}[asked.hash_algorithm.name]
            serial = format(asked.serial_number, "x")
            data = hash_data.parsed(algorithm, asked.issuer_name_hash.hex(), asked.issuer_key_hash.hex(), serial)
        except (ValueError, KeyError, HashDataError):
            return _error(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        return self.about(data, now)

    def about(self, data: HashData, now: dt.datetime) -> bytes:
        """What it says of this certificate now."""
        if self.silent:
            return _error(ocsp.OCSPResponseStatus.TRY_LATER)
        found = self._issuer(data)
        if found is None:
            return _error(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        name, _ = found
        signer = self.world.made[f"{name}Ocsp"]
        since = self.serials.get(int(data.serial_number, 16))
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=bytes.fromhex(data.issuer_name_hash),
            issuer_key_hash=bytes.fromhex(data.issuer_key_hash),
            serial_number=int(data.serial_number, 16),
            algorithm=hash_data.ALGORITHMS[data.algorithm],
            cert_status=ocsp.OCSPCertStatus.REVOKED if since else ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + self.holds,
            revocation_time=since,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate).certificates([signer.certificate])
        key: Any = signer.key
        return builder.sign(key, None if isinstance(key, ed448.Ed448PrivateKey) else hashes.SHA512()).public_bytes(Encoding.DER)

    def revocations(self, name: str, now: dt.datetime) -> bytes:
        """The list of the CA of this name."""
        identity = self.world.made[name]
        builder = x509.CertificateRevocationListBuilder().issuer_name(identity.certificate.subject)
        builder = builder.last_update(now).next_update(now + self.holds)
        for serial, at in self.serials.items():
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at.replace(tzinfo=None)).build()
            )
        key: Any = identity.key
        return builder.sign(key, None if isinstance(key, ed448.Ed448PrivateKey) else hashes.SHA512()).public_bytes(Encoding.DER)

    # ---- as a CSMS says it

    def answer(self, row: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
        """GetCertificateStatusResponse for an OCSPRequestDataType."""
        try:
            data = hash_data.parsed(row["hashAlgorithm"], row["issuerNameHash"], row["issuerKeyHash"], row["serialNumber"])
        except HashDataError:
            return {"status": "Failed"}
        octets = self.about(data, now)
        if ocsp.load_der_ocsp_response(octets).response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return {"status": "Failed"}
        return {"status": "Accepted", "ocspResult": b64encode(octets).decode()}

    def row(self, request: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
        """CertificateStatusType for a CertificateStatusRequestInfoType."""
        hashed = request["certificateHashData"]
        try:
            data = hash_data.parsed(hashed["hashAlgorithm"], hashed["issuerNameHash"], hashed["issuerKeyHash"], hashed["serialNumber"])
            answer = None if self.silent else self._looked_up(data, request["source"], now)
        except HashDataError:
            answer = None
        status = answer.status.capitalize() if answer is not None else "Failed"
        until = (answer.next_update if answer is not None else None) or now
        told = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"certificateHashData": hashed, "source": request["source"], "status": status, "nextUpdate": told}

    def _looked_up(self, data: HashData, source: str, now: dt.datetime) -> Answer | None:
        """As a CSMS judges what the source has; it knows the certificate by its hashes only where it is one of the tree."""
        found = self._issuer(data)
        subject = next(
            (each.certificate for each in self.world.made.values() if format(each.certificate.serial_number, "x") == data.serial_number),
            None,
        )
        if found is None or subject is None:
            return None
        name, issuer = found
        if source == "CRL":
            return crl.judge(self.revocations(name, now), certificate=subject, issuer=issuer.certificate, now=now)
        return judge(self.about(data, now), certificate=subject, issuer=issuer.certificate, now=now)

    def _issuer(self, data: HashData) -> tuple[str, Identity] | None:
        for name, identity in self._cas():
            if hash_data.of(identity.certificate, identity.certificate, data.algorithm).issuer_key_hash == data.issuer_key_hash:
                return name, identity
        return None

    def _cas(self) -> Iterator[tuple[str, Identity]]:
        return ((name, each) for name, each in self.world.made.items() if f"{name}Ocsp" in self.world.made)


def _error(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


class HttpResponder:
    """The same over HTTP. `url` is what the certificates are to name."""

    def __init__(self, respond: Callable[[bytes, dt.datetime], bytes], clock: Callable[[], float], *, port: int = 0) -> None:
        self.respond, self.clock, self.port = respond, clock, port
        self.requests = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ocsp"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            length = int(fields.get("content-length", "0"))
            if not head[0].startswith("POST ") or not 0 < length <= MOST_OCTETS:
                status, body = "400 Bad Request", b""
            else:
                self.requests += 1
                now = dt.datetime.fromtimestamp(self.clock(), dt.UTC)
                status, body = "200 OK", self.respond(await reader.readexactly(length), now)
            kind = "Content-Type: application/ocsp-response\r\n" if body else ""
            writer.write(f"HTTP/1.1 {status}\r\n{kind}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
