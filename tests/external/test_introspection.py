"""Opaque tokens of a real OpenID provider, which is asked about each."""

import time

import pytest
from harness import assert_no_secrets, running_function, wait_for
from issuer import configured
from openid_provider import CLIENT, openid_provider

CONFIGURATION = """
development = true

[introspection]
url                       = "{url}/token/introspection"
issuer                    = "{url}"
audience                  = "unchecked"
client_id                 = "{client_id}"
client_secret             = "{client_secret}"
client_authentication     = "{authentication}"
subject                   = "optional"
required_values           = {{ client_id = ["shop"] }}
lifetime_seconds          = 1
negative_lifetime_seconds = 0

[response]
principal_id = ["sub", "client_id"]

[[rule]]
name     = "read orders"
routes   = ["GET /orders"]
requires = {{ credential = "opaque", scope = "orders:read" }}
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with openid_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(params=["basic", "post"])
def function(featured, provider, tmp_path, request):
    client_id, client_secret = CLIENT if request.param == "basic" else ("post", "of-the-post")
    text = CONFIGURATION.format(
        url=provider.url, client_id=client_id, client_secret=client_secret, authentication=request.param
    )
    with running_function(featured, tmp_path, configured(tmp_path / "configured", text)) as function:
        yield function
        assert_no_secrets([client_secret], function.output())


def opaque(provider, scope="orders:read"):
    return provider.tokens(grant_type="client_credentials", scope=scope)["access_token"]


def reason(function, token):
    """`None` where the request is allowed."""
    answer = function.authorize(f"Bearer {token}")
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


def test_an_active_token_is_allowed(provider, function):
    token = opaque(provider)
    assert "." not in token
    answer = function.authorize(f"Bearer {token}")
    assert answer.effect == "Allow"
    assert function.record(answer)["principal"] == "shop"
    assert reason(function, opaque(provider, scope="")) == "insufficient_scope"
    assert reason(function, token[:-1] + ("A" if token[-1] != "A" else "B")) == "token_inactive"


def test_a_revoked_token_is_refused(provider, function):
    token = opaque(provider)
    assert reason(function, token) is None
    provider.revoke(token)
    wait_for(lambda: reason(function, token) == "token_inactive", "the end of what is known")


def test_a_jwt_is_not_asked_about(provider, function):
    token = provider.client_credentials("ES256", "orders-api")
    assert reason(function, token) == "issuer_unknown"


def test_a_wrong_secret_is_nobodys_fault_but_ours(featured, provider, tmp_path):
    text = CONFIGURATION.format(
        url=provider.url, client_id="shop", client_secret="not-of-the-shop", authentication="basic"
    )
    token = opaque(provider)
    with running_function(featured, tmp_path, configured(tmp_path / "configured", text)) as function:
        answer = function.authorize(f"Bearer {token}")
        record = function.record(answer)
        assert (record["decision"], record["reason"]) == ("fault", "introspection_unavailable")
        assert "status 401" in record["detail"]
        assert_no_secrets(["not-of-the-shop", token], function.output())


def test_a_provider_that_is_gone_is_a_fault_and_what_is_known_still_serves(featured, tmp_path):
    (tmp_path / "provider").mkdir()
    with openid_provider(tmp_path / "provider") as provider:
        text = CONFIGURATION.format(
            url=provider.url, client_id=CLIENT[0], client_secret=CLIENT[1], authentication="basic"
        ).replace("lifetime_seconds          = 1", "lifetime_seconds          = 60")
        known, unknown = opaque(provider), opaque(provider)
        (tmp_path / "function").mkdir()
        environment = configured(tmp_path / "configured", text)
        with running_function(featured, tmp_path / "function", environment) as function:
            assert reason(function, known) is None
            provider.close()
            assert reason(function, known) is None
            assert reason(function, unknown) == "introspection_unavailable"
            before = time.monotonic()
            assert reason(function, unknown) == "introspection_unavailable"
            assert time.monotonic() - before < 1
