"""What the function gets and asks on a caller's behalf at a real OpenID provider: keys in the place of secrets, signed answers, client
credentials, token exchange and UserInfo.

Token exchange is the one grant here that the provider does not bring: tests/external/openid_provider.mjs registers ours. Everything around it, the
client's authentication included, is the provider's.
"""

import base64
import json

import pytest
from harness import assert_no_secrets, refusal, running_function
from issuer import configured
from openid_provider import openid_provider

RULE = """
[[rule]]
name     = "read orders"
routes   = ["GET /orders"]
requires = {{ credential = "{kind}"{scope} }}
"""
INTROSPECTION = """
[introspection]
url           = "{url}/token/introspection"
issuer        = "{url}"
audience      = "unchecked"
subject       = "optional"
client_id     = "{client}"
{authentication}

[response]
principal_id = ["sub", "client_id"]
"""
KEY = 'client_authentication = "private_key_jwt"\nclient_key_file = "client-key.pem"'
ISSUER = """
[[issuer]]
url      = "{url}"
audience = "orders-api"
subject  = "optional"
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with openid_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture
def starts(featured, tmp_path):
    """Starts a function with this configuration, beside which its client's key lies."""

    def start(*tables, key=None):
        # `configured` writes files that end with `.pem`; what is in it tells what it is.
        files = {"client-key": json.dumps(key)} if key else {}
        environment = configured(tmp_path / "configured", "development = true", *tables, **files)
        return running_function(featured, tmp_path, environment)

    return start


def opaque(provider, scope="orders:read"):
    return provider.tokens(grant_type="client_credentials", scope=scope)["access_token"]


def basic(text):
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def outcome(function, authorization):
    """The reason, or `None` where the request is allowed, and the answer."""
    answer = function.authorize(authorization)
    record = function.record(answer)
    is_allowed = record["decision"] == "allow" and answer.effect == "Allow"
    return (None if is_allowed else record["reason"]), answer


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
@pytest.mark.parametrize("signed", ["", "required"])
def test_a_client_with_a_key_asks_and_the_answer_may_be_signed(provider, starts, kind, signed):
    key = provider.client_keys()[kind]
    more = f'\nsigned_answers = "{signed}"\njwks_uri = "{provider.url}/jwks"' if signed else ""
    text = INTROSPECTION.format(url=provider.url, client=f"keyed-{kind}", authentication=KEY + more)
    rule = RULE.format(kind="opaque", scope=', scope = "orders:read"')
    with starts(text, rule, key=key) as function:
        token = opaque(provider)
        reason, answer = outcome(function, f"Bearer {token}")
        assert reason is None, function.record(answer)
        for another in [opaque(provider), opaque(provider)]:
            assert outcome(function, f"Bearer {another}")[0] is None, "each question has an assertion of its own"
        provider.revoke(token)
        assert outcome(function, f"Bearer {token[:-2]}AA")[0] == "token_inactive"
        assert_no_secrets([key["d"]], function.output())


def test_a_client_with_another_key_is_nobody(provider, starts):
    keys = provider.client_keys()
    text = INTROSPECTION.format(url=provider.url, client="keyed-rsa", authentication=KEY)
    with starts(text, key=keys["ec"]) as function:
        reason, answer = outcome(function, f"Bearer {opaque(provider)}")
        assert reason == "introspection_unavailable"
        assert "status 40" in function.record(answer)["detail"]


def test_an_unsigned_answer_is_none_where_it_is_to_be_signed(starts, tmp_path):
    (tmp_path / "unsigned").mkdir()
    with openid_provider(tmp_path / "unsigned", UNSIGNED_ANSWERS="yes") as provider:
        answers_are_unsigned(provider, starts)


def answers_are_unsigned(provider, starts):
    authentication = f'client_secret = "of-the-post"\nsigned_answers = "{{}}"\njwks_uri = "{provider.url}/jwks"'
    token = opaque(provider)
    for signed, expected in [("required", "introspection_unavailable"), ("accepted", None)]:
        own = authentication.format(signed)
        text = INTROSPECTION.format(url=provider.url, client="post", authentication=own)
        with starts(text) as function:
            assert outcome(function, f"Bearer {token}")[0] == expected


CLIENT_CREDENTIALS = """
[client_credentials]
token_endpoint = "{url}/token"
issuer         = "{url}"
scope          = "orders:read"
"""


@pytest.mark.parametrize("algorithm", ["ES256", None])
@pytest.mark.parametrize("passed_on", ["basic", "post"])
def test_an_id_and_a_secret_get_a_token_which_is_verified(provider, starts, algorithm, passed_on):
    clients = CLIENT_CREDENTIALS.format(url=provider.url) + f'passed_on = "{passed_on}"\n'
    if algorithm:
        clients += f'resource = "https://orders-api.example/{algorithm}"\n'
        tables = [ISSUER.format(url=provider.url), '[response]\nprincipal_id = ["sub", "client_id"]\n']
    else:
        authentication = 'client_secret = "of-the-shop"'
        tables = [INTROSPECTION.format(url=provider.url, client="shop", authentication=authentication)]
    rule = RULE.format(kind="client_credentials", scope=', scope = "orders:read"')
    own = "shop" if passed_on == "basic" else "post"
    with starts(*tables, clients, rule) as function:
        reason, answer = outcome(function, basic(f"{own}:of-the-{own}"))
        assert reason is None, function.record(answer)
        assert function.record(answer)["principal"] == own
        for refused in ["shop:of-the-post", "post:of-the-shop", "nobody:of-the-shop"]:
            assert outcome(function, basic(refused))[0] == "client_refused", refused
        assert outcome(function, basic("shop"))[0] == "credential_malformed"
        assert outcome(function, f"Bearer {opaque(provider)}")[0] in ("token_malformed", "insufficient_scope")
        assert_no_secrets(["of-the-shop", "of-the-post"], function.output())


EXCHANGE = """
[gateway]
cache_seconds = 300

[token_exchange]
token_endpoint        = "{url}/token"
issuer                = "{url}"
client_id             = "keyed-ec"
client_authentication = "private_key_jwt"
client_key_file       = "client-key.pem"
requested_token_type  = "urn:ietf:params:oauth:token-type:access_token"
audience              = "{audience}"
scope                 = "orders:read"
context_key           = "backend_token"
"""


def test_the_backend_gets_a_token_of_its_own(provider, starts):
    text = INTROSPECTION.format(url=provider.url, client="shop", authentication='client_secret = "of-the-shop"')
    rule = RULE.format(kind="opaque", scope=', scope = "orders:read"')
    exchange = EXCHANGE.format(url=provider.url, audience="stock")
    with starts(text, rule, exchange, key=provider.client_keys()["ec"]) as function:
        token = opaque(provider)
        reason, answer = outcome(function, f"Bearer {token}")
        assert reason is None, function.record(answer)["detail"]
        exchanged = answer.body["context"]["backend_token"]
        told = provider.introspect(exchanged)
        assert told["active"] and (told["client_id"], told["scope"]) == ("keyed-ec", "orders:read")
        again = outcome(function, f"Bearer {token}")[1]
        assert again.body["context"]["backend_token"] == exchanged, "it is kept"
        other = outcome(function, f"Bearer {opaque(provider)}")[1]
        assert other.body["context"]["backend_token"] != exchanged, "and for its own token alone"
        poor = outcome(function, f"Bearer {opaque(provider, scope='')}")
        assert poor[0] == "insufficient_scope" and "context" not in poor[1].body
        assert_no_secrets([exchanged], function.output())


def test_an_exchange_that_the_provider_does_not_make_is_a_fault(provider, starts):
    text = INTROSPECTION.format(url=provider.url, client="shop", authentication='client_secret = "of-the-shop"')
    exchange = EXCHANGE.format(url=provider.url, audience="elsewhere")
    with starts(text, exchange, key=provider.client_keys()["ec"]) as function:
        reason, answer = outcome(function, f"Bearer {opaque(provider)}")
        assert reason == "token_exchange_unavailable" and "invalid_target" in function.record(answer)["detail"]


USERINFO = """
[userinfo]
url                       = "{url}/me"
issuer                    = "{url}"
audience                  = "unchecked"
lifetime_seconds          = 0
negative_lifetime_seconds = 0
"""


def test_userinfo_says_whose_a_token_is(provider, starts):
    with starts(USERINFO.format(url=provider.url), RULE.format(kind="opaque", scope="")) as function:
        token = provider.authorization_code("alice")["access_token"]
        assert "." not in token
        reason, answer = outcome(function, f"Bearer {token}")
        assert reason is None and function.record(answer)["principal"] == "alice"
        assert outcome(function, f"Bearer {token[:-2]}AA")[0] == "token_inactive"
        # A token for a client itself is nobody's. The provider says so by a status that is not 401 everywhere.
        of_nobody = outcome(function, f"Bearer {opaque(provider)}")[0]
        assert of_nobody in ("token_inactive", "userinfo_unavailable")
        provider.revoke(token)
        assert outcome(function, f"Bearer {token}")[0] == "token_inactive"


def test_userinfo_does_not_start_unless_what_it_does_not_check_is_written(featured, provider, tmp_path):
    text = USERINFO.format(url=provider.url).replace('"unchecked"', '"orders-api"')
    assert "userinfo.audience" in refusal(featured, configured(tmp_path / "configured", "development = true", text))
