"""Rules A2 to A4 and K4: a key with a defect is not used, and the keys beside it are."""

import json

import pytest
from curves import EdwardsKey
from harness import decode, encode
from jws import EcKey, ec_key
from key_sets import check, check_alone
from raw_rsa import RsaKey, octets, primes, rsa_key

MISSING = object()
EDWARDS = EdwardsKey()
KINDS = {"RSA": rsa_key, "EC": ec_key, "OKP": lambda: EDWARDS}
OTHER_ALGORITHM = {"RSA": "ES256", "EC": "RS256", "OKP": "ES256"}


def with_members(jwk, members):
    """The key with these members, without those that are missing."""
    return {name: value for name, value in (jwk | members).items() if value is not MISSING}


# What the key gets, beside what it may have instead.
PURPOSES = {
    "use is enc": ({"use": "enc"}, {"use": "sig"}),
    "use is empty": ({"use": ""}, {}),
    "use in upper case": ({"use": "SIG"}, {"use": "sig"}),
    "use with a blank": ({"use": "sig "}, {"use": "sig"}),
    "use is verify": ({"use": "verify"}, {"use": "sig"}),
    "use is an array": ({"use": ["sig"]}, {"use": "sig"}),
    "use is a number": ({"use": 1}, {}),
    "key_ops is empty": ({"key_ops": []}, {}),
    "key_ops is to sign": ({"key_ops": ["sign"]}, {"key_ops": ["verify"]}),
    "key_ops is to encrypt": ({"key_ops": ["encrypt", "wrapKey"]}, {"key_ops": ["sign", "verify"]}),
    "key_ops in upper case": ({"key_ops": ["VERIFY"]}, {"key_ops": ["verify"]}),
    "key_ops is a string": ({"key_ops": "verify"}, {"key_ops": ["verify"]}),
    "key_ops is an object": ({"key_ops": {"verify": True}}, {"key_ops": ["verify"]}),
    "key_ops holds a number": ({"key_ops": ["verify", 1]}, {"key_ops": ["verify", "x"]}),
    "use allows it and key_ops does not": ({"use": "sig", "key_ops": ["sign"]}, {"use": "sig", "key_ops": ["verify"]}),
    "key_ops allows it and use does not": ({"use": "enc", "key_ops": ["verify"]}, {"use": "sig"}),
    "alg is none": ({"alg": "none"}, {}),
    "alg is empty": ({"alg": ""}, {}),
    "alg is HS256": ({"alg": "HS256"}, {}),
    "alg is RSA-OAEP": ({"alg": "RSA-OAEP"}, {}),
    "alg is ECDH-ES": ({"alg": "ECDH-ES"}, {}),
    "alg is ES256K": ({"alg": "ES256K"}, {}),
    "alg is Ed448": ({"alg": "Ed448"}, {}),
    "alg is a number": ({"alg": 5}, {}),
    "alg is an array": ({"alg": ["RS256", "ES256", "EdDSA"]}, {}),
    "kty in lower case": ({"kty": "rsa"}, {"Kty": "oct"}),
    "kty is missing": ({"kty": MISSING}, {}),
    "kty is null": ({"kty": None}, {}),
    "kty is a number": ({"kty": 1}, {}),
    "kty is oct": ({"kty": "oct", "k": "c2VjcmV0"}, {"k": "c2VjcmV0"}),
    "kty is AKP": ({"kty": "AKP"}, {}),
    "crv is a number": ({"crv": 256}, {"x5t": "x"}),
    "crv is an array": ({"crv": ["P-256"]}, {"x5c": [1]}),
}


@pytest.mark.parametrize("name", PURPOSES)
@pytest.mark.parametrize("kind", KINDS)
def test_purpose(world, kind, name):
    key = KINDS[kind]()
    defective, sound = (with_members(key.jwk(), members) for members in PURPOSES[name])
    check(world, defective, sound, key)
    check_alone(world, defective, key)


@pytest.mark.parametrize("kind", KINDS)
def test_the_algorithm_of_the_key(world, kind):
    """That of another kind of key makes it useless; another of its own kind, useless for this token."""
    key = KINDS[kind]()
    own = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[kind]
    check(world, key.jwk(alg=OTHER_ALGORITHM[kind]), key.jwk(alg=own), key)
    check_alone(world, key.jwk(alg=OTHER_ALGORITHM[kind]), key)
    for sibling in {"RSA": ["RS384", "RS512", "PS256"]}.get(kind, []):
        check(world, key.jwk(alg=sibling), key.jwk(alg=own), key, reason="key_mismatch")
    check(world, key.jwk(alg=own.lower()), key.jwk(), key)


def coprime(key_primes, start):
    """The first odd exponent from here that has an inverse."""
    exponent = start | 1
    while any((prime - 1) % exponent == 0 or not has_inverse(exponent, prime - 1) for prime in key_primes):
        exponent += 2
    return exponent


def has_inverse(number, modulus):
    try:
        return pow(number, -1, modulus) > 0
    except ValueError:
        return False


def with_exponent(start):
    key_primes = tuple(primes()[:2])
    return RsaKey(key_primes, coprime(key_primes, start))


def square_key():
    """An exponent of two has roots only modulo primes that are 3 modulo 4."""
    return RsaKey(tuple([prime for prime in primes() if prime % 4 == 3][:2]), 2)


# Each signs properly for its numbers: who uses the key finds that the signature holds.
RSA_NUMBERS = {
    "1024 bits": (lambda: rsa_key(1024), lambda: rsa_key(2048)),
    "2047 bits": (lambda: rsa_key(2047), lambda: rsa_key(2049)),
    "some 16,384 bits": (lambda: RsaKey(tuple(primes())), lambda: RsaKey(tuple(primes()[:8]))),
    "some 9,200 bits": (lambda: RsaKey(tuple(primes()[:9])), lambda: RsaKey(tuple(primes()[:4]))),
    "an even modulus": (lambda: RsaKey((2, *rsa_key().primes)), rsa_key),
    "an exponent of one": (lambda: RsaKey(rsa_key().primes, 1), lambda: rsa_key(exponent=3)),
    "an exponent of two": (square_key, rsa_key),
    "an exponent of 5 bytes": (lambda: with_exponent(1 << 32), lambda: with_exponent((1 << 32) - 99)),
    "an exponent of 64 bytes": (lambda: with_exponent(1 << 511), lambda: with_exponent(1 << 24)),
    "an exponent as long as the modulus": (lambda: with_exponent(1 << 2040), lambda: with_exponent(5)),
}


@pytest.mark.parametrize("name", RSA_NUMBERS)
def test_numbers_of_an_rsa_key(world, name):
    defective, sound = (make() for make in RSA_NUMBERS[name])
    check(world, defective.jwk(), sound.jwk(), defective, sound)
    check_alone(world, defective.jwk(), defective)


def respelled(text):
    """The same bytes with a spare bit set, or none."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    assert decode(other) == decode(text)
    return other


def standard(text):
    return text.replace("-", "+").replace("_", "/")


# What becomes of a number as it is written.
SPELLINGS = {
    "is missing": lambda text: MISSING,
    "is null": lambda text: None,
    "is empty": lambda text: "",
    "is a number": lambda text: 65537,
    "is an array": lambda text: [text],
    "is an object": lambda text: {"value": text},
    "is padded": lambda text: text + "=" * (-len(text) % 4 or 1),
    "is broken into lines": lambda text: text[:2] + "\n" + text[2:],
    "ends in a line feed": lambda text: text + "\n",
    "begins with a blank": lambda text: " " + text,
    "has a letter too many": lambda text: text + "A" * (1 + -len(text) % 4),
    "is in hexadecimal, with its prefix": lambda text: f"0x{decode(text).hex()}!",
    "is zero": lambda text: "AA",
    "is many zeros": lambda text: encode(bytes(len(decode(text)))),
}
NUMBERS = [("RSA", "n"), ("RSA", "e"), ("EC", "x"), ("EC", "y"), ("OKP", "x")]


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize(("kind", "member"), NUMBERS, ids=[f"{kind}-{member}" for kind, member in NUMBERS])
def test_spelling_of_a_number(world, kind, member, name):
    key = KINDS[kind]()
    defective = with_members(key.jwk(), {member: SPELLINGS[name](key.jwk()[member])})
    check(world, defective, key.jwk(), key)
    check_alone(world, defective, key)


def ec_key_with(condition):
    """An EC key whose x and y are as wanted."""
    while True:
        key = EcKey("ES256")
        x, y = (decode(key.jwk()[member]) for member in "xy")
        if condition(x, y):
            return key


def test_spelling_of_numbers_in_base64(world):
    """Neither another alphabet nor a spare bit: who takes them has two spellings of one key."""
    key = ec_key_with(lambda x, y: {"-", "_"} & set(encode(x)) and {"-", "_"} & set(encode(y)))
    for member in "xy":
        for spell in (standard, respelled):
            check(world, key.jwk() | {member: spell(key.jwk()[member])}, key.jwk(), key)
    key = rsa_key()
    while not {"-", "_"} & set(key.jwk()["n"]):
        key = RsaKey.generate()
    check(world, key.jwk() | {"n": respelled(key.jwk()["n"])}, key.jwk(), key)
    check(world, key.jwk() | {"n": standard(key.jwk()["n"])}, key.jwk(), key)


def test_leading_zeros(world):
    """Of an RSA key's integers they mean nothing, and some key sets have them; a coordinate has one length."""
    key = rsa_key()
    for member, number in (("n", key.modulus), ("e", key.exponent)):
        for zeros in (1, 8):
            padded = key.jwk() | {member: encode(bytes(zeros) + octets(number))}
            check(world, padded | {"use": "enc"}, padded, key)
    key = ec_key_with(lambda x, y: x[0] == 0 or y[0] == 0)
    shortened = {member: encode(decode(key.jwk()[member]).lstrip(b"\0")) for member in "xy"}
    check(world, key.jwk() | shortened, key.jwk(), key)
    for member in "xy":
        lengthened = key.jwk() | {member: encode(b"\0" + decode(key.jwk()[member]))}
        check(world, lengthened, key.jwk(), key)
    lengthened = EDWARDS.jwk() | {"x": encode(EDWARDS.packed + b"\0")}
    check(world, lengthened, EDWARDS.jwk(), EDWARDS)
    check(world, EDWARDS.jwk() | {"x": encode(EDWARDS.packed[:-1])}, EDWARDS.jwk(), EDWARDS)


@pytest.mark.parametrize("kind", KINDS)
def test_members_that_do_not_matter(world, kind):
    """Private halves included: what is published by mistake verifies all the same."""
    key = KINDS[kind]()
    secret = encode(octets(12345))
    private = {"d": secret, "p": secret, "q": secret, "dp": secret, "dq": secret, "qi": secret, "k": secret}
    more = {"x5c": ["AA"], "x5t": 1, "x5u": "http://169.254.169.254/", "exp": 1, "oth": [], "ext": True, "": {}}
    check(world, key.jwk(use="enc") | private | more, key.jwk() | private | more, key)


def test_no_key_at_all(world):
    """Rule K4: what is none does not cost the others."""
    jwk = ec_key().jwk()
    for member in [None, True, 5, "text", [], {}, [jwk], {"kty": "unheard-of"}, {"keys": [jwk]}, json.dumps(jwk)]:
        url = world.issuer(member, jwk, member)
        assert world.reason(ec_key().token(url)) is None, member
