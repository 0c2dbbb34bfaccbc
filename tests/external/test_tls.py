"""Rule K1: keys come from a server whose certificate holds."""

import json
import ssl

import pytest
from harness import (
    KeyServer,
    assert_allowed,
    assert_fault,
    assert_heals,
    refusal,
    running_function,
    wait_for,
)
from issuer import configured, table
from tls import CLIENTS, DAY, WELL_KNOWN, Authority, TlsKeyServer, oldest_tls, speaks, vouch_for_oneself

ROOT = Authority("private root")
INTERMEDIATE = Authority("private intermediate", above=ROOT)
STRANGER = Authority("another private root")
RIGHT = INTERMEDIATE.vouch()
# Each with what the log says about it.
WRONG = {
    "another-name": (INTERMEDIATE.vouch(name="login.example.com"), "not valid for name"),
    "another-address": (INTERMEDIATE.vouch("127.0.0.2"), "not valid for name"),
    "expired": (INTERMEDIATE.vouch(since=-2 * DAY, until=-DAY), "expired"),
    "not-yet-valid": (INTERMEDIATE.vouch(since=DAY, until=2 * DAY), "not valid yet"),
    "for-clients": (INTERMEDIATE.vouch(usage=CLIENTS), "server authentication"),
    "self-signed": (vouch_for_oneself(), "UnknownIssuer"),
    "of-another-authority": (STRANGER.vouch(), "UnknownIssuer"),
    "without-its-intermediate": (INTERMEDIATE.vouch(with_chain=False), "UnknownIssuer"),
}


@pytest.fixture
def server(key_server, issuer):
    """Has the issuer's keys at `/keys`."""
    with TlsKeyServer(RIGHT.context(), key_server.documents) as server:
        yield server


def private(issuer, server, ca_file="ca.pem"):
    return table(issuer, jwks_uri=f"https://{server.address}/keys", ca_file=ca_file)


@pytest.mark.parametrize(("credentials", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_certificate_that_does_not_hold_is_a_fault_until_it_does(
    binary, issuer, server, tmp_path, credentials, expected
):
    server.context = credentials.context()
    environment = configured(tmp_path, private(issuer, server), ca=ROOT.pem)
    with running_function(binary, tmp_path, environment) as function:
        function.secrets.append(ROOT.pem + credentials.private_pem)
        detail = assert_fault(function, issuer.token())
        assert "certificate" in detail and expected in detail, detail
        assert server.requests == [], "nothing is asked of a server that is not trusted"
        server.context = RIGHT.context()
        assert_heals(function, issuer.token())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_a_server_that_speaks_tls_1_1_only_is_a_fault_until_it_speaks_1_2(binary, issuer, server, tmp_path):
    server.context = oldest_tls(RIGHT)
    assert speaks(server.context, ssl.TLSVersion.TLSv1_1)
    environment = configured(tmp_path, private(issuer, server), ca=ROOT.pem)
    with running_function(binary, tmp_path, environment) as function:
        assert "ProtocolVersion" in assert_fault(function, issuer.token())
        server.context = RIGHT.context()
        server.context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert_heals(function, issuer.token())


def test_a_server_that_speaks_no_tls_is_a_fault(binary, issuer, key_server, tmp_path):
    environment = configured(tmp_path, private(issuer, key_server), ca=ROOT.pem)
    with running_function(binary, tmp_path, environment) as function:
        assert "InvalidContentType" in assert_fault(function, issuer.token())


@pytest.mark.parametrize(
    "authorities",
    [[ROOT], [STRANGER, ROOT], [ROOT, STRANGER], [INTERMEDIATE]],
    ids=["alone", "last", "first", "intermediate"],
)
def test_the_certificate_of_a_private_authority_makes_its_servers_trusted(
    binary, issuer, server, tmp_path, authorities
):
    pem = "".join(f"# {place}\n{authority.pem}\n" for place, authority in enumerate(authorities))
    with running_function(binary, tmp_path, configured(tmp_path, private(issuer, server), ca=pem)) as function:
        assert_allowed(function, issuer.token())


def test_keys_of_a_server_that_nobody_vouches_for_are_not_used(binary, issuer, server, tmp_path):
    for name, settings in [("none", {}), ("another", {"ca_file": "ca.pem"})]:
        directory = tmp_path / name
        environment = configured(directory, table(issuer, jwks_uri=f"{server.url}/keys", **settings), ca=STRANGER.pem)
        with running_function(binary, directory, environment) as function:
            assert "UnknownIssuer" in assert_fault(function, issuer.token())
    assert server.requests == []


def test_a_certificate_by_nobody_is_trusted_where_it_is_the_configured_one(binary, issuer, server, tmp_path):
    ours, other = vouch_for_oneself(), vouch_for_oneself()
    server.context = other.context()
    environment = configured(tmp_path, private(issuer, server), ca=ours.pem)
    with running_function(binary, tmp_path, environment) as function:
        assert_fault(function, issuer.token())
        server.context = ours.context()
        assert_heals(function, issuer.token())


@pytest.mark.parametrize("settings", [{}, {"ca_file": "other.pem"}], ids=["public", "another"])
def test_the_authority_of_one_issuer_does_not_vouch_for_another(binary, issuer, server, tmp_path, settings):
    """At the very same server: no session of the one serves the other."""
    other = issuer.named("https://login.example.net/")
    uri = f"{server.url}/keys"
    tables = [private(issuer, server), table(other, jwks_uri=uri, **settings)]
    environment = configured(tmp_path, *tables, ca=ROOT.pem, other=STRANGER.pem)
    with running_function(binary, tmp_path, environment) as function:
        assert_allowed(function, issuer.token())
        assert "UnknownIssuer" in assert_fault(function, other.token())
        assert_allowed(function, issuer.token())
    assert len(server.requests) == 1
    known = tmp_path / "known"
    environment = configured(known, private(issuer, server), private(other, server), ca=ROOT.pem)
    with running_function(binary, known, environment) as function:
        assert_allowed(function, issuer.token())
        assert_allowed(function, other.token())


def test_a_discovery_document_may_lead_to_another_origin(binary, issuer, server, tmp_path):
    with TlsKeyServer(RIGHT.context()) as front:
        discovered = front.announce(issuer, f"{server.url}/keys")
        environment = configured(tmp_path, table(discovered, ca_file="ca.pem"), ca=ROOT.pem)
        with running_function(binary, tmp_path, environment) as function:
            assert_allowed(function, discovered.token())
        assert [path for path, _ in front.requests] == [WELL_KNOWN]
        assert [path for path, _ in server.requests] == ["/keys"]


@pytest.mark.parametrize("development", [False, True], ids=["deployed", "development"])
def test_a_discovery_document_does_not_lead_to_plain_http(binary, issuer, key_server, tmp_path, development):
    """But to this very machine, in development."""
    with TlsKeyServer(RIGHT.context()) as front:
        discovered = front.announce(issuer, "http://keys.example.com/keys")
        settings = [f"development = {json.dumps(development)}", table(discovered, ca_file="ca.pem")]
        with running_function(binary, tmp_path, configured(tmp_path, *settings, ca=ROOT.pem)) as function:
            assert "`jwks_uri` is not an https URL" in assert_fault(function, discovered.token())
            front.announce(issuer, f"http://{key_server.address}/keys")
            if development:
                assert_heals(function, discovered.token())
            else:
                asked = len(front.requests)
                wait_for(
                    lambda: assert_fault(function, discovered.token()) and len(front.requests) > asked, "a new fetch"
                )
                assert "`jwks_uri` is not an https URL" in assert_fault(function, discovered.token())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no certificates"),
        ("These are no certificates.", "no certificates"),
        (ROOT.pem.partition("-----END")[0], "no certificates"),
        (ROOT.private_pem, "a private key"),
        (ROOT.pem + ROOT.private_pem, "a private key"),
        (None, "cannot be read"),
    ],
    ids=["empty", "text", "truncated", "key", "certificate-and-key", "missing"],
)
def test_a_file_that_is_no_certificates_is_a_problem_of_the_configuration(
    binary, issuer, server, tmp_path, text, message
):
    environment = configured(tmp_path, private(issuer, server), **({} if text is None else {"ca": text}))
    detail = refusal(binary, environment)
    assert "1 problem" in detail and "issuer[0].ca_file: `ca.pem`" in detail, detail
    assert message in detail and "hint: " in detail, detail
    assert not any(line in detail for line in ROOT.private_pem.splitlines()[1:-1]), detail
    configured(tmp_path, private(issuer, server), ca=ROOT.pem)
    with running_function(binary, tmp_path, environment) as function:
        assert_allowed(function, issuer.token())
