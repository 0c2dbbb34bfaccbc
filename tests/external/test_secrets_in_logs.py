"""What every kind of credential is made of is in no line of the log, at no level: neither what callers send, nor what the function holds."""

import base64
import json
import subprocess

import pytest
from aws import dynalite
from dpop import URL, Client, request
from harness import assert_no_secrets, free_port, request_event, running_function, token_event
from issuer import configured
from openid_provider import openid_provider
from test_log_levels import ENVIRONMENTS
from tls import Authority

PEPPER = "a-pepper-that-is-in-no-table-of-anybody"
CONFIGURATION = """
development = true

[[issuer]]
url                 = "{issuer.url}"
audience            = "orders-api"
jwks_uri            = "{issuer.jwks_uri}"
proof_of_possession = ["dpop", "mutual_tls"]

[introspection]
url           = "{provider}/token/introspection"
issuer        = "{provider}"
audience      = "unchecked"
subject       = "optional"
client_id     = "shop"
client_secret = "of-the-shop"

[dynamodb]
table    = "authorizer"
endpoint = "{table}"

[api_keys]
prefix           = "orders"
pepper           = "{pepper}"
lifetime_seconds = 0

[basic]
iterations = 100000

[revocation]
lifetime_seconds = 0

[dpop]
replays = "table"

[gateway]
cache_seconds = 0

[response]
principal_id = ["sub", "client_id"]
"""
EXCHANGING = """
development = true

[introspection]
url           = "{provider}/token/introspection"
issuer        = "{provider}"
audience      = "unchecked"
subject       = "optional"
client_id     = "shop"
client_secret = "of-the-shop"

[client_credentials]
token_endpoint = "{provider}/token"
issuer         = "{provider}"
scope          = "orders:read"

[gateway]
cache_seconds = 300

[token_exchange]
token_endpoint        = "{provider}/token"
issuer                = "{provider}"
client_id             = "keyed-ec"
client_authentication = "private_key_jwt"
client_key_file       = "client-key.pem"
requested_token_type  = "urn:ietf:params:oauth:token-type:access_token"
audience              = "stock"
scope                 = "orders:read"
context_key           = "backend_token"

[response]
principal_id = ["sub", "client_id"]
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with openid_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    with dynalite(tmp_path_factory.mktemp("dynamodb")) as table:
        yield table


@pytest.fixture(scope="module")
def known(cli, issuer, provider, table, tmp_path_factory):
    """What the tool has written into the table: keys, a user, a revocation."""
    directory = tmp_path_factory.mktemp("tool")
    text = CONFIGURATION.format(issuer=issuer, provider=provider.url, table=table.url, pepper=PEPPER)
    file = configured(directory / "configured", text)["AUTHORIZER_CONFIG_FILE"]

    def tool(*words):
        command = [cli, *words, "--config", file]
        finished = subprocess.run(command, env=table.identity, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    key, disabled = (tool("keys", "create", "--owner", "acme", "--expires-in", "9", "--create-table") for _ in range(2))
    tool("keys", "disable", disabled.split("_")[1])
    password = tool("keys", "create-user", "--name", "alice", "--expires-in", "9", "--replace")
    tool("revoke", "--issuer", issuer.url, "--subject", "mallory", "--entirely")
    return {"key": key, "disabled": disabled, "password": password}


def basic(name, password):
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def bearer(token, reason):
    return token_event(f"Bearer {token}"), [token], reason


def bound(issuer):
    """Tokens that are bound to a key, and to a certificate."""
    client, thief = Client("ES256"), Client("ES256")
    token = issuer.token(cnf={"jkt": client.thumbprint()})
    proof = client.proof("GET", URL, token)
    proofs = [
        (proof, None),
        (proof, "dpop_proof_replayed"),
        (client.proof("POST", URL, token), "dpop_proof_invalid"),
        (client.proof("GET", URL, token, iat=1), "dpop_proof_invalid"),
        (thief.proof("GET", URL, token), "dpop_proof_invalid"),
        ("no-proof-" + "x" * 40, "dpop_proof_invalid"),
        (None, "dpop_proof_missing"),
    ]
    for proof, reason in proofs:
        yield request(f"DPoP {token}", proof), [token, *([proof] if proof else [])], reason
    yield bearer(token, "token_sender_constrained")
    by_certificate = issuer.token(cnf={"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})
    others = [(None, "client_certificate_missing"), (Authority("other").pem, "client_certificate_mismatch")]
    for certificate, reason in others:
        yield request(f"Bearer {by_certificate}", certificate=certificate), [by_certificate], reason


def calls(issuer, provider, known):
    """Each event, the secrets in it, and the reason that is expected."""
    yield bearer(issuer.token(), None)
    yield bearer(issuer.token(exp=1_700_000_000), "token_expired")
    yield bearer(issuer.forged(), "signature_invalid")
    yield bearer(issuer.token(sub="mallory"), "token_revoked")
    yield from bound(issuer)
    opaque = provider.tokens(grant_type="client_credentials")["access_token"]
    yield bearer(opaque, None)
    yield bearer("an-opaque-token-that-nobody-knows", "token_inactive")
    for key, reason in [
        (known["key"], None),
        (known["disabled"], "api_key_disabled"),
        (known["key"][:-1], "api_key_malformed"),
        (known["key"].upper(), "token_inactive"),
    ]:
        # The ID of a key that there is may be told, and is.
        yield token_event(f"Bearer {key}"), [key.split("_")[-1]], reason
    password = known["password"]
    for user, secret, reason in [
        ("alice", password, None),
        ("alice", "a-guess-that-is-long-enough", "user_unknown"),
        ("nobody", password, "user_unknown"),
        ("alice", f"{password}\0", "credential_malformed"),
        ("al\nice", password, "credential_malformed"),
    ]:
        yield token_event(basic(user, secret)), [basic(user, secret), secret], reason
    for value in [f"Basic alice:{password}", f"{basic('alice', password)}=", basic("alice", password)[:-1]]:
        yield token_event(value), [value, password], "credential_malformed"
    two = {"Authorization": f"Bearer {opaque}", "authorization": basic("alice", password)}
    yield request_event(two), [opaque, password], "credential_ambiguous"


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: "-".join(environment.values()))
def test_nothing_secret_is_written_at_any_level(featured, issuer, provider, table, known, tmp_path, environment):
    of_the_function = [PEPPER, "of-the-shop", table.identity["AWS_SECRET_ACCESS_KEY"]]
    nobody = f"http://127.0.0.1:{free_port()}"
    for name, servers in [("there", (provider.url, table.url)), ("gone", (nobody, f"{nobody}/"))]:
        (tmp_path / name).mkdir()
        text = CONFIGURATION.format(issuer=issuer, provider=servers[0], table=servers[1], pepper=PEPPER)
        variables = configured(tmp_path / name / "configured", text) | table.identity | environment
        with running_function(featured, tmp_path / name, variables) as function:
            reasons = {}
            for event, secrets, reason in calls(issuer, provider, known):
                function.secrets += secrets
                reasons[function.invoke(json.dumps(event)).request_id] = reason
            records = [record for record in function.records() if "decision" in record]
            assert_no_secrets(of_the_function, function.output())
        found = {record["request_id"]: record.get("reason") for record in records}
        if environment.get("AWS_LAMBDA_LOG_LEVEL", "INFO").upper() in ("TRACE", "DEBUG", "INFO"):
            # What comes of each is for other tests; here it is shown that they are what they are called.
            assert name == "gone" or found == reasons
            faults = {"table_unavailable", "introspection_unavailable"} & set(found.values())
            assert len(faults) == (2 if name == "gone" else 0), found


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: "-".join(environment.values()))
def test_nothing_that_is_exchanged_is_written_at_any_level(featured, provider, tmp_path, environment):
    key = provider.client_keys()["ec"]
    text = EXCHANGING.format(provider=provider.url)
    variables = configured(tmp_path / "configured", text, **{"client-key": json.dumps(key)}) | environment
    opaque = provider.tokens(grant_type="client_credentials", scope="orders:read")["access_token"]
    with running_function(featured, tmp_path, variables) as function:
        secrets = [key["d"], opaque, "of-the-shop", "not-of-the-shop-at-all"]
        for value in [basic("shop", "of-the-shop"), basic("shop", "not-of-the-shop-at-all"), f"Bearer {opaque}"]:
            answer = function.authorize(value)
            secrets += [value, *answer.body.get("context", {}).values()]
        assert answer.effect == "Allow" and answer.body["context"]["backend_token"] in secrets
        assert_no_secrets(secrets, function.output())
