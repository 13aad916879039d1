"""The bench's OCSP responder: what it says is believed by the station's own judge, over HTTP as well; what is no request gets no answer."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from bench.csms.ocsp_responder import HttpResponder, Responder
from bench.v2g.pki import NOW, World
from certs import crl, hash_data
from certs import ocsp as ours

KINDS: list[Any] = ["p521", "ed448", "p256"]


async def post(port: int, body: bytes, method: str = "POST", length: int | None = None) -> tuple[str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body)
    head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head.split(b"\r\n")[0].decode(), answer


@pytest.mark.parametrize("kind", KINDS)
def test_good_and_revoked_and_another_pki(kind: Any) -> None:
    world = World.of(kind)
    responder = Responder(world)
    contract = world.issued("DETSTC00000001").certificate
    issuer = world.made["moSub2"].certificate

    def judged() -> str:
        octets = responder.respond(ours.request_for(contract, issuer), NOW)
        return ours.judge(octets, certificate=contract, issuer=issuer, now=NOW).status

    assert judged() == "good"
    responder.revoke(contract, NOW)
    assert judged() == "revoked"
    responder.silent = True
    assert judged() == "unknown"
    responder.silent = False
    other = World.of(kind, b"another").made
    request = ours.request_for(other["seccLeaf"].certificate, other["cpoSub2"].certificate)
    assert ocsp.load_der_ocsp_response(responder.respond(request, NOW)).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.req("M07")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["OCSP", "CRL"])
def test_a_chain_as_a_csms_tells_it(kind: Any, source: str) -> None:
    world = World.of(kind, responder="http://ocsp.example/", lists="http://lists.example/")
    responder, leaf = Responder(world), world.made["vehicleLeaf"].certificate

    def told(made: Any = world.made) -> str:
        data = hash_data.of(made["vehicleLeaf"].certificate, made["oemSub2"].certificate)
        names = zip(("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber"), data, strict=True)
        row = responder.row({"source": source, "urls": ["http://x"], "certificateHashData": dict(names)}, NOW)
        assert row["source"] == source
        assert (row["nextUpdate"] == "2027-01-18T08:00:00.000Z") == (row["status"] != "Failed")
        return str(row["status"])

    assert told() == "Good"
    responder.revoke(leaf, NOW)
    assert told() == "Revoked"
    assert told(World.of(kind, b"another").made) == "Failed"
    responder.silent = True
    assert told() == "Failed"


@pytest.mark.parametrize("kind", KINDS)
def test_its_lists_are_believed(kind: Any) -> None:
    world = World.of(kind, lists="http://lists.example/")
    leaf, issuer = world.made["vehicleLeaf"].certificate, world.made["oemSub2"].certificate
    assert crl.urls_of(leaf) == ("http://lists.example/",)
    responder = Responder(world)
    assert crl.judge(responder.revocations("oemSub2", NOW), certificate=leaf, issuer=issuer, now=NOW).status == "good"
    responder.revoke(leaf, NOW)
    assert crl.judge(responder.revocations("oemSub2", NOW), certificate=leaf, issuer=issuer, now=NOW).status == "revoked"
    assert crl.judge(responder.revocations("oemSub1", NOW), certificate=leaf, issuer=issuer, now=NOW).status == "unknown"


def test_over_http() -> None:
    world = World.of("p256")
    leaf, issuer = world.made["seccLeaf"].certificate, world.made["cpoSub2"].certificate

    async def run() -> None:
        async with HttpResponder(Responder(world).respond, NOW.timestamp) as http:
            assert http.url == f"http://127.0.0.1:{http.port}/ocsp"
            status, octets = await post(http.port, ours.request_for(leaf, issuer))
            assert status == "HTTP/1.1 200 OK"
            assert ours.judge(octets, certificate=leaf, issuer=issuer, now=NOW).status == "good"
            assert (await post(http.port, b"", "GET"))[0] == "HTTP/1.1 400 Bad Request"
            assert (await post(http.port, b"", length=10**9))[0] == "HTTP/1.1 400 Bad Request"
            _, octets = await post(http.port, b"rubbish")
            assert ocsp.load_der_ocsp_response(octets).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
            assert http.requests == 2

    asyncio.run(run())


def test_a_hash_that_is_not_known() -> None:
    world = World.of("p256")
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        world.made["seccLeaf"].certificate, world.made["cpoSub2"].certificate, hashes.SHA224()
    )
    octets = Responder(world).respond(builder.build().public_bytes(Encoding.DER), NOW + dt.timedelta(1))
    assert ocsp.load_der_ocsp_response(octets).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
