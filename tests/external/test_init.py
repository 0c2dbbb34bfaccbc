"""A configuration that must not run: the function says everything that is wrong with it, and ends."""

import pytest
from harness import REPOSITORY, assert_level_is_heeded, refusal, running_function, start_failure

# Set in every environment of AWS Lambda, and in no stand-in for it.
ON_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
EVENTS = {"AUTHORIZER_CONFIG_FILE": str(REPOSITORY / "events" / "authorizer.toml")}
ISSUER = {"AUTHORIZER_ISSUER": "https://login.example.com/", "AUTHORIZER_AUDIENCE": "orders-api"}
TYPOS = """
developement = true

[[issuer]]
url = "http://login.example.com/keys"
audiance = "orders-api"
leeway_seconds = 3000

[[rule]]
routes = ["FETCH /orders", "GET orders"]
require = "authenticated"
"""


def starts(binary, directory, environment):
    """Whether it answers. That it does not know the issuer is an answer."""
    with running_function(binary, directory, environment) as function:
        return function.record(function.authorize("Bearer an-opaque-token"))["reason"] == "token_malformed"


@pytest.mark.parametrize("type_", ["on-demand", "provisioned-concurrency", "snap-start", ""])
def test_a_development_configuration_does_not_run_on_lambda(binary, tmp_path, type_):
    detail = refusal(binary, EVENTS | {"AWS_LAMBDA_INITIALIZATION_TYPE": type_})
    assert "1 problem" in detail and "development" in detail and "hint: " in detail
    assert starts(binary, tmp_path, EVENTS)


def test_a_configuration_that_is_no_development_runs_on_lambda(binary, tmp_path):
    assert starts(binary, tmp_path, ISSUER | ON_LAMBDA)


def test_every_unknown_key_is_named_at_once(binary):
    detail = refusal(binary, {"AUTHORIZER_CONFIG": TYPOS})
    for wrong in ["developement", "audiance", "leeway_seconds", "require", "FETCH /orders", "GET orders"]:
        assert wrong in detail, detail


def test_every_unknown_variable_is_named_at_once(binary, tmp_path):
    wrong = {"AUTHORIZER_AUDIENCES": "orders-api", "AUTHORIZER_ISSUER_URL": "https://login.example.com/"}
    detail = refusal(binary, ISSUER | wrong)
    assert "2 problem" in detail and all(f"{name}: " in detail for name in wrong), detail
    assert starts(binary, tmp_path, ISSUER)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, ["AUTHORIZER_ISSUER", "authorizer.toml"]),
        (ISSUER | {"AUTHORIZER_CONFIG": "development = true"}, ["AUTHORIZER_CONFIG", "AUTHORIZER_ISSUER"]),
        (ISSUER | {"AUTHORIZER_AUDIENCE": " , "}, ["AUTHORIZER_AUDIENCE"]),
        (ISSUER | {"AUTHORIZER_ALGORITHMS": "RS256,HS256,none"}, ["`HS256`", "`none`"]),
        (ISSUER | {"AUTHORIZER_JWKS_URI": "http://127.0.0.1/keys"}, ["jwks_uri", "http://127.0.0.1/keys"]),
        ({"AUTHORIZER_CONFIG_FILE": "/nowhere/authorizer.toml"}, ["/nowhere/authorizer.toml"]),
        ({"AUTHORIZER_CONFIG": "[[issuer]\n"}, ["line 1"]),
    ],
)
def test_other_mistakes(binary, environment, named):
    detail = refusal(binary, environment)
    assert all(word in detail for word in named), detail


def test_the_failure_keeps_its_level(binary):
    assert_level_is_heeded(start_failure(binary, {}))
