"""Headers and claims that are well formed, and that ask for something else than a signed access token."""

import json

import pytest
from harness import encode
from issuer import claims_of
from jws import ec_key, header_of, token_of


@pytest.fixture(scope="module")
def url(world):
    return world.issuer(ec_key().jwk())


def signed(header, claims):
    message = f"{encode(header)}.{encode(claims)}"
    return token_of(message, ec_key().sign(message))


def without(value, *names):
    return {name: member for name, member in value.items() if name not in names}


# What the header gets, beside what it may have instead.
HEADERS = {
    "crit of a registered name": ({"crit": ["exp"], "exp": 1}, {"exp": 1}, "critical_header_unsupported"),
    "crit of an unknown name": ({"crit": ["x"], "x": 1}, {"x": 1}, "critical_header_unsupported"),
    "crit of a name that is not there": ({"crit": ["x"]}, {"x": 1}, "critical_header_unsupported"),
    "crit of alg": ({"crit": ["alg"]}, {"Crit": ["alg"]}, "critical_header_unsupported"),
    "crit of itself": ({"crit": ["crit"]}, {"critical": []}, "critical_header_unsupported"),
    "crit without names": ({"crit": []}, {}, "critical_header_unsupported"),
    "crit of a number": ({"crit": [1]}, {}, "critical_header_unsupported"),
    "crit as a string": ({"crit": "exp"}, {}, "critical_header_unsupported"),
    "crit as an object": ({"crit": {}}, {}, "critical_header_unsupported"),
    "crit as false": ({"crit": False}, {}, "critical_header_unsupported"),
    "crit as null": ({"crit": None}, {}, "critical_header_unsupported"),
    "unencoded payload": ({"b64": False}, {"B64": False}, "payload_unencoded"),
    "b64 that says nothing": ({"b64": True}, {}, "payload_unencoded"),
    "b64 as a string": ({"b64": "false"}, {}, "payload_unencoded"),
    "b64 as null": ({"b64": None}, {}, "payload_unencoded"),
    "compression": ({"zip": "DEF"}, {"Zip": "DEF"}, "token_compressed"),
    "no compression, said aloud": ({"zip": ""}, {}, "token_compressed"),
    "zip as null": ({"zip": None}, {}, "token_compressed"),
    "encryption": ({"enc": "A256GCM"}, {"Enc": "A256GCM"}, "token_encrypted"),
    "enc as null": ({"enc": None}, {}, "token_encrypted"),
    "a nested token": ({"cty": "JWT"}, {"Cty": "JWT"}, "token_nested"),
    "a nested token, in lower case": ({"cty": "jwt"}, {}, "token_nested"),
    **{
        f"a token that is for something else: {kind}": ({"typ": kind}, {"typ": "at+jwt"}, "token_type_unexpected")
        for kind in ["dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "JOSE", "JOSE+JSON", "JWE"]
    },
    **{
        f"a type that is spelled wrong: {kind!r}": ({"typ": kind}, {"typ": sound}, "token_type_unexpected")
        for kind, sound in [
            ("", "JWT"),
            ("JWT ", "jwt"),
            ("\u0000JWT", "Jwt"),
            ("at jwt", "AT+JWT"),
            ("application/application/jwt", "application/jwt"),
            ("text/jwt", "Application/at+JWT"),
        ]
    },
    "typ as an array": ({"typ": ["JWT"]}, {"typ": "JWT"}, "token_malformed"),
    "typ as null": ({"typ": None}, {}, "token_malformed"),
    "kid as a number": ({"kid": 1}, {}, "token_malformed"),
    "kid as an array": ({"kid": ["good"]}, {}, "token_malformed"),
    "kid as null": ({"kid": None}, {}, "token_malformed"),
    "another kid": ({"kid": "better"}, {}, "key_not_found"),
    "an empty kid": ({"kid": ""}, {}, "key_not_found"),
    "kid in another case": ({"kid": "Good"}, {"Kid": "better"}, "key_not_found"),
    "kid and a blank": ({"kid": "good "}, {}, "key_not_found"),
    "kid and a NUL": ({"kid": "good\0"}, {}, "key_not_found"),
    "kid as a path": ({"kid": "./good"}, {}, "key_not_found"),
    "kid as a file without a secret": ({"kid": "../../../../dev/null"}, {}, "key_not_found"),
    "kid as SQL": ({"kid": "x' UNION SELECT 'AA'; --"}, {}, "key_not_found"),
    "kid as a command": ({"kid": "good;id"}, {}, "key_not_found"),
    "kid as a URL": ({"kid": "http://169.254.169.254/latest/meta-data/"}, {}, "key_not_found"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header(world, url, name):
    """Rules A7, A9, C7 and F5."""
    defective, sound, reason = HEADERS[name]
    tokens = [signed(header_of("ES256") | more, claims_of(url)) for more in (defective, sound)]
    world.refuses(tokens[0], reason, beside=tokens[1])


# What the claims get, beside what they may have instead.
CLAIMS = {
    "the name of exp in upper case": (lambda c: renamed(c, "exp", "EXP"), "claim_missing"),
    "the name of aud in upper case": (lambda c: renamed(c, "aud", "Aud"), "claim_missing"),
    "the name of iss in upper case": (lambda c: renamed(c, "iss", "ISS"), "claim_missing"),
    "the name of sub in upper case": (lambda c: renamed(c, "sub", "Sub"), "claim_missing"),
    "no claim": (lambda c: {}, "claim_missing"),
    "claims inside claims": (lambda c: {"claims": c}, "claim_missing"),
    "iss as an array": (lambda c: c | {"iss": [c["iss"]]}, "claim_invalid"),
    "aud as an object": (lambda c: c | {"aud": {c["aud"]: True}}, "claim_invalid"),
    "aud with a number": (lambda c: c | {"aud": [c["aud"], 5]}, "claim_invalid"),
    "aud in another case": (lambda c: c | {"aud": c["aud"].upper()}, "audience_mismatch"),
    "aud with a blank": (lambda c: c | {"aud": f"{c['aud']} "}, "audience_mismatch"),
    "exp as a string": (lambda c: c | {"exp": str(c["exp"])}, "claim_invalid"),
    "exp as an array": (lambda c: c | {"exp": [c["exp"]]}, "claim_invalid"),
    "exp as true": (lambda c: c | {"exp": True}, "claim_invalid"),
    "exp as null": (lambda c: c | {"exp": None}, "claim_invalid"),
    "exp in milliseconds": (lambda c: c | {"exp": c["exp"] * 1000}, "claim_invalid"),
    "exp beyond 64 bits": (lambda c: c | {"exp": 2**64 + c["exp"]}, "claim_invalid"),
    "exp before 1970": (lambda c: c | {"exp": -1}, "claim_invalid"),
    "exp in the past": (lambda c: c | {"exp": c["iat"] - 60}, "token_expired"),
    "nbf in the future": (lambda c: c | {"nbf": c["iat"] + 60}, "token_not_yet_valid"),
    "nbf as a string": (lambda c: c | {"nbf": str(c["nbf"])}, "claim_invalid"),
    "iat as a string": (lambda c: c | {"iat": str(c["iat"])}, "claim_invalid"),
    "sub as a number": (lambda c: c | {"sub": 7}, "claim_invalid"),
    "an empty sub": (lambda c: c | {"sub": ""}, "claim_invalid"),
}


def renamed(claims, name, other):
    return without(claims, name) | {other: claims[name]}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims(world, url, name):
    """Rules C1 to C6 and F5, over a signature that holds."""
    change, reason = CLAIMS[name]
    claims = claims_of(url)
    world.refuses(signed(header_of("ES256"), change(claims)), reason, beside=signed(header_of("ES256"), claims))


def test_numbers_that_overflow(world, url):
    """CVE-2026-25537 and others: what reads 1e400 as infinity has a token that lives for ever."""
    claims = claims_of(url)
    texts = [json.dumps(claims).replace(str(claims["exp"]), number) for number in ("1e400", f"{claims['exp']}.0")]
    defective, sound = (signed(header_of("ES256"), text.encode()) for text in texts)
    world.refuses(defective, "token_malformed", beside=sound)
