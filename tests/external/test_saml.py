"""Assertions of pysaml2's identity provider, signed by libxmlsec1, put to the built function."""

import re
import time

import pytest
from harness import REPOSITORY, KeyServer, running_function
from identity_provider import AUDIENCE, ENTITY, RECIPIENT, IdentityProvider, bearer
from issuer import configured

FETCHED = f"""
development = true

[saml]
issuer       = "{ENTITY}"
audience     = "{AUDIENCE}"
recipient    = "{RECIPIENT}"
metadata_url = "{{url}}"

[saml.attributes]
email  = "urn:oid:0.9.2342.19200300.100.1.3"
groups = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1"

[response]
context = {{{{ email = "email", format = "name_id_format" }}}}

[key_set]
cooldown_seconds = 1
"""


class MetadataServer(KeyServer):
    """Publishes what identity providers say of themselves."""

    def show(self, metadata):
        self.documents["/metadata"] = metadata.encode()
        return f"http://{self.address}/metadata"


@pytest.fixture(scope="module", params=["RSA", "EC"])
def provider(tmp_path_factory, request):
    return IdentityProvider(tmp_path_factory.mktemp("provider"), request.param)


@pytest.fixture
def server(provider):
    with MetadataServer() as server:
        server.show(provider.metadata())
        yield server


@pytest.fixture
def function(featured, server, tmp_path):
    environment = configured(tmp_path / "configured", FETCHED.format(url=f"http://{server.address}/metadata"))
    with running_function(featured, tmp_path, environment) as function:
        yield function


def reason(function, assertion):
    """`None` where the request is allowed."""
    answer = function.authorize(bearer(assertion))
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


def test_the_configuration_of_the_documentation_takes_an_assertion(featured, provider, tmp_path):
    text = (REPOSITORY / "docs/saml.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL).group(1)
    environment = configured(tmp_path / "configured", example)
    (tmp_path / "configured" / "idp-metadata.xml").write_text(provider.metadata(), encoding="utf-8")
    with running_function(featured, tmp_path, environment) as function:
        answer = function.authorize(bearer(provider.assertion()))
        assert function.record(answer)["decision"] == "allow"
        assert answer.body["principalId"] == "alice@example.com"
        assert answer.body["context"] == {"email": "alice@example.com"}
        guest = provider.assertion(subject="guest@example.com", mail=["guest@example.com"], eduPersonAffiliation=["guest"])
        assert reason(function, guest) == "insufficient_scope"


def test_an_assertion_is_taken_and_its_attributes_are_passed_on(function, provider):
    answer = function.authorize(bearer(provider.assertion()))
    assert answer.body["context"] == {
        "email": "alice@example.com",
        "format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    }
    record = function.record(answer)
    assert (record["decision"], record["principal"], record["issuer"]) == ("allow", "alice@example.com", ENTITY)


@pytest.mark.parametrize("kind", ["rest-token", "rest-request", "http-1.0", "http-2.0", "websocket"])
def test_every_kind_of_api_takes_an_assertion(function, provider, kind):
    value = bearer(provider.assertion()).removeprefix("Bearer ")
    function.secrets.append(value)
    text = (REPOSITORY / f"events/{kind}.json").read_text(encoding="utf-8")
    event, count = re.subn(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", value, text)
    assert count >= 1
    answer = function.invoke(event)
    record = function.record(answer)
    assert (record["decision"], record["principal"]) == ("allow", "alice@example.com")
    damaged = function.invoke(event.replace(value, value[:-8]))
    assert function.record(damaged)["reason"] == "saml_malformed"


def test_tokens_and_assertions_stand_beside_one_another(featured, provider, issuer, tmp_path):
    with MetadataServer() as server:
        text = FETCHED.format(url=server.show(provider.metadata())).replace("development = true", "")
        environment = configured(tmp_path / "configured", issuer.configuration(), text)
        with running_function(featured, tmp_path, environment) as function:
            assert reason(function, provider.assertion()) is None
            answer = function.authorize(f"Bearer {issuer.token()}")
            assert function.record(answer)["principal"] == "user-7f1c"
            # By its form each is what it is: one of the other's name is none of the other's.
            answer = function.authorize(f"Bearer {issuer.named(ENTITY).token()}")
            assert function.record(answer)["reason"] == "issuer_unknown"
            assert reason(function, provider.assertion().replace(ENTITY, issuer.url)) == "issuer_unknown"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"audience": f"{AUDIENCE}/v2"}, "audience_mismatch"),
        ({"recipient": "https://other.example.com/saml/acs"}, "saml_unconfirmed"),
    ],
)
def test_an_assertion_for_others_is_refused(function, provider, changes, expected):
    assert reason(function, provider.assertion(**changes)) == expected
    assert reason(function, provider.assertion()) is None


def test_what_is_changed_is_not_what_was_signed(function, provider):
    good = provider.assertion()
    for old, new in [("alice@", "admin@"), (">staff<", ">root<"), (":09:", ":59:")]:
        if old in good:
            assert reason(function, good.replace(old, new)) in ("signature_invalid", "saml_signature_unsupported"), new
    # A name that some readers would cut at the comment is the one that was signed.
    cut = good.replace("alice@example.com</ns1:NameID>", "alice<!-- -->@example.com</ns1:NameID>")
    assert cut != good
    answer = function.authorize(bearer(cut))
    assert answer.body["principalId"] == "alice@example.com"


def test_the_response_and_an_unsigned_assertion_are_refused(function, provider):
    assert reason(function, provider.response()) == "saml_malformed"
    unsigned = re.sub(r"<(\w+):Signature .*</\1:Signature>", "", provider.assertion(), flags=re.DOTALL)
    assert reason(function, unsigned) == "saml_unsigned"
    assert reason(function, provider.assertion()) is None


def test_another_provider_of_the_same_name_is_not_believed(function, provider, tmp_path):
    impostor = IdentityProvider(tmp_path / "impostor", provider.kind)
    assert reason(function, impostor.assertion()) == "signature_invalid"
    assert reason(function, provider.assertion()) is None


def test_keys_that_are_rolled_are_found(function, provider, server, tmp_path):
    assert reason(function, provider.assertion()) is None
    rolled = IdentityProvider(tmp_path / "rolled", "EC" if provider.kind == "RSA" else "RSA")
    server.show(rolled.metadata())
    time.sleep(1.1)
    assert reason(function, rolled.assertion()) is None
    assert reason(function, provider.assertion()) == "key_not_found"


def test_a_metadata_server_that_is_gone_is_a_fault_and_what_is_known_still_serves(featured, provider, tmp_path):
    with MetadataServer() as server:
        environment = configured(tmp_path / "configured", FETCHED.format(url=server.show(provider.metadata())))
        with running_function(featured, tmp_path, environment) as function:
            assert reason(function, provider.assertion()) is None
            server.documents.clear()
            assert reason(function, provider.assertion()) is None
            time.sleep(1.1)
            impostor = IdentityProvider(tmp_path / "impostor", provider.kind)
            assert reason(function, impostor.assertion()) == "key_set_unavailable"
    (tmp_path / "alone").mkdir()
    with running_function(featured, tmp_path / "alone", environment) as function:
        assert reason(function, provider.assertion()) == "key_set_unavailable"
