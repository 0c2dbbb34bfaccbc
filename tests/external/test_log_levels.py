"""What the function writes, at every level: one JSON object a line, and nothing of what callers send."""

import json

import pytest
from harness import (
    assert_level_is_heeded,
    assert_no_secrets,
    encode,
    request_event,
    running_function,
    token_event,
    with_flipped_signature_bit,
    with_header,
)

LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
ENVIRONMENTS = [
    *({"AWS_LAMBDA_LOG_LEVEL": level} for level in LEVELS),
    {"AWS_LAMBDA_LOG_LEVEL": "debug"},
    {"RUST_LOG": "trace"},
    {"AWS_LAMBDA_LOG_LEVEL": "TRACE", "AWS_LAMBDA_LOG_FORMAT": "JSON", "RUST_LOG": "trace", "RUST_BACKTRACE": "full"},
]

KEY_SET = {"timestamp", "level", "message", "issuer", "keys", "lifetime_seconds"}
ALWAYS = {"timestamp", "level", "message", "decision", "duration_us", "request_id"}
WITH_AN_EVENT = ALWAYS | {"kind", "method", "route"}
WITH_A_REASON = {"reason", "detail"}
VERIFIED = {"issuer", "key_id"}
# In a token that is not trusted, and so nowhere in the log. (No word of hexadecimal digits: request IDs hold any.)
FORGED = {"sub": "forged-subject-zebra", "tenant": "forged-tenant-zebra", "scope": "forged:scope-zebra", "jti": "zebra"}


def calls(issuer):
    """Each event, the credentials in it, the reason that is expected, and the keys of its record."""
    allowed = issuer.token()
    refused = WITH_AN_EVENT | WITH_A_REASON
    unsigned = f"{encode({'alg': 'none'})}.{encode(FORGED | {'iss': issuer.url})}."

    def authorization(value, reason, keys=refused):
        return token_event(value), [value], reason, keys

    yield authorization(f"Bearer {allowed}", None, WITH_AN_EVENT | VERIFIED | {"principal"})
    for token, reason, keys in [
        # The signature holds: the issuer and its key are known, the caller is not let in.
        (issuer.token(exp=1_700_000_000), "token_expired", refused | VERIFIED),
        (issuer.token(aud="billing-api"), "audience_mismatch", refused | VERIFIED),
        (issuer.token(exp="tomorrow"), "claim_invalid", refused | VERIFIED),
        (issuer.forged(**FORGED), "signature_invalid", refused),
        (issuer.forged(iss="https://forged-issuer-zebra.example/"), "issuer_unknown", refused),
        (with_flipped_signature_bit(allowed), "signature_invalid", refused),
        (with_header(allowed, kid="forged-key-zebra"), "key_not_found", refused),
        (with_header(allowed, alg="forged-algorithm-zebra"), "algorithm_not_allowed", refused),
        (with_header(allowed, crit=["forged-zebra"]), "critical_header_unsupported", refused),
        (with_header(allowed, typ="forged-type-zebra"), "token_type_unexpected", refused),
        (unsigned, "token_unsigned", refused),
        (allowed.rpartition(".")[0], "token_malformed", refused),
        (f"{allowed}.{allowed}", "token_malformed", refused),
        (f"{allowed}==", "token_malformed", refused),
        ("A" * 20_000, "token_too_large", refused),
    ]:
        yield authorization(f"Bearer {token}", reason, keys)
    for value, reason in [
        (allowed, "credential_malformed"),
        (f"Bearer{allowed}", "credential_malformed"),
        (f"Bearer {allowed} {allowed}", "credential_malformed"),
        (f"Bearer Bearer {allowed}", "credential_malformed"),
        (f"Bearer {allowed}, Bearer {allowed}", "credential_ambiguous"),
        ("Basic dXNlci03ZjFjOmNvcnJlY3QgaG9yc2U=", "credential_malformed"),
        ("Bearer \x00\x1b[31m\u202e\U0001f600" + allowed, "token_malformed"),
        ("Bearer an-opaque-session-of-somebody", "token_malformed"),
    ]:
        yield authorization(value, reason)
    yield authorization(f"DPoP {allowed}", "token_unbound", refused | VERIFIED)
    twice = {"Authorization": f"Bearer {allowed}", "authorization": f"Bearer {issuer.forged()}"}
    yield request_event(twice), list(twice.values()), "credential_ambiguous", refused
    yield request_event({}), [], "credential_missing", refused

    malformed = ALWAYS | WITH_A_REASON
    for event in [
        token_event([f"Bearer {allowed}"]),
        token_event(f"Bearer {allowed}", method_arn=f"Bearer {allowed}"),
        token_event(f"Bearer {allowed}") | {"type": f"Bearer {allowed}"},
        [f"Bearer {allowed}"],
        f"Bearer {allowed}",
        {"Authorization": f"Bearer {allowed}"},
        request_event(f"Bearer {allowed}"),
        request_event({"Authorization": {"Bearer": allowed}}),
    ]:
        yield event, [allowed], "event_malformed", malformed


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: "-".join(environment.values()))
def test_output(binary, issuer, tmp_path, environment):
    configuration = {"AUTHORIZER_CONFIG": issuer.configuration()}
    # That no credential is written, the function's end checks.
    with running_function(binary, tmp_path, configuration | environment) as function:
        expected = {}
        for event, credentials, reason, keys in calls(issuer):
            function.secrets += credentials
            answer = function.invoke(json.dumps(event))
            expected[answer.request_id] = (reason, keys)
        # Each is written before the answer is posted.
        records = function.records()
        output = function.output()

    key_sets = [record for record in records if "decision" not in record]
    records = [record for record in records if "decision" in record]
    threshold = LEVELS.index(environment.get("AWS_LAMBDA_LOG_LEVEL", "INFO").upper())
    loud = [request_id for request_id, (reason, _) in expected.items() if LEVELS.index(level_of(reason)) >= threshold]
    assert [record["request_id"] for record in records] == loud
    assert [set(record) for record in key_sets] == [KEY_SET] * (threshold <= LEVELS.index("INFO"))
    for record in key_sets:
        assert_level_is_heeded(record)
    for record in records:
        reason, keys = expected[record["request_id"]]
        assert (record.get("reason"), record["level"]) == (reason, level_of(reason))
        assert set(record) == keys, record
        assert_level_is_heeded(record)
    assert "zebra" not in output and "forged" not in output


def level_of(reason):
    return {None: "INFO", "event_malformed": "ERROR"}.get(reason, "WARN")


def test_a_credential_in_the_output_would_be_noticed(issuer):
    token = issuer.token()
    assert_no_secrets([f"Bearer {token}"], json.dumps({"reason": "token_malformed", "length": len(token)}))
    for part in token.split("."):
        with pytest.raises(AssertionError):
            assert_no_secrets([f"Bearer {token}"], f"cannot read `{part[3:19]}`")
    with pytest.raises(AssertionError):
        assert_no_secrets(["of-the-shop"], "the secret is `of-the-shop`")
