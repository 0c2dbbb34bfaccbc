"""Tokens that a real OpenID provider binds to a key of the client; the proofs are PyJWT's."""

import base64
import copy
import hashlib
import json
import time
import urllib.parse
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from harness import REPOSITORY, assert_no_secrets, running_function
from issuer import AUDIENCE, configured
from openid_provider import TILL, openid_provider
from tls import Authority

EVENT = json.loads((REPOSITORY / "events" / "rest-request.json").read_text())
URL = f"https://{EVENT['requestContext']['domainName']}{EVENT['requestContext']['path']}"
CONFIGURATION = """
development = true

[[issuer]]
url                 = "{url}"
audience            = "{audience}"
profile             = "rfc9068"
proof_of_possession = ["dpop", "mutual_tls"]

[gateway]
cache_seconds = 0

[response]
reason_key = "reason"
"""
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


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with openid_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="module")
def ask(featured, provider, tmp_path_factory):
    """`None` where the request is allowed, or the reason of its refusal."""
    directory = tmp_path_factory.mktemp("function")
    environment = configured(directory / "configured", CONFIGURATION.format(url=provider.url, audience=AUDIENCE))
    sent = []
    with running_function(featured, directory, environment) as function:

        def ask(scheme, token, proof=None, certificate=None):
            sent.extend([token, *([proof] if proof else [])])
            event = copy.deepcopy(EVENT)
            for name in ["authorization", "Authorization"]:
                event["headers"].pop(name, None)
                event["multiValueHeaders"].pop(name, None)
            event["headers"]["Authorization"] = f"{scheme} {token}"
            if proof:
                event["headers"]["DPoP"] = proof
            if certificate:
                event["requestContext"]["identity"]["clientCert"] = {"clientCertPem": certificate}
            answer = function.invoke(event)
            return None if answer.effect == "Allow" else function.record(answer)["reason"]

        yield ask
        assert_no_secrets(sent, function.output())


@pytest.mark.parametrize("algorithm", CURVES)
def test_dpop(provider, ask, algorithm):
    client, thief = Client(algorithm), Client(algorithm)
    headers = {"DPoP": client.proof("POST", f"{provider.url}/token")}
    token = provider.client_credentials("ES256", AUDIENCE, headers=headers)
    assert "jkt" in jwt.decode(token, options={"verify_signature": False})["cnf"]

    proof = client.proof("GET", URL, token)
    assert ask("DPoP", token, proof) is None
    assert ask("DPoP", token, proof) == "dpop_proof_replayed"
    assert ask("DPoP", token, client.proof("GET", URL, token)) is None
    assert ask("DPoP", token) == "dpop_proof_missing"
    assert ask("Bearer", token) == "token_sender_constrained"
    for wrong in [
        client.proof("POST", URL, token),
        client.proof("GET", f"{URL}/1", token),
        client.proof("GET", URL),
        client.proof("GET", URL, token, iat=int(time.time()) - 600),
        thief.proof("GET", URL, token),
    ]:
        assert ask("DPoP", token, wrong) == "dpop_proof_invalid"


def test_mutual_tls(provider, ask):
    own, other = (Authority(name).pem for name in ["own", "other"])
    headers = {"x-client-certificate": urllib.parse.quote(own)}
    token = provider.client_credentials("ES256", AUDIENCE, client=TILL, headers=headers)
    assert "x5t#S256" in jwt.decode(token, options={"verify_signature": False})["cnf"]

    assert ask("Bearer", token, certificate=own) is None
    assert ask("Bearer", token, certificate=other) == "client_certificate_mismatch"
    assert ask("Bearer", token) == "client_certificate_missing"


def test_a_bearer_token_is_one_still(provider, ask):
    token = provider.client_credentials("ES256", AUDIENCE)
    assert ask("Bearer", token) is None
    assert ask("DPoP", token, Client("ES256").proof("GET", URL, token)) == "token_unbound"


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
