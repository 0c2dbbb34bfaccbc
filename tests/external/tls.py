"""Private certificate authorities, and key servers with their certificates."""

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from harness import PATIENCE, KeyServer

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)
SERVERS = ExtendedKeyUsageOID.SERVER_AUTH
CLIENTS = ExtendedKeyUsageOID.CLIENT_AUTH
WELL_KNOWN = "/.well-known/openid-configuration"


class Credentials:
    """A private key, its certificate, and what a server sends with it."""

    def __init__(self, key, certificate, chain=()):
        self.key = key
        self.certificate = certificate
        self.chain = list(chain)

    @property
    def pem(self):
        """The certificate."""
        return pem_of(self.certificate).decode()

    @property
    def private_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def context(self):
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.private_pem + self.pem + "".join(pem_of(other).decode() for other in self.chain))
            file.flush()
            context.load_cert_chain(file.name)
        return context


class Authority(Credentials):
    """Vouches for servers, and for other authorities."""

    def __init__(self, name, above=None):
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [(x509.BasicConstraints(ca=True, path_length=None), True)]
        certificate = sign(key, name, extensions, above.certificate if above else None, above.key if above else key)
        # An authority that nobody is above of is not sent along.
        super().__init__(key, certificate, [certificate, *above.chain] if above else [])

    def vouch(self, address="127.0.0.1", name=None, usage=SERVERS, since=-DAY, until=DAY, with_chain=True):
        """For a server at this address, or with this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions = [(alternative_name(address, name), False), (x509.ExtendedKeyUsage([usage]), False)]
        certificate = sign(key, "server", extensions, self.certificate, self.key, since, until)
        return Credentials(key, certificate, self.chain if with_chain else [])


def vouch_for_oneself(address="127.0.0.1"):
    key = ec.generate_private_key(ec.SECP256R1())
    return Credentials(key, sign(key, "server", [(alternative_name(address, None), False)], None, key))


class TlsKeyServer(KeyServer):
    """Publishes key sets over TLS. Its certificate may be changed while it runs."""

    def __init__(self, context, documents=()):
        super().__init__(documents=documents)
        self.context = context
        # Path and header fields of each request.
        self.requests = []
        accept = self.server.get_request

        def accept_tls():
            connection, address = accept()
            connection.settimeout(PATIENCE)
            # Otherwise the answer waits until the tickets before it are acknowledged.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The handshake is done by the connection's own thread, with its first read.
            wrapped = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            return wrapped, address

        self.server.get_request = accept_tls
        # A client that hangs up on a certificate is no error here.
        self.server.handle_error = lambda *_: None

    @property
    def url(self):
        return f"https://{self.address}"

    def publish(self, path, keys):
        super().publish(path, keys)
        return f"{self.url}{path}"

    def announce(self, issuer, jwks_uri):
        """The issuer whose discovery document is here, and leads there."""
        document = {"issuer": self.url, "jwks_uri": jwks_uri}
        self.documents[WELL_KNOWN] = json.dumps(document).encode()
        return issuer.named(self.url)

    def get(self, handler):
        self.requests.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}))
        super().get(handler)


def oldest_tls(credentials):
    """A server that is stuck with TLS 1.1."""
    context = credentials.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def speaks(context, version):
    """Whether a client that takes anything agrees with this server on this version."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.minimum_version = client.maximum_version = version
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(ours, theirs), context.wrap_bio(theirs, ours, server_side=True)]
    with contextlib.suppress(ssl.SSLError):
        for side in sides * 4:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
        return True
    return False


def alternative_name(address, name):
    general = x509.DNSName(name) if name else x509.IPAddress(ipaddress.ip_address(address))
    return x509.SubjectAlternativeName([general])


def sign(key, name, extensions, above, signing_key, since=-DAY, until=DAY):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + since)
        .not_valid_after(NOW + until)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, critical=is_critical)
    return builder.sign(signing_key, hashes.SHA256())


def pem_of(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
