"""Rules A1, A2 and A8: the header chooses neither what kind of key this is nor which."""

import base64
import datetime
import hmac
import json
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from curves import EdwardsKey
from harness import Server, decode, encode
from issuer import claims_of
from jws import GOOD, EcKey, ec_key, header_of, token_of
from raw_rsa import rsa_key

EDWARDS = EdwardsKey()
KEYS = {"RS256": rsa_key(), "ES256": ec_key(), "ES384": ec_key("ES384"), "ES512": ec_key("ES512"), "EdDSA": EDWARDS}


@pytest.fixture(scope="module")
def url(world):
    shared = {"kty": "oct", "kid": "shared", "k": encode(b"secret"), "alg": "HS256", "use": "sig"}
    return world.issuer(*(key.jwk(name) for name, key in KEYS.items()), shared)


def public_key(name):
    """As `cryptography` has it."""
    if name == "RS256":
        return rsa.RSAPublicNumbers(rsa_key().exponent, rsa_key().modulus).public_key()
    return ec_key().key.public_key()


def pem(name, public_format=PublicFormat.SubjectPublicKeyInfo):
    return public_key(name).public_bytes(Encoding.PEM, public_format)


def der(name, public_format=PublicFormat.SubjectPublicKeyInfo):
    return public_key(name).public_bytes(Encoding.DER, public_format)


def spellings(text):
    """How a PEM may lie about (GHSA-mvf2-f6gm-w987: a blank before it hid what it was)."""
    yield "", text
    yield " without the last line feed", text.rstrip(b"\n")
    yield " after a blank", b" " + text
    yield " after a line feed", b"\n" + text
    yield " after a byte order mark", b"\xef\xbb\xbf" + text
    yield " with CR LF", text.replace(b"\n", b"\r\n")
    yield " in one line", text.replace(b"\n", b"")
    yield " with escaped line feeds", text.replace(b"\n", b"\\n")
    yield " twice", text + text
    yield " as base64", base64.b64encode(text)
    yield " without its frame", b"".join(text.splitlines()[1:-1])


def secrets():
    """What an attacker knows and a confused verifier may take for the secret of an HMAC."""
    yield "nothing", b""
    yield "a zero", b"\0"
    yield "zeros", bytes(32)
    yield "the word secret", b"secret"
    yield "the ID of the key", b"RS256"
    yield "the word null", b"null"
    for kind, public_format in [("SPKI", PublicFormat.SubjectPublicKeyInfo), ("PKCS#1", PublicFormat.PKCS1)]:
        for spelling, text in spellings(pem("RS256", public_format)):
            yield f"RSA in PEM, {kind}{spelling}", text
        yield f"RSA in DER, {kind}", der("RS256", public_format)
        yield f"RSA in DER, {kind}, as base64", base64.b64encode(der("RS256", public_format))
    yield "EC in PEM", pem("ES256")
    yield "EC in PEM without the last line feed", pem("ES256").rstrip(b"\n")
    yield "EC in DER", der("ES256")
    yield "EC, uncompressed", public_key("ES256").public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    yield "EC, compressed", public_key("ES256").public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    yield "Ed25519", EDWARDS.packed
    for name in ("RS256", "ES256", "EdDSA"):
        jwk = KEYS[name].jwk(name)
        yield f"the JWK {name}", json.dumps(jwk).encode()
        yield f"the JWK {name} without blanks", json.dumps(jwk, separators=(",", ":")).encode()
        yield f"the JWK {name} in order", json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()
        yield f"the set of {name}", json.dumps({"keys": [jwk]}).encode()
    for member in "ne":
        yield f"{member} as it is written", rsa_key().jwk()[member].encode()
        yield f"{member}", decode(rsa_key().jwk()[member])
        yield f"{member} in hexadecimal", decode(rsa_key().jwk()[member]).hex().encode()
    yield "n in decimal", str(rsa_key().modulus).encode()
    yield "x as it is written", ec_key().jwk()["x"].encode()


SECRETS = dict(secrets())


def signed_by_hmac(header, url, secret, digest):
    message = f"{encode(header)}.{encode(claims_of(url))}"
    return token_of(message, hmac.digest(secret, message.encode(), digest))


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("bits", ["256", "384", "512"])
def test_a_public_key_is_no_secret(world, url, bits, name):
    """CVE-2015-9235, CVE-2016-10555, CVE-2026-48526 and others."""
    key_id = "ES256" if name.startswith(("EC", "x")) else "RS256"
    token = signed_by_hmac(header_of(f"HS{bits}", key_id), url, SECRETS[name], f"sha{bits}")
    world.refuses(token, "algorithm_not_allowed", beside=KEYS[key_id].token(url, key_id))


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_an_hmac_is_no_signature(world, url, algorithm, name):
    """With SHA-512 it is as long as one of these."""
    token = signed_by_hmac(header_of(algorithm, algorithm), url, SECRETS[name], "sha512")
    world.refuses(token, "signature_invalid", beside=KEYS[algorithm].token(url, algorithm))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_published_secret(world, url, algorithm):
    """Who can read it can sign with it."""
    for secret in (b"secret", encode(b"secret").encode()):
        token = signed_by_hmac(header_of(algorithm, "shared"), url, secret, f"sha{algorithm[2:]}")
        world.refuses(token, "algorithm_not_allowed", beside=ec_key().token(url, "ES256"))
    message = f"{encode(header_of('RS256', 'shared'))}.{encode(claims_of(url))}"
    signed = token_of(message, rsa_key().sign_pkcs1(message))
    world.refuses(signed, "key_not_found", beside=ec_key().token(url, "ES256"))


# Text that stands for the value of `alg`.
NONE = {
    **{
        repr(name): (json.dumps(name), "algorithm_not_allowed")
        for name in [
            *("none", "None", "NONE", "nOnE", "noNe", "nonE", "none ", " none", "none\0", "\0none", "none\n"),
            *("none,ES256", "non", "nonee", "\uff4eone", "n\u043ene", "no\u200bne", "", " ", "\0", "null", "nil"),
            *("undefined", "false", "0", "NaN", "HS0", "alg", "unsecured", "ES256 none", "http://none", "sha256"),
        ]
    },
    "none, escaped": ('"\\u006eone"', "algorithm_not_allowed"),
    "none, escaped altogether": ('"\\u006e\\u006f\\u006e\\u0065"', "algorithm_not_allowed"),
    "null": ("null", "token_malformed"),
    "false": ("false", "token_malformed"),
    "zero": ("0", "token_malformed"),
    "an array": ('["none"]', "token_malformed"),
    "an empty array": ("[]", "token_malformed"),
    "an array of what is allowed": ('["ES256"]', "token_malformed"),
    "an object": ('{"none":true}', "token_malformed"),
    "an object of what is allowed": ('{"name":"ES256"}', "token_malformed"),
}


@pytest.mark.parametrize("name", NONE)
def test_no_algorithm(world, url, name):
    """CVE-2015-2951 and others. What stands for the signature makes no difference, unless it is nothing."""
    value, reason = NONE[name]
    header = encode(f'{{"alg":{value},"kid":"ES256"}}'.encode())
    message = f"{header}.{encode(claims_of(url))}"
    sound = rsa_key().token(url, "RS256")
    for signature in (ec_key().sign(message), b"\0", bytes(64), b"none"):
        world.refuses(token_of(message, signature), reason, beside=sound)
    world.refuses(f"{message}.", "token_unsigned", beside=sound)
    world.refuses(message, "token_malformed", beside=sound)


@pytest.mark.parametrize(
    "algorithm",
    [
        *("es256", "Es256", "ES256 ", " ES256", "ES256\0", "ES-256", "ES", "ES2566", "ES256K", "ESP256", "ES521"),
        *("\uff25S256", "SHA256withECDSA", "ecdsa-sha2-nistp256", "1.2.840.10045.4.3.2", "-7", "ES256\u0301"),
        *("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "RS1", "RSA1_5", "RSA-OAEP", "dir", "A128KW"),
        *("ECDH-ES", "PBES2-HS256+A128KW", "Ed448", "Ed25519ph", "ML-DSA-44", "HS256", "HS256/64", "HS1", "A256GCM"),
    ],
)
def test_other_algorithms(world, url, algorithm):
    """The key's own signature is under each: it is the name that nothing here has."""
    message = f"{encode(header_of(algorithm, 'ES256', p2c=2**31 - 1, p2s='AA'))}.{encode(claims_of(url))}"
    token = token_of(message, ec_key().sign(message))
    world.refuses(token, "algorithm_not_allowed", beside=ec_key().token(url, "ES256"))


@pytest.mark.parametrize("named", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])
@pytest.mark.parametrize("key_id", KEYS)
def test_the_algorithm_of_another_kind_of_key(world, url, key_id, named):
    message = f"{encode(header_of(named, key_id))}.{encode(claims_of(url))}"
    key = KEYS[key_id]
    signature = key.sign_pkcs1(message) if key_id == "RS256" else sign(key, message)
    defective = token_of(message, signature)
    if named == key_id or (named, key_id) == ("Ed25519", "EdDSA"):
        assert world.reason(defective) is None
    else:
        reason = "signature_invalid" if (named, key_id) == ("PS256", "RS256") else "key_mismatch"
        world.refuses(defective, reason, beside=key.token(url, key_id))


def sign(key, message):
    return key.sign(message.encode() if isinstance(key, EdwardsKey) else message)


class Trap(Server):
    """Publishes an attacker's keys under every path, and remembers who came for them."""

    def __init__(self, keys):
        super().__init__()
        self.keys = keys
        self.requests = []

    def get(self, handler):
        self.requests.append(handler.path)
        base = f"http://{self.address}"
        self.send(handler, 200, json.dumps({"issuer": base, "jwks_uri": f"{base}/keys", "keys": self.keys}).encode())


ATTACKER = EcKey()


@pytest.fixture(scope="module")
def trap():
    with Trap([ATTACKER.jwk(), ATTACKER.jwk("attacker")]) as trap:
        yield trap


@pytest.fixture(scope="module")
def alone(world):
    """An issuer of one key, which a token need not name."""
    return world.issuer(ec_key().jwk())


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "login.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.key.public_key(), 1, now, now + datetime.timedelta(days=1))
    return builder.sign(key.key, hashes.SHA256()).public_bytes(Encoding.DER)


# What the header gets, which names or holds a key.
EMBEDDED = {
    "nothing": lambda key, base: {},
    "jwk": lambda key, base: {"jwk": key.jwk()},
    "jwk of another name": lambda key, base: {"jwk": key.jwk("attacker")},
    "jwk without a name": lambda key, base: {"jwk": {n: v for n, v in key.jwk().items() if n != "kid"}},
    "jwk as text": lambda key, base: {"jwk": json.dumps(key.jwk())},
    "jwks": lambda key, base: {"jwks": {"keys": [key.jwk()]}},
    "keys": lambda key, base: {"keys": [key.jwk()]},
    "jku": lambda key, base: {"jku": f"{base}/keys"},
    "jku of a discovery document": lambda key, base: {"jku": f"{base}/.well-known/openid-configuration"},
    "jku, and jwk": lambda key, base: {"jku": f"{base}/keys", "jwk": key.jwk()},
    "jku with the issuer in it": lambda key, base: {"jku": f"{base}/https://issuer-1.example/#@issuer-1.example"},
    "x5u": lambda key, base: {"x5u": f"{base}/certificate.pem"},
    "x5c": lambda key, base: {"x5c": [base64.b64encode(certificate(key)).decode()]},
    "x5c, x5t and x5u": lambda key, base: {
        "x5c": [base64.b64encode(certificate(key)).decode()],
        "x5t": "AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "x5u": f"{base}/certificate.pem",
    },
    "jwks_uri": lambda key, base: {"jwks_uri": f"{base}/keys"},
    "iss": lambda key, base: {"iss": base, "jwks_uri": f"{base}/keys"},
    "everything": lambda key, base: {"jwk": key.jwk(), "jku": f"{base}/keys", "x5u": f"{base}/x", "key": "x"},
}


def signed_by(key, url, header, /, **claims):
    message = f"{encode({'alg': 'ES256'} | header)}.{encode(claims_of(url) | claims)}"
    return token_of(message, key.sign(message))


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_key_that_the_token_brings(world, alone, trap, name):
    """CVE-2018-0114. It is neither used nor fetched: a token may hold it that another key has signed."""
    base = f"http://{trap.address}"
    theirs, ours = (EMBEDDED[name](key, base) for key in (ATTACKER, ec_key()))
    kid = {"kid": GOOD}
    for header in (theirs | kid, theirs, ours | kid):
        forged, sound = (signed_by(key, alone, header) for key in (ATTACKER, ec_key()))
        world.refuses(forged, "signature_invalid", beside=sound)
    for unknown in ("attacker", f"{base}/keys", f"{base}/keys#good"):
        world.refuses(signed_by(ATTACKER, alone, theirs | {"kid": unknown}), "key_not_found", ec_key().token(alone))
    assert trap.requests == []


@pytest.mark.parametrize("name", EMBEDDED)
def test_claims_that_name_a_key(world, alone, trap, name):
    more = EMBEDDED[name](ATTACKER, f"http://{trap.address}")
    more.pop("iss", None)
    header = {"kid": GOOD}
    sound = signed_by(ec_key(), alone, header, **more)
    world.refuses(signed_by(ATTACKER, alone, header, **more), "signature_invalid", sound)
    assert trap.requests == []


def test_the_attackers_issuer(world, alone, trap):
    """Its discovery document is there for who asks."""
    base = f"http://{trap.address}"
    for issuer in (base, f"{base}/", f"{alone}@{trap.address}", f"{base}/{alone}", f"{base}#{alone}", f"{alone}../../"):
        token = signed_by(ATTACKER, issuer, {"kid": GOOD, "jku": f"{base}/keys"})
        world.refuses(token, "issuer_unknown", ec_key().token(alone))
    assert trap.requests == []


def test_the_trap_would_have_noticed(trap):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{trap.address}/keys") as answer:
        assert json.load(answer)["keys"][0] == ATTACKER.jwk()
    assert trap.requests.pop() == "/keys"


def test_the_keys_of_another_issuer(world):
    """Rule A10: under the same ID, and under one that only the other has."""
    ours, theirs = EcKey(), EcKey()
    our_url = world.issuer(ours.jwk("same"))
    their_url = world.issuer(theirs.jwk("same"), theirs.jwk("theirs"))
    world.refuses(theirs.token(our_url, "same"), "signature_invalid", beside=theirs.token(their_url, "same"))
    world.refuses(theirs.token(our_url, "theirs"), "key_not_found", beside=theirs.token(their_url, "theirs"))
    sound = ours.token(our_url, "same")
    for other in (our_url.rstrip("/"), our_url.upper(), f"{our_url} "):
        world.refuses(ours.token(our_url, "same", iss=other), "issuer_unknown", beside=sound)
    world.refuses(ours.token(our_url, "same", iss=[our_url, their_url]), "claim_invalid", beside=sound)
