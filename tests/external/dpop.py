"""Clients with a key of their own, whose proofs (RFC 9449) are PyJWT's, and the requests that they make."""

import base64
import copy
import hashlib
import json
import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from harness import REPOSITORY

EVENT = json.loads((REPOSITORY / "events" / "rest-request.json").read_text())
URL = f"https://{EVENT['requestContext']['domainName']}{EVENT['requestContext']['path']}"
CURVES = {
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), jwt.algorithms.ECAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, jwt.algorithms.OKPAlgorithm),
}


class Client:
    def __init__(self, algorithm):
        self.algorithm = algorithm
        make, self.jose = CURVES[algorithm]
        self.key = make()

    def proof(self, method, url, token=None, **changes):
        claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            claims["ath"] = encoded(hashlib.sha256(token.encode()).digest())
        jwk = json.loads(self.jose.to_jwk(self.key.public_key()))
        header = {"typ": "dpop+jwt", "jwk": jwk}
        return jwt.encode(claims | changes, self.key, algorithm=self.algorithm, headers=header)

    def thumbprint(self):
        """RFC 7638."""
        jwk = json.loads(self.jose.to_jwk(self.key.public_key()))
        needed = {name: jwk[name] for name in sorted(jwk) if name in ["crv", "kty", "x", "y"]}
        return encoded(hashlib.sha256(json.dumps(needed, separators=(",", ":")).encode()).digest())


def request(authorization, proof=None, certificate=None):
    """A request for `URL`."""
    event = copy.deepcopy(EVENT)
    for name in ["authorization", "Authorization"]:
        event["headers"].pop(name, None)
        event["multiValueHeaders"].pop(name, None)
    event["headers"]["Authorization"] = authorization
    if proof:
        event["headers"]["DPoP"] = proof
    if certificate:
        event["requestContext"]["identity"]["clientCert"] = {"clientCertPem": certificate}
    return event


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
