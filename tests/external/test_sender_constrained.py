"""Tokens that a real OpenID provider binds to a key of the client; the proofs are PyJWT's."""

import time
import urllib.parse

import jwt
import pytest
from dpop import CURVES, URL, Client, request
from harness import assert_no_secrets, running_function
from issuer import AUDIENCE, configured
from openid_provider import TILL, openid_provider
from tls import Authority

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
            answer = function.invoke(request(f"{scheme} {token}", proof, certificate))
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
