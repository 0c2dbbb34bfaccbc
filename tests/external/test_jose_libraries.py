"""Tokens and key sets of JOSE libraries that are not ours, and what attackers make of them."""

import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from harness import decode, encode, running_function, with_flipped_signature_bit, with_header, with_spare_bits
from issuer import AUDIENCE, claims_of
from libraries import ALGORITHMS, RSA, issuer_of, pyjwt_token, samples_of

CASES = [(library, algorithm) for library, algorithms in ALGORITHMS.items() for algorithm in algorithms]
# What an attacker would write into `alg` instead.
SIBLINGS = {
    **{f"RS{bits}": f"PS{bits}" for bits in (256, 384, 512)},
    **{f"PS{bits}": f"RS{bits}" for bits in (256, 384, 512)},
    **{"ES256": "ES384", "ES384": "ES256", "ES512": "ES384", "EdDSA": "Ed25519", "Ed25519": "EdDSA"},
}

ATTACKED = "https://attacked.example/"


@pytest.fixture(scope="module")
def samples():
    """By library and algorithm."""
    return {(library, sample.algorithm): sample for library in ALGORITHMS for sample in samples_of(library)}


@pytest.fixture(scope="module")
def rsa_key():
    """The key of one more issuer, for tokens that no library wants to make."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module", params=["bare", "declared"])
def function(request, binary, key_server, samples, rsa_key, tmp_path_factory):
    """One function that trusts an issuer of each library. Keys are published with and without `alg` and `use`."""
    issuers = {}
    for (library, algorithm), sample in samples.items():
        declared = {"alg": algorithm, "use": "sig"} if request.param == "declared" else {}
        issuers.setdefault(issuer_of(library), []).append(sample.jwk | declared)
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True) | {"kid": "RS256"}
    issuers[ATTACKED] = [jwk | ({"alg": "RS256", "use": "sig"} if request.param == "declared" else {})]

    configuration = "development = true\n"
    for position, (url, keys) in enumerate(issuers.items()):
        jwks_uri = key_server.publish(f"/{request.param}/{position}", keys)
        configuration += f"[[issuer]]\nurl = '{url}'\naudience = '{AUDIENCE}'\njwks_uri = '{jwks_uri}'\n"
    directory = tmp_path_factory.mktemp("function")
    with running_function(binary, directory, {"AUTHORIZER_CONFIG": configuration}) as function:
        function.keys_are_declared = request.param == "declared"
        yield function


def decide(function, token):
    """`None` when the token is allowed, otherwise why it is not."""
    answer = function.authorize(f"Bearer {token}")
    record = function.record(answer)
    assert not answer.is_error, answer.text
    if answer.effect == "Allow":
        assert (answer.body["principalId"], record["decision"]) == ("user-7f1c", "allow")
        assert (record["issuer"], record["principal"]) == (jwt_claims(token)["iss"], "user-7f1c")
        assert "reason" not in record
        return None
    assert (answer.effect, answer.body["principalId"], record["decision"]) == ("Deny", "anonymous", "deny")
    assert "principal" not in record and "issuer" not in record
    return record["reason"]


def jwt_claims(token):
    return json.loads(decode(token.split(".")[1]))


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_token(function, samples, library, algorithm):
    sample = samples[library, algorithm]
    assert decide(function, sample.token) is None
    assert decide(function, with_flipped_signature_bit(sample.token)) == "signature_invalid"
    assert decide(function, sample.forged) == "signature_invalid"
    if respelled := with_spare_bits(sample.token):
        assert decide(function, respelled) == "token_malformed"
    assert decide(function, sample.token) is None


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_another_algorithm_in_the_header(function, samples, library, algorithm):
    token = samples[library, algorithm].token
    sibling = SIBLINGS[algorithm]
    # Where the key can do both, the signature covers the header.
    same_key = algorithm in ("EdDSA", "Ed25519") or (algorithm in RSA and not function.keys_are_declared)
    assert decide(function, with_header(token, alg=sibling)) == ("signature_invalid" if same_key else "key_mismatch")
    for refused in ["none", "None", "HS256", algorithm.swapcase(), f"{algorithm} ", "", "ES256K", "Ed448"]:
        assert decide(function, with_header(token, alg=refused)) == "algorithm_not_allowed", refused
    assert decide(function, token) is None


@pytest.mark.parametrize(("library", "algorithm"), CASES)
def test_the_key_of_another_issuer(function, samples, library, algorithm):
    """Issuers do not sign for each other: here with the same key ID, and with an ID that only the other has."""
    token = samples[library, algorithm].token
    header, claims, signature = token.split(".")
    for other in {issuer_of(library) for library in ALGORITHMS} - {issuer_of(library)}:
        renamed = encode(jwt_claims(token) | {"iss": other})
        lacks_the_key = algorithm == "Ed25519" and other == issuer_of("PyJWT")
        expected = "key_not_found" if lacks_the_key else "signature_invalid"
        assert decide(function, f"{header}.{renamed}.{signature}") == expected
    assert decide(function, token) is None


@pytest.mark.parametrize("algorithm", RSA)
def test_a_key_that_is_declared_for_one_algorithm_verifies_no_other(function, rsa_key, algorithm):
    token = pyjwt_token(algorithm, "RS256", claims_of(ATTACKED), rsa_key)
    is_allowed = algorithm == "RS256" or not function.keys_are_declared
    assert decide(function, token) == (None if is_allowed else "key_mismatch")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_secret(function, rsa_key, algorithm):
    """CVE-2015-9235 and many since: an HMAC whose key is the public key as it may lie about."""
    public = rsa_key.public_key()
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    secrets = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(jwk).encode(),
        decode(jwk["n"]),
    ]
    for secret in secrets:
        token = with_hmac(algorithm, claims_of(ATTACKED), secret)
        assert decide(function, token) == "algorithm_not_allowed"
    assert decide(function, pyjwt_token("RS256", "RS256", claims_of(ATTACKED), rsa_key)) is None


def test_a_token_without_signature_is_refused(function, rsa_key):
    claims = claims_of(ATTACKED)
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "RS256"})
    assert unsigned.endswith(".")
    # An empty part is no JWS that anyone could have signed: the form is looked at before the algorithm.
    assert decide(function, unsigned) == "token_unsigned"
    signed = pyjwt_token("RS256", "RS256", claims, rsa_key)
    signature = signed.rpartition(".")[2]
    assert decide(function, f"{unsigned}{signature}") == "algorithm_not_allowed"
    assert decide(function, f"{signed.rpartition('.')[0]}.") == "token_unsigned"
    assert decide(function, signed) is None


def with_hmac(algorithm, claims, secret):
    """As PyJWT would make it, if it did not know better than to take a public key for a secret."""

    class TakesAnything(jwt.algorithms.HMACAlgorithm):
        def prepare_key(self, key):
            return key

    jws = jwt.PyJWS()
    jws.unregister_algorithm(algorithm)
    digest = algorithm.replace("HS", "SHA")
    jws.register_algorithm(algorithm, TakesAnything(getattr(jwt.algorithms.HMACAlgorithm, digest)))
    token = jws.encode(json.dumps(claims).encode(), secret, algorithm=algorithm, headers={"kid": "RS256"})
    message, _, signature = token.rpartition(".")
    assert hmac.digest(secret, message.encode(), digest.lower()) == decode(signature)
    return token
