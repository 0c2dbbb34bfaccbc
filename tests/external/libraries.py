"""Keys and tokens made by JOSE libraries, each in every algorithm that it shares with the function.

The ID of each key is the name of its algorithm, in every library's key set: what tells them apart is the issuer.
"""

import dataclasses
import json
import subprocess
import warnings

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from harness import REPOSITORY
from issuer import claims_of
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ALGORITHMS = {
    # It has no name for Ed25519 but the old one.
    "PyJWT": [*RSA, *CURVES, "EdDSA"],
    "joserfc": [*RSA, *CURVES, "EdDSA", "Ed25519"],
    "jose": [*RSA, *CURVES, "EdDSA", "Ed25519"],
}


@dataclasses.dataclass
class Sample:
    algorithm: str
    # As the library exports it, and `kid`.
    jwk: dict
    token: str
    # The same with a signature by another key of the same kind.
    forged: str


def issuer_of(library):
    return f"https://{library.lower()}.example/"


def samples_of(library):
    """A sample of each algorithm."""
    claims = claims_of(issuer_of(library))
    if library == "jose":
        return jose_samples(claims)
    make = {"PyJWT": pyjwt_sample, "joserfc": joserfc_sample}[library]
    with warnings.catch_warnings():
        # "EdDSA is deprecated": identity providers send it all the same.
        warnings.simplefilter("ignore")
        return [make(algorithm, claims) for algorithm in ALGORITHMS[library]]


def jose_samples(claims):
    script = REPOSITORY / "tests" / "external" / "jose_tokens.mjs"
    command = ["node", script, json.dumps(claims), *ALGORITHMS["jose"]]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    return [Sample(**sample) for sample in json.loads(finished.stdout)]


def joserfc_sample(algorithm, claims):
    ours, theirs = (joserfc_key(algorithm) for _ in range(2))
    header = {"alg": algorithm, "kid": algorithm}
    token, forged = (joserfc_jwt.encode(header, claims, key, algorithms=[algorithm]) for key in (ours, theirs))
    return Sample(algorithm, ours.as_dict(private=False), token, forged)


def joserfc_key(algorithm):
    options = {"kid": algorithm}
    if algorithm in RSA:
        return joserfc_jwk.RSAKey.generate_key(2048, options)
    if algorithm in CURVES:
        return joserfc_jwk.ECKey.generate_key(CURVES[algorithm], options)
    return joserfc_jwk.OKPKey.generate_key("Ed25519", options)


def pyjwt_sample(algorithm, claims):
    ours, theirs = pyjwt_key(algorithm), pyjwt_key(algorithm)
    jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(ours.public_key(), as_dict=True)
    token, forged = (pyjwt_token(algorithm, algorithm, claims, key) for key in (ours, theirs))
    return Sample(algorithm, jwk | {"kid": algorithm}, token, forged)


def pyjwt_key(algorithm):
    if algorithm in RSA:
        return rsa.generate_private_key(65537, 2048)
    if algorithm in CURVES:
        curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
        return ec.generate_private_key(curves[CURVES[algorithm]]())
    return ed25519.Ed25519PrivateKey.generate()


def pyjwt_token(algorithm, key_id, claims, key):
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})
