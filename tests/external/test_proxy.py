"""`proxy` and `headers`: who gets to see what on the way to the keys."""

import json

import pytest
from harness import assert_allowed, assert_fault, assert_heals, free_port, refusal, running_function
from issuer import configured, table
from proxy import Proxy
from tls import WELL_KNOWN, Authority, TlsKeyServer

ROOT = Authority("private root")
# Nobody but the proxy knows where that is.
HOST = "login.internal.example"
SECRET = "correct-horse-battery-staple"
# Characters that a URL cannot hold as they are.
USER, PASSWORD = "orders@api", "battery/staple:correct#horse"
ESCAPED = "orders%40api:battery%2Fstaple%3Acorrect%23horse"
QUICK = "[key_set]\ntimeout_milliseconds = 300"


@pytest.fixture
def server(key_server, issuer):
    """Has the issuer's keys at `/keys`."""
    with TlsKeyServer(ROOT.vouch(name=HOST).context(), key_server.documents) as server:
        yield server


@pytest.fixture
def proxy(server):
    with Proxy({f"{HOST}:443": server.address}) as proxy:
        yield proxy


@pytest.fixture
def local(key_server, issuer):
    """As `server`, and to be reached without a proxy."""
    with TlsKeyServer(ROOT.vouch().context(), key_server.documents) as server:
        yield server


def start(binary, directory, *tables, variables=None):
    environment = configured(directory, *tables, ca=ROOT.pem)
    return running_function(binary, directory, environment | (variables or {}))


def behind(issuer, proxy, userinfo="", **settings):
    proxy = f"http://{userinfo}{proxy.address}"
    return table(issuer, jwks_uri=f"https://{HOST}/keys", ca_file="ca.pem", proxy=proxy, **settings)


def test_keys_come_through_the_proxy_which_sees_nothing_of_them(binary, issuer, server, proxy, tmp_path):
    with start(binary, tmp_path, behind(issuer, proxy, headers={"x-api-key": SECRET})) as function:
        function.secrets.append(SECRET)
        assert_allowed(function, issuer.token())
    [head] = proxy.heads
    lines = head.splitlines()
    assert lines[0] == f"CONNECT {HOST}:443 HTTP/1.1"
    assert {line.partition(":")[0].lower() for line in lines[1:] if line} <= {"host", "user-agent"}, head
    assert SECRET not in head
    # TLS records: the first is a ClientHello, and the only words in the clear are the host's.
    assert proxy.sent.startswith(b"\x16\x03") and HOST.encode() in proxy.sent
    for word in [SECRET, "x-api-key", "GET /keys", "lambda-authorizer"]:
        assert word.encode() not in proxy.sent
    assert issuer.key_id.encode() not in proxy.answered
    [(path, headers)] = server.requests
    assert (path, headers["x-api-key"], headers["host"]) == ("/keys", SECRET, HOST)
    assert not any(name.startswith("proxy-") for name in headers)


def test_user_and_password_are_the_proxys_only(binary, issuer, server, proxy, tmp_path):
    known = Proxy(proxy.hosts, f"{USER}:{PASSWORD}")
    with known, start(binary, tmp_path, behind(issuer, known, f"{ESCAPED}@")) as function:
        function.secrets += [PASSWORD, ESCAPED, known.authorization]
        assert_allowed(function, issuer.token())
        assert known.header("proxy-authorization") == known.authorization
    [(_, headers)] = server.requests
    assert not {"authorization", "proxy-authorization"} & set(headers)


@pytest.mark.parametrize("userinfo", ["", "orders:wrong-horse-battery-staple@"])
def test_a_proxy_that_does_not_know_us_is_a_fault(binary, issuer, server, tmp_path, userinfo):
    with Proxy({f"{HOST}:443": server.address}, f"{USER}:{PASSWORD}") as known:
        with start(binary, tmp_path, behind(issuer, known, userinfo)) as function:
            function.secrets += [userinfo, PASSWORD, known.authorization]
            assert "proxy authorization required" in assert_fault(function, issuer.token())
            assert server.requests == []
            known.authorization = None
            assert_heals(function, issuer.token())


@pytest.mark.parametrize("status", ["502 Bad Gateway", "403 Forbidden", "200000 what", "302 Found\r\nLocation: /"])
def test_a_proxy_that_refuses_is_a_fault(binary, issuer, proxy, tmp_path, status):
    proxy.refusal = status
    with start(binary, tmp_path, behind(issuer, proxy, f"{ESCAPED}@")) as function:
        function.secrets += [PASSWORD, ESCAPED]
        assert "tunnel error" in assert_fault(function, issuer.token())
        proxy.refusal = None
        assert_heals(function, issuer.token())


def test_a_proxy_that_hangs_is_a_fault(binary, issuer, proxy, tmp_path):
    proxy.is_silent = True
    with start(binary, tmp_path, QUICK, behind(issuer, proxy, f"{ESCAPED}@")) as function:
        function.secrets += [PASSWORD, ESCAPED]
        assert "not complete after 300 ms" in assert_fault(function, issuer.token())
        proxy.is_silent = False
        assert_heals(function, issuer.token())


def test_a_proxy_that_is_down_is_a_fault(binary, issuer, server, tmp_path):
    proxy = f"http://{ESCAPED}@127.0.0.1:{free_port()}"
    settings = table(issuer, jwks_uri=f"https://{HOST}/keys", ca_file="ca.pem", proxy=proxy)
    with start(binary, tmp_path, settings) as function:
        function.secrets += [PASSWORD, ESCAPED]
        assert "refused" in assert_fault(function, issuer.token())
    assert server.requests == []


def test_a_server_behind_the_proxy_is_verified_all_the_same(binary, issuer, server, proxy, tmp_path):
    server.context = Authority("another private root").vouch(name=HOST).context()
    with start(binary, tmp_path, behind(issuer, proxy)) as function:
        assert "UnknownIssuer" in assert_fault(function, issuer.token())
        assert len(proxy.heads) > 0 and server.requests == []
        server.context = ROOT.vouch(name=HOST).context()
        assert_heals(function, issuer.token())


def test_the_environment_names_no_proxy(binary, issuer, local, key_server, tmp_path):
    """Neither for https nor, in development, for plain http."""
    names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]
    for place, uri in enumerate([f"{local.url}/keys", f"http://{key_server.address}/keys"]):
        with Proxy() as unwanted:
            variables = {name: f"http://{unwanted.address}" for name in names}
            settings = ["development = true", table(issuer, jwks_uri=uri, ca_file="ca.pem")]
            with start(binary, tmp_path / str(place), *settings, variables=variables) as function:
                assert_allowed(function, issuer.token())
            assert unwanted.heads == []


def test_the_environment_does_not_lead_past_the_proxy(binary, issuer, proxy, tmp_path):
    variables = {"NO_PROXY": "*", "no_proxy": "*", "REQUEST_METHOD": "GET"}
    with start(binary, tmp_path, behind(issuer, proxy), variables=variables) as function:
        assert_allowed(function, issuer.token())
    assert len(proxy.heads) == 1


def test_plain_http_stays_on_this_machine(binary, issuer, key_server, proxy, tmp_path):
    """A loopback address is not to be that of the proxy's machine. Rule K1."""
    settings = table(
        issuer,
        jwks_uri=f"http://{key_server.address}/keys",
        proxy=f"http://{ESCAPED}@{proxy.address}",
        headers={"x-api-key": SECRET},
    )
    with start(binary, tmp_path, "development = true", settings) as function:
        function.secrets += [SECRET, PASSWORD, ESCAPED]
        assert_allowed(function, issuer.token())
    assert proxy.heads == []


def test_the_proxy_of_one_issuer_is_not_that_of_another(binary, issuer, local, proxy, tmp_path):
    other = issuer.named("https://login.example.net/")
    direct = table(other, jwks_uri=f"{local.url}/keys", ca_file="ca.pem")
    with start(binary, tmp_path, behind(issuer, proxy), direct) as function:
        assert_allowed(function, issuer.token())
        assert_allowed(function, other.token())
    assert len(proxy.heads) == 1 and len(local.requests) == 1


def test_header_fields_go_to_the_configured_origin(binary, issuer, local, tmp_path):
    discovered = local.announce(issuer, f"{local.url}/keys")
    settings = table(discovered, ca_file="ca.pem", headers={"x-api-key": SECRET, "User-Agent": "orders"})
    with start(binary, tmp_path, settings) as function:
        function.secrets.append(SECRET)
        assert_allowed(function, discovered.token())
    assert [path for path, _ in local.requests] == [WELL_KNOWN, "/keys"]
    for _, headers in local.requests:
        assert (headers["x-api-key"], headers["user-agent"]) == (SECRET, "orders")
        assert (headers["accept"], headers["accept-encoding"]) == ("application/json", "identity")


def test_header_fields_do_not_go_where_the_discovery_document_leads(binary, issuer, local, tmp_path):
    with TlsKeyServer(ROOT.vouch().context()) as front:
        discovered = front.announce(issuer, f"{local.url}/keys")
        settings = table(discovered, ca_file="ca.pem", headers={"x-api-key": SECRET, "Authorization": f"Basic {SECRET}"})
        with start(binary, tmp_path, settings) as function:
            function.secrets.append(SECRET)
            assert_allowed(function, discovered.token())
        [(_, first)], [(_, second)] = front.requests, local.requests
    assert (first["x-api-key"], first["authorization"]) == (SECRET, f"Basic {SECRET}")
    assert not {"x-api-key", "authorization"} & set(second) and SECRET not in str(second)


def test_header_fields_of_one_issuer_do_not_go_for_another(binary, issuer, local, tmp_path):
    """Not even to the same server."""
    other = issuer.named("https://login.example.net/")
    uri = f"{local.url}/keys"
    ours = table(issuer, jwks_uri=uri, ca_file="ca.pem", headers={"x-api-key": SECRET})
    with start(binary, tmp_path, ours, table(other, jwks_uri=uri, ca_file="ca.pem")) as function:
        function.secrets.append(SECRET)
        assert_allowed(function, issuer.token())
        assert_allowed(function, other.token())
    assert sorted(headers.get("x-api-key", "none") for _, headers in local.requests) == [SECRET, "none"]


@pytest.mark.parametrize("status", [302, 401, 500])
def test_header_fields_are_not_in_the_log_of_a_refusal(binary, issuer, local, tmp_path, status):
    """A server that sends back what it was sent. Rule Z8."""
    echo = local.get
    location = ("Location", f"{local.url}/other")

    def refuse(handler):
        local.send(handler, status, json.dumps(dict(handler.headers)).encode(), [location])

    local.get = refuse
    settings = table(issuer, jwks_uri=f"{local.url}/keys", ca_file="ca.pem", headers={"x-api-key": SECRET})
    with start(binary, tmp_path, settings) as function:
        function.secrets.append(SECRET)
        assert f"status {status}" in assert_fault(function, issuer.token())
        assert local.requests == [], "no redirect is followed"
        local.get = echo
        assert_heals(function, issuer.token())


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        (f'headers = {{ host = "{SECRET}" }}', "issuer[0].headers: `host`"),
        (f'headers = {{ Accept-Encoding = "{SECRET}" }}', "issuer[0].headers: `Accept-Encoding`"),
        (f'headers = {{ Proxy-Authorization = "{SECRET}" }}', "issuer[0].headers: `Proxy-Authorization`"),
        (f'headers = {{ "x api key" = "{SECRET}" }}', "issuer[0].headers: `x api key`"),
        (f'headers = {{ x-api-key = "{SECRET}\\r\\nx-other: 1" }}', "issuer[0].headers: the value of `x-api-key`"),
        (f'headers = "x-api-key: {SECRET}"', "issuer[0].headers: "),
        (f'proxy = "{USER}:{SECRET}@proxy.example:3128"', "issuer[0].proxy: "),
        (f'proxy = "socks5://{USER}:{SECRET}@proxy.example"', "issuer[0].proxy: "),
        (f'proxy = "http://{USER}:{SECRET}@{{proxy}}"', "issuer[0].proxy: "),
    ],
)
def test_a_secret_in_a_wrong_setting_is_not_quoted(binary, issuer, tmp_path, setting, path):
    detail = refusal(binary, configured(tmp_path, table(issuer) + setting))
    assert "1 problem" in detail and path in detail, detail
    assert "horse" not in detail, detail


def test_a_way_to_no_server_is_a_problem_of_the_configuration(binary, issuer, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps({"keys": []}))
    settings = {"ca_file": "ca.pem", "proxy": "http://proxy.example:3128", "headers": {"x-api-key": SECRET}}
    detail = refusal(binary, configured(tmp_path, table(issuer, jwks_file="keys.json", **settings), ca=ROOT.pem))
    assert all(f"issuer[0].{name}: " in detail for name in settings) and SECRET not in detail, detail
