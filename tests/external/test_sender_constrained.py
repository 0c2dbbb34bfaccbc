"""Tokens that a real OpenID provider binds to a key of the client; the proofs are PyJWT's."""

import os
import re
import shlex
import subprocess
import time
import urllib.parse

import jwt
import pytest
from dpop import CURVES, URL, Client, request
from harness import (
    PATIENCE,
    REPOSITORY,
    accepts_connections,
    assert_no_secrets,
    free_port,
    running,
    running_function,
    wait_for,
)
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


OPAQUE = """
development = true

[introspection]
url                       = "{url}/token/introspection"
issuer                    = "{url}"
audience                  = "unchecked"
subject                   = "optional"
client_id                 = "shop"
client_secret             = "of-the-shop"
proof_of_possession       = ["dpop", "mutual_tls"]
lifetime_seconds          = 0
negative_lifetime_seconds = 0

[gateway]
cache_seconds = 0

[response]
principal_id = ["sub", "client_id"]
"""


def test_an_opaque_token_is_bound_as_the_provider_says_until_it_is_revoked(featured, provider, tmp_path):
    client, certificate = Client("ES256"), Authority("own").pem
    by_key = {"DPoP": client.proof("POST", f"{provider.url}/token")}
    by_certificate = {"x-client-certificate": urllib.parse.quote(certificate)}
    token = provider.tokens(headers=by_key, grant_type="client_credentials")["access_token"]
    of_till = provider.tokens(client=TILL, headers=by_certificate, grant_type="client_credentials")["access_token"]
    assert "." not in token and "." not in of_till
    environment = configured(tmp_path / "configured", OPAQUE.format(url=provider.url))
    with running_function(featured, tmp_path, environment) as function:

        def reason(authorization, proof=None, certificate=None):
            function.secrets += [authorization, *([proof] if proof else [])]
            answer = function.invoke(request(authorization, proof, certificate))
            return None if answer.effect == "Allow" else function.record(answer)["reason"]

        assert reason(f"DPoP {token}", client.proof("GET", URL, token)) is None
        assert reason(f"Bearer {token}") == "token_sender_constrained"
        assert reason(f"DPoP {token}", Client("ES256").proof("GET", URL, token)) == "dpop_proof_invalid"
        assert reason(f"Bearer {of_till}", certificate=certificate) is None
        assert reason(f"Bearer {of_till}", certificate=Authority("other").pem) == "client_certificate_mismatch"
        assert reason(f"Bearer {of_till}") == "client_certificate_missing"
        provider.revoke(token)
        assert reason(f"DPoP {token}", client.proof("GET", URL, token)) == "token_inactive"


def test_a_bearer_token_is_one_still(provider, ask):
    token = provider.client_credentials("ES256", AUDIENCE)
    assert ask("Bearer", token) is None
    assert ask("DPoP", token, Client("ES256").proof("GET", URL, token)) == "token_unbound"


def test_the_commands_of_the_page_do_what_they_say(cli, tmp_path):
    """docs/possession.md, "Trying it": its configuration and its commands, at ports that are free."""
    page = (REPOSITORY / "docs" / "possession.md").read_text(encoding="utf-8").partition("## Trying it")[2]
    api, issuer = free_port(), free_port()
    page = page.replace("127.0.0.1:9700", f"127.0.0.1:{api}").replace("127.0.0.1:9800", f"127.0.0.1:{issuer}")
    [configuration] = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    [gateway, requests] = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "authorizer.toml").write_text(configuration)
    environment = {"PATH": f"{cli.parent}:{os.environ['PATH']}"}
    command = [*shlex.split(gateway), "--listen", f"127.0.0.1:{api}"]
    with running([cli, *command[1:]], tmp_path, environment, cwd=tmp_path) as process:
        wait_for(lambda: process.poll() is not None or accepts_connections(api), "the gateway")
        made = subprocess.run(
            ["bash", "-euc", requests], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert made.stdout.split() == ["200", "403"], made.stderr + (tmp_path / "stderr").read_text()
    assert "token_sender_constrained" in (tmp_path / "stderr").read_text()
