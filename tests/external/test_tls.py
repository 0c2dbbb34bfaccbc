"""Rule K1: keys come from a server whose certificate holds."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness import KeyServer, running_function
from issuer import Issuer


def test_keys_of_a_server_that_nobody_vouches_for_are_not_used(binary, issuer, key_server, tmp_path):
    with KeyServer(documents=key_server.documents) as impostor:
        impostor.server.socket = self_signed(tmp_path).wrap_socket(impostor.server.socket, server_side=True)
        over_tls = Issuer(f"https://{impostor.address}/keys", issuer.key)
        answer, record = ask(binary, over_tls, tmp_path / "tls")
        assert answer.is_error and answer.body["errorType"] == "key_set_unavailable"
        assert "certificate" in record["detail"]
    answer, _ = ask(binary, issuer, tmp_path / "plain")
    assert answer.effect == "Allow", "the same keys, from a loopback address that the configuration allows"


def ask(binary, issuer, directory):
    directory.mkdir()
    with running_function(binary, directory, {"AUTHORIZER_CONFIG": issuer.configuration()}) as function:
        answer = function.authorize(f"Bearer {issuer.token()}")
        return answer, function.record(answer)


def self_signed(directory):
    """A certificate for the right address, by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
