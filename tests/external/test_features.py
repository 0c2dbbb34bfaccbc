"""The function built without what is not JWT: it says what it cannot do, and takes no token for less than it is."""

import pytest
from harness import refusal, running_function
from issuer import configured

SECTIONS = {
    "introspection": {"introspection": "url = 'https://login.example.com/introspect'", "userinfo": "url = 'https://login.example.com/me'"},
    "oauth": {
        "client_credentials": "token_endpoint = 'https://login.example.com/token'",
        "token_exchange": "token_endpoint = 'https://login.example.com/token'",
    },
    "possession": {"dpop": "lifetime_seconds = 30"},
    "dynamodb": {"dynamodb": "table = 'authorizer'", "api_keys": "prefix = 'orders'", "basic": "", "revocation": ""},
    "saml": {"saml": "issuer = 'https://idp.example.com/'"},
}


@pytest.mark.parametrize("feature, section", [(feature, section) for feature, sections in SECTIONS.items() for section in sections])
def test_a_section_that_is_not_built_is_refused_by_the_name_of_its_feature(bare, issuer, tmp_path, feature, section):
    text = f"{issuer.configuration()}\n[{section}]\n{SECTIONS[feature][section]}\n"
    detail = refusal(bare, configured(tmp_path / "configured", text))
    assert f"{section}: this function is built without what it needs" in detail
    assert f"FEATURES={feature}`" in detail


def test_proofs_that_are_not_built_are_refused_where_they_are_asked_for(bare, issuer, tmp_path):
    text = f"{issuer.configuration()}\nproof_of_possession = ['dpop']\n[gateway]\ncache_seconds = 0\n"
    detail = refusal(bare, configured(tmp_path / "configured", text))
    assert "issuer[0].proof_of_possession: this function is built without what it needs" in detail
    assert "FEATURES=possession`" in detail


@pytest.mark.parametrize("confirmation", [{"jkt": "of-a-key"}, {"x5t#S256": "of-a-certificate"}, {"jwk": {}}, {}, "text", None])
def test_a_bound_token_is_refused_by_a_function_that_cannot_look_at_proofs(bare, issuer, tmp_path, confirmation):
    """Rule C9. A `cnf` that is `null` is there, too."""
    environment = configured(tmp_path / "configured", issuer.configuration())
    with running_function(bare, tmp_path, environment) as function:
        for scheme in ["Bearer", "DPoP"]:
            answer = function.authorize(f"{scheme} {issuer.bound(confirmation)}")
            assert answer.effect == "Deny"
            assert function.record(answer)["reason"] == "token_sender_constrained"
        assert function.authorize(f"Bearer {issuer.token()}").effect == "Allow"
        answer = function.authorize(f"DPoP {issuer.token()}")
        assert function.record(answer)["reason"] == "token_unbound"


def test_what_is_built_is_taken(featured, issuer, tmp_path):
    """The neighbour of the refusals above: the same settings, and a function that has what they need."""
    text = f"{issuer.configuration()}\nproof_of_possession = ['dpop']\n[dpop]\nlifetime_seconds = 30\n[gateway]\ncache_seconds = 0\n"
    with running_function(featured, tmp_path, configured(tmp_path / "configured", text)) as function:
        assert function.authorize(f"Bearer {issuer.token()}").effect == "Allow"
        answer = function.authorize(f"DPoP {issuer.bound({'jkt': 'of-a-key'})}")
        assert function.record(answer)["reason"] == "dpop_proof_missing"
