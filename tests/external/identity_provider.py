"""pysaml2's identity provider, whose signatures are those of libxmlsec1: neither shares a line with what verifies them."""

import base64
import datetime

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from saml2 import BINDING_HTTP_POST, sigver
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server
from saml2.xmldsig import DIGEST_SHA256, SIG_ECDSA_SHA256, SIG_RSA_SHA256

ENTITY = "https://idp.example.com/metadata"
AUDIENCE = "https://orders.example.com/api"
RECIPIENT = "https://orders.example.com/saml/acs"

CREATE = {"RSA": lambda: rsa.generate_private_key(65537, 2048), "EC": lambda: ec.generate_private_key(ec.SECP256R1())}
ALGORITHMS = {"RSA": SIG_RSA_SHA256, "EC": SIG_ECDSA_SHA256}


class LibXmlSec(sigver.CryptoBackend):
    """Signs with the library that `xmlsec1` is made of, without that program."""

    version = "1.3.0"

    def sign_statement(self, statement, node_name, key_file, node_id):
        root = etree.fromstring(statement.encode() if isinstance(statement, str) else statement)
        [element] = [found for found in root.iter() if found.get("ID") == node_id]
        signature = element.find(f"{{{xmlsec.constants.DSigNs}}}Signature")
        xmlsec.tree.add_ids(element, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_file(key_file, xmlsec.constants.KeyDataFormatPem)
        context.sign(signature)
        return etree.tostring(root, encoding="unicode")


class IdentityProvider:
    """One that signs assertions for the API."""

    def __init__(self, directory, kind="RSA"):
        self.kind = kind
        directory.mkdir(parents=True, exist_ok=True)
        self.key_file, self.certificate_file = directory / "key.pem", directory / "certificate.pem"
        key = CREATE[kind]()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example.com")])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now)
        # It has expired by the next second: what counts is that the metadata has it.
        certificate = builder.sign(key, hashes.SHA256())
        encoding, nothing = serialization.Encoding.PEM, serialization.NoEncryption()
        self.key_file.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, nothing))
        self.certificate_file.write_bytes(certificate.public_bytes(encoding))
        self.configuration = IdPConfig().load(
            {
                "entityid": ENTITY,
                "key_file": str(self.key_file),
                "cert_file": str(self.certificate_file),
                "crypto_backend": "XMLSecurity",
                "valid_for": 24,
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": [(f"{ENTITY}/sso", BINDING_HTTP_POST)]},
                        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                    }
                },
            }
        )
        self.server = Server(config=self.configuration)
        self.server.sec.crypto = LibXmlSec()

    def metadata(self):
        return str(entity_descriptor(self.configuration))

    def response(self, subject="alice@example.com", audience=AUDIENCE, recipient=RECIPIENT, **identity):
        """The whole message that a browser would carry, with a signed assertion in it."""
        name = NameID(format=NAMEID_FORMAT_EMAILADDRESS, text=subject)
        authentication = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"}
        return str(
            self.server.create_authn_response(
                identity or {"mail": [subject], "eduPersonAffiliation": ["staff", "member"]},
                in_response_to="_request",
                destination=recipient,
                sp_entity_id=audience,
                name_id=name,
                authn=authentication,
                sign_assertion=True,
                sign_response=False,
                sign_alg=ALGORITHMS[self.kind],
                digest_alg=DIGEST_SHA256,
            )
        )

    def assertion(self, **settings):
        """The assertion out of it, as a client would take it: with the namespaces that it needs."""
        root = etree.fromstring(self.response(**settings).encode())
        [assertion] = root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
        return etree.tostring(assertion, encoding="unicode", with_tail=False)


def bearer(xml):
    """As it stands in the header."""
    return "Bearer " + base64.urlsafe_b64encode(xml.encode()).decode().rstrip("=")
