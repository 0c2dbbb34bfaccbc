"""The same requests through serverless-offline and through `authorizer gateway`, with the built function behind both.

Wherever serverless-offline follows AWS, both give the same statuses. Where it does not, `DIFFERENCES` says why.
"""

import contextlib
import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from gateways import (
    Endpoint,
    Gateway,
    Service,
    functions_endpoint,
    handshake,
    history,
    local_gateway,
    serverless_offline,
    status_of,
    template,
)
from harness import REPOSITORY, free_port
from issuer import Issuer, configured, table

RULES = """
[[rule]]
name     = "read orders"
routes   = ["GET /{api}/orders", "$connect"]
requires = { scope = "orders:read" }

[[rule]]
name     = "write orders"
routes   = ["POST /{api}/orders"]
requires = { scope = "orders:write" }

[[rule]]
name     = "own profile"
routes   = ["GET /{api}/users/{claims.sub}", "GET /{api}/accounts/{claims.sub}"]
requires = "authenticated"

[[rule]]
name     = "files"
routes   = ["ANY /{api}/files/**"]
requires = { scope = "orders:read" }
"""
# How the two functions refuse. The second gives an HTTP API simple responses, too.
REFUSALS = {
    "unauthorized": 'response.refusal = "unauthorized"',
    "deny": 'response = { refusal = "deny", http_api = "simple" }\ngateway.cache_seconds = 0',
}
# REST events as handler.js leaves them, where it makes the others as AWS has them.
RAW = ["raw-token", "raw-request"]
REST = ["token", "request", "denying", *RAW]
HTTP = ["version1", "version2", "simple"]
WEBSOCKET = ["websocket", "websocket-denying"]
# Which of the functions decides; elsewhere it is the other one.
DENYING = ["denying", "simple", "websocket-denying"]
# Which have a validation expression.
VALIDATED = ["token", "denying"]
# Where the error `Unauthorized` is a 401.
UNAUTHORIZED = ["token", "request", "raw-token", "raw-request", "websocket"]


@dataclasses.dataclass(frozen=True)
class Request:
    credentials: tuple = ()
    status: object = 200
    method: str = "GET"
    path: str = "orders"
    header: str = "Authorization"


# What the function makes of the credential, whichever way it refuses.
REFUSED = "refused"
# Besides, it is not of the form that TOKEN authorizers ask for.
INVALID = "invalid"
NO_ROUTE = "no route"
# Two valid ones, in two fields of the same name.
SEVERAL = "several"


def requests_of(issuer, unreachable):
    """Each with a token of its own, so that no request has another's cached policy."""
    number = iter(range(1000))

    def bearer(scheme="Bearer", by=issuer.token, scope="orders:read", **claims):
        return (f"{scheme} {by(jti=str(next(number)), scope=scope, **claims)}",)

    return {
        "no credential": Request(status=401),
        "empty credential": Request(("",), 401),
        "garbage": Request(("Bearer garbage",), REFUSED),
        "another scheme": Request(("Basic dXNlci03ZjFjOmNvcnJlY3QgaG9yc2U",), INVALID),
        "expired": Request(bearer(exp=1_700_000_000), REFUSED),
        "not yet valid": Request(bearer(nbf=4_000_000_000), REFUSED),
        "wrong audience": Request(bearer(aud="billing-api"), REFUSED),
        "unknown issuer": Request(bearer(iss="https://login.example.org/"), REFUSED),
        "forged": Request(bearer(by=issuer.forged), REFUSED),
        "two credentials": Request(bearer() + bearer(), SEVERAL),
        "issuer that is down": Request(bearer(by=unreachable.token), 500),
        "allowed": Request(bearer()),
        "scheme in small letters": Request(bearer("bearer")),
        "header in small letters": Request(bearer(), header="authorization"),
        "query": Request(bearer(), path="orders?limit=7"),
        "trailing slash": Request(bearer(), path="orders/"),
        "no scope": Request(bearer(scope=None), 403),
        "insufficient scope": Request(bearer(), 403, "POST"),
        "sufficient scope": Request(bearer(scope="orders:read orders:write"), 200, "POST"),
        "own path": Request(bearer(), path="users/user-7f1c"),
        "another's path": Request(bearer(), 403, path="users/somebody"),
        "own path by parameter": Request(bearer(), path="accounts/user-7f1c"),
        "another's path by parameter": Request(bearer(), 403, path="accounts/somebody"),
        "greedy path": Request(bearer(), path="files/2026/november"),
        "any method": Request(bearer(), 200, "DELETE", "files/2026"),
        "greedy path without a scope": Request(bearer(scope=None), 403, path="files/2026"),
        "greedy path without a rest": Request(bearer(), NO_ROUTE, path="files"),
        "route without a rule": Request(bearer(), 403, path="reports"),
        "unknown path": Request(bearer(), NO_ROUTE, path="nothing"),
        "path in other letters": Request(bearer(), NO_ROUTE, path="Orders"),
        "two slashes": Request(bearer(), NO_ROUTE, path="/orders"),
        "HEAD": Request(bearer(), NO_ROUTE, "HEAD"),
        "encoded path": Request(bearer(), NO_ROUTE, path="%6Frders"),
        "unknown method": Request(bearer(), NO_ROUTE, "DELETE"),
    }


def expected(kind, request):
    """What AWS answers; where nobody knows, what docs/gateway.md says of the local one."""
    status = request.status
    if status == INVALID:
        status = 401 if kind in VALIDATED else REFUSED
    if status == SEVERAL:
        # Its events have one of the two only (`multiValueHeaders` is not known from AWS).
        status = 200 if kind == "version1" else REFUSED
    if status == REFUSED:
        status = 401 if kind in UNAUTHORIZED else 403
    if status == NO_ROUTE:
        status = 403 if kind in REST else 404
    return 101 if status == 200 and kind in WEBSOCKET else status


@dataclasses.dataclass(frozen=True)
class Difference:
    """Requests that serverless-offline answers with `status`; docs/gateway.md has the reason in the same words."""

    reason: str
    kinds: list
    requests: list
    status: int


CREDENTIALS = ["garbage", "another scheme", "expired", "not yet valid", "wrong audience", "unknown issuer", "forged"]
ABSENT = ["no credential", "empty credential"]
NO_ROUTES = ["unknown path", "path in other letters", "two slashes", "unknown method"]
DECIDED = [kind for kind in [*REST, *HTTP] if kind not in RAW]
DIFFERENCES = [
    Difference("any error of the authorizer is a 401", DECIDED, ["issuer that is down"], 401),
    Difference("on a WebSocket API any error is a 500", ["websocket"], [*CREDENTIALS, "two credentials"], 500),
    Difference("a WebSocket API has no identity sources", ["websocket-denying"], ABSENT, 403),
    Difference("a WebSocket API has no identity sources, and any error is a 500", ["websocket"], ABSENT, 500),
    Difference("an empty identity source is one", ["denying", *HTTP], ["empty credential"], 403),
    Difference("the function is asked where the validation expression fails", ["denying"], ["another scheme"], 403),
    Difference("of two fields one is the token", ["token", "denying", "version2", "simple"], ["two credentials"], 200),
    Difference("format 1.0 has all fields of a name", ["version1"], ["two credentials"], 403),
    Difference("an ARN has `{id}` in place of what the client sent", DECIDED, ["own path by parameter"], 403),
    Difference("a REST API's unknown route is a 404", ["token", "request", "denying"], NO_ROUTES, 404),
    Difference("`{proxy+}` takes a path that ends before it", DECIDED, ["greedy path without a rest"], 200),
    Difference("HEAD goes to the route of GET", HTTP, ["HEAD"], 403),
    Difference("paths are decoded before their route is looked up", DECIDED, ["encoded path"], 200),
    Difference("TOKEN events have a version", ["raw-token"], ["allowed"], 401),
    Difference("REQUEST events have a version", ["raw-request"], ["expired"], 403),
]


def differences(kind, name):
    found = [difference for difference in DIFFERENCES if kind in difference.kinds and name in difference.requests]
    assert len(found) <= 1, found
    return found


@dataclasses.dataclass
class Gateways:
    """By how the function refuses; and where serverless-offline asks the functions."""

    ours: dict[str, Gateway]
    theirs: dict[str, Gateway]
    endpoint: Endpoint
    unreachable: Issuer


@dataclasses.dataclass
class Both:
    """What AWS would answer, and what the two do."""

    expected: int
    ours: int
    theirs: int


@pytest.fixture(scope="module")
def gateways(binary, cli, issuer, tmp_path_factory):
    directory = tmp_path_factory.mktemp("gateways")
    unreachable = Issuer(f"http://127.0.0.1:{free_port()}/keys", issuer.key).named("https://down.example.com/")
    issuers = [table(one, jwks_uri=one.jwks_uri) for one in (issuer, unreachable)]
    environments = {
        name: configured(directory / f"configured-{name}", "development = true", settings, *issuers, RULES)
        for name, settings in REFUSALS.items()
    }
    with contextlib.ExitStack() as stack:
        # The two processes of Node's take as long as all the rest: they start at the same time.
        packaged = stack.enter_context(ThreadPoolExecutor()).submit(template, Service(directory / "package"))
        endpoint = stack.enter_context(functions_endpoint(binary, environments, directory / "functions"))
        service = Service(directory / "offline", f"http://{endpoint.address}")
        theirs = stack.enter_context(serverless_offline(service))
        description = packaged.result()
        options = ["--function", binary, "--api", description]
        ports = {
            name: stack.enter_context(local_gateway(cli, directory / f"ours-{name}", environment, *options))
            for name, environment in environments.items()
        }
        ours = {name: Gateway(*of_apis) for name, of_apis in ports.items()}
        yield Gateways(ours, dict.fromkeys(REFUSALS, theirs), endpoint, unreachable)


@pytest.fixture(scope="module")
def statuses(gateways, issuer):
    """What both gateways answer, by kind of API and request."""
    requests = requests_of(issuer, gateways.unreachable)
    for function in gateways.endpoint.functions.values():
        function.secrets += [credential for request in requests.values() for credential in request.credentials]
    with ThreadPoolExecutor(4) as pool:
        asked = {
            (kind, name): [pool.submit(status, side, kind, request) for side in (gateways.ours, gateways.theirs)]
            for kind in [*REST, *HTTP, *WEBSOCKET]
            for name, request in requests.items()
            if is_asked(kind, name, request)
        }
        return {
            (kind, name): Both(expected(kind, requests[name]), *(answer.result() for answer in answers))
            for (kind, name), answers in asked.items()
        }


def is_asked(kind, name, request):
    if kind in WEBSOCKET:
        # A connection has no other route.
        return (request.method, request.path) == ("GET", "orders")
    return kind not in RAW or name in ("no credential", "expired", "allowed")


def status(gateways, kind, request):
    refusal = "deny" if kind in DENYING else "unauthorized"
    headers = [(request.header, credential) for credential in request.credentials]
    if kind in WEBSOCKET:
        return handshake(gateways[refusal].websocket, f"/?refusal={refusal}", headers)
    port = gateways[refusal].rest if kind in REST else gateways[refusal].http
    return status_of(port, request.method, f"/{kind}/{request.path}", headers)


def test_both_give_the_same_statuses_where_serverless_offline_follows_aws(statuses):
    same = {key: both for key, both in statuses.items() if not differences(*key)}
    assert {key: (both.ours, both.theirs) for key, both in same.items()} == {
        key: (both.expected, both.expected) for key, both in same.items()
    }
    # Not for want of anything to compare.
    for kind in [*DECIDED, *WEBSOCKET]:
        assert len({both.expected for (other, _), both in same.items() if other == kind}) >= 3, kind


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.reason)
def test_what_serverless_offline_does_otherwise(difference, statuses):
    keys = [(kind, name) for kind in difference.kinds for name in difference.requests]
    for key in keys:
        both = statuses[key]
        assert (both.ours, both.theirs) == (both.expected, difference.status), key
        assert both.expected != difference.status, f"{key}: there is no difference any more"


def test_only_one_of_them_caches(gateways, issuer):
    """The policy of the first request decides about the others, which is no difference to their clients."""
    token = issuer.token(jti="cached", scope="orders:read")
    requests = [Request((f"Bearer {token}",), path=path) for path in ["orders", "users/user-7f1c", "reports"]]
    for kind in ["token", "request", "version1", "version2"]:
        before = len(gateways.endpoint.events)
        for side in [gateways.ours, gateways.theirs]:
            assert [status(side, kind, request) for request in requests] == [200, 200, 403], kind
        assert len(gateways.endpoint.events) - before == len(requests)
        ours = gateways.ours["unauthorized"]
        records = history(ours.rest if kind in REST else ours.http)[-len(requests) :]
        assert [record["cache"] for record in records] == ["miss", "hit", "hit"], kind


def test_the_documentation_has_each_difference():
    text = (REPOSITORY / "docs" / "gateway.md").read_text(encoding="utf-8")
    section = text.partition("## Beside serverless-offline\n")[2].partition("\n## ")[0]
    [_, *documented] = re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE)
    assert documented == [difference.reason for difference in DIFFERENCES]
