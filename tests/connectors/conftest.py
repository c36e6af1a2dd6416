"""Every transport there is, and a certificate that nobody trusts unasked."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from connectors.gateway import Gateway
from connectors.wire import AioTransport

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.fixture(params=["gateway", "wire", "httpx"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncBaseTransport]:
    made: httpx.AsyncBaseTransport
    if request.param == "gateway":
        made = Gateway(allowed_networks=LOOPBACK).transport()
    elif request.param == "wire":
        made = AioTransport()
    else:
        made = httpx.AsyncHTTPTransport(trust_env=False)
    yield made
    await made.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a certificate for 127.0.0.1 that nobody trusts; the file holds its key as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK[0][1])]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return str(path)


@pytest.fixture(scope="module")
def tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
