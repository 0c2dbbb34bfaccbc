"""Compact JWS whose parts may be anything, each signed as it stands."""

import functools

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from harness import encode
from issuer import claims_of

GOOD = "good"
# By the number in the algorithm's name.
CURVE_NAMES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def header_of(algorithm, key_id=GOOD, **more):
    return {"alg": algorithm, "kid": key_id} | more


def message_of(algorithm, url, key_id=GOOD, **claims):
    """What is signed of a token that is allowed."""
    return f"{encode(header_of(algorithm, key_id))}.{encode(claims_of(url) | claims)}"


def token_of(message, signature):
    return f"{message}.{encode(signature)}"


class EcKey:
    """An elliptic-curve key that signs as JWS does: r and s, each as long as the curve's field."""

    def __init__(self, algorithm="ES256", key=None):
        self.algorithm = algorithm
        self.key = key or ec.generate_private_key(CURVES[algorithm])
        self.length = (self.key.curve.key_size + 7) // 8

    def jwk(self, key_id=GOOD, **more):
        point = self.key.public_key().public_numbers()
        return ec_jwk(self.algorithm, (point.x, point.y), key_id) | more

    def numbers(self, message, hash_number=None):
        """r and s."""
        algorithm = ec.ECDSA(HASHES[hash_number or self.algorithm[2:]])
        return decode_dss_signature(self.key.sign(message.encode(), algorithm))

    def sign(self, message):
        return b"".join(number.to_bytes(self.length, "big") for number in self.numbers(message))

    def token(self, url, key_id=GOOD, **claims):
        message = message_of(self.algorithm, url, key_id, **claims)
        return token_of(message, self.sign(message))


def ec_jwk(algorithm, point, key_id=GOOD):
    length = (CURVES[algorithm].key_size + 7) // 8
    x, y = (encode(number.to_bytes(length, "big")) for number in point)
    return {"kty": "EC", "crv": CURVE_NAMES[algorithm], "kid": key_id, "x": x, "y": y}


@functools.cache
def ec_key(algorithm="ES256"):
    """The same for all who only need a good one."""
    return EcKey(algorithm)
