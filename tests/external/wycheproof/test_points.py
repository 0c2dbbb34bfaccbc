"""Rule A4: a public key is a point of its curve, written in one way, and not of small order."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from curves import FIELD, EdwardsKey, Weierstrass, ed25519_jwk, pack_numbers, small_order_keys, x_of
from harness import encode
from jws import CURVES, EcKey, ec_jwk
from key_sets import check, check_alone

ALGORITHMS = list(CURVES)
WEIERSTRASS = {algorithm: Weierstrass.of(algorithm) for algorithm in ALGORITHMS}
EDWARDS = EdwardsKey()


def point_of(key):
    numbers = key.key.public_key().public_numbers()
    return numbers.x, numbers.y


def written(key, *coordinates):
    return {name: encode(octets) for name, octets in zip("xy", coordinates, strict=True)}


def at(change):
    """The key whose point is made of a key's point and its curve."""
    return lambda key, curve: ec_jwk(key.algorithm, change(*point_of(key), curve))


# What is made of a key, whose own signatures are tried.
POINTS = {
    "x one further": at(lambda x, y, c: (x + 1, y)),
    "y one further": at(lambda x, y, c: (x, y + 1)),
    "one bit of y": at(lambda x, y, c: (x, y ^ 1)),
    "x and y swapped": at(lambda x, y, c: (y, x)),
    "x twice": at(lambda x, y, c: (x, x)),
    "both are zero": at(lambda x, y, c: (0, 0)),
    "x is zero": at(lambda x, y, c: (0, y)),
    "y is zero": at(lambda x, y, c: (x, 0)),
    "zero and one": at(lambda x, y, c: (0, 1)),
    "the prime, twice": at(lambda x, y, c: (c.prime, c.prime)),
    "the prime and zero": at(lambda x, y, c: (c.prime, 0)),
    "a point of a curve with another b": at(lambda x, y, c: (1, 2)),
    "the point at infinity, as SEC 1 writes it": lambda key, c: key.jwk() | {"x": "AA", "y": ""},
    "the point at infinity, without y": lambda key, c: {n: v for n, v in key.jwk(x="AA").items() if n != "y"},
    "no coordinates": lambda key, c: {n: v for n, v in key.jwk().items() if n not in "xy"},
    "the largest coordinates": lambda key, c: key.jwk() | written(key, b"\xff" * key.length, b"\xff" * key.length),
    "a compressed point": lambda key, c: key.jwk() | written(key, b"\x02" + octets(key, 0), b""),
    "an uncompressed point in x": lambda key, c: key.jwk()
    | written(key, b"\x04" + octets(key, 0) + octets(key, 1), b""),
    "a tag before x": lambda key, c: key.jwk() | {"x": encode(b"\x04" + octets(key, 0))},
    "both coordinates in x": lambda key, c: key.jwk() | {"x": encode(octets(key, 0) + octets(key, 1)), "y": ""},
    "coordinates of one byte less": lambda key, c: key.jwk() | written(key, octets(key, 0)[:-1], octets(key, 1)[:-1]),
    "coordinates of one byte more": lambda key, c: key.jwk()
    | written(key, octets(key, 0) + b"\0", octets(key, 1) + b"\0"),
    "a zero before x": lambda key, c: key.jwk() | {"x": encode(b"\0" + octets(key, 0))},
    "a zero before y": lambda key, c: key.jwk() | {"y": encode(b"\0" + octets(key, 1))},
    "little endian": lambda key, c: key.jwk() | written(key, octets(key, 0)[::-1], octets(key, 1)[::-1]),
    "the name of another curve": lambda key, c: key.jwk(crv={"P-256": "P-384"}.get(key.jwk()["crv"], "P-256")),
    "the name of a curve of the same length": lambda key, c: key.jwk(crv="secp256k1"),
    "the name of the curve in lower case": lambda key, c: key.jwk(crv=key.jwk()["crv"].lower()),
    "the name of the curve as OpenSSL has it": lambda key, c: key.jwk(crv="prime256v1"),
    "no name of the curve": lambda key, c: {n: v for n, v in key.jwk().items() if n != "crv"},
    "the name of an Edwards curve": lambda key, c: key.jwk(crv="Ed25519"),
    "the type of an Edwards curve": lambda key, c: key.jwk(kty="OKP"),
    "the type RSA": lambda key, c: key.jwk(kty="RSA"),
}


def octets(key, index):
    return point_of(key)[index].to_bytes(key.length, "big")


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_point(world, algorithm, name):
    key = EcKey(algorithm)
    defective = POINTS[name](key, WEIERSTRASS[algorithm])
    check(world, defective, key.jwk(), key)
    check_alone(world, defective, key)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.BrainpoolP256R1()], ids=lambda curve: curve.name)
def test_points_of_another_curve(world, curve):
    """They sign properly on their own curve."""
    key = EcKey("ES256", ec.generate_private_key(curve))
    sound = EcKey("ES256")
    for name in ("P-256", curve.name, "secp256k1", "P-256K", "BP-256"):
        check(world, key.jwk(crv=name), sound.jwk(), key, sound)
        check_alone(world, key.jwk(crv=name), key)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_negative_point(world, algorithm):
    """It is a key, and another one."""
    key, curve = EcKey(algorithm), WEIERSTRASS[algorithm]
    x, y = point_of(key)
    check(world, ec_jwk(algorithm, (x, curve.prime - y)), key.jwk(), key, reason="signature_invalid")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_coordinates_that_are_not_below_the_prime(world, algorithm):
    """The same point modulo the prime. Nobody has the key of the point with the smallest x: it is one all the same."""
    curve = WEIERSTRASS[algorithm]
    x, y = curve.first_point_from(1)
    sound = ec_jwk(algorithm, (x, y))
    key = EcKey(algorithm)
    check(world, ec_jwk(algorithm, (x + curve.prime, y)), sound, key, sound_reason="signature_invalid")
    if algorithm == "ES512":
        # There is room for any coordinate and the prime, so for those of a key that somebody has.
        x, y = point_of(key)
        for defective in [(x + curve.prime, y), (x, y + curve.prime), (x + 2 * curve.prime, y + 64 * curve.prime)]:
            check(world, ec_jwk(algorithm, defective), key.jwk(), key)


SMALL_ORDER = small_order_keys()


@pytest.mark.parametrize("name", SMALL_ORDER)
def test_edwards_key_of_small_order(world, name):
    """Anybody signs for these: who uses such a key finds that the signature holds."""
    key = SMALL_ORDER[name]
    check(world, key.jwk(), EDWARDS.jwk(), key, EDWARDS)
    check_alone(world, key.jwk(), key)


def test_every_small_order_is_there():
    """Eight points; the other six are not the shortest way to write one of them."""
    assert len(SMALL_ORDER) == 14
    assert sum("not canonical" in name for name in SMALL_ORDER) == 6


# As they are written, beside what is a key.
EDWARDS_POINTS = {
    "no point of the curve": (pack_numbers(2, 0), pack_numbers(3, 0)),
    "no point of the curve, with a sign": (pack_numbers(2, 1), pack_numbers(3, 1)),
    **{
        f"y of {y}, one field further": (pack_numbers(y + FIELD, sign), pack_numbers(y, sign))
        for y in range(3, 19)
        for sign in (0, 1)
        if x_of(y) is not None
    },
    "y of the largest number": (b"\xff" * 32, pack_numbers(3, 0)),
    "one byte less": (EDWARDS.packed[:-1], EDWARDS.packed),
    "one byte more": (EDWARDS.packed + b"\0", EDWARDS.packed),
    "big endian hexadecimal": (EDWARDS.packed.hex().encode(), EDWARDS.packed),
    "an X.509 key": (bytes.fromhex("302a300506032b6570032100") + EDWARDS.packed, EDWARDS.packed),
    "a tag before": (b"\x40" + EDWARDS.packed, EDWARDS.packed),
}


@pytest.mark.parametrize("name", EDWARDS_POINTS)
def test_edwards_point(world, name):
    defective, sound = (ed25519_jwk(packed) for packed in EDWARDS_POINTS[name])
    # Of the smallest points, nobody has the private half.
    is_ours = sound == EDWARDS.jwk()
    check(world, defective, sound, EDWARDS, sound_reason=None if is_ours else "signature_invalid")
    check_alone(world, defective, EDWARDS)


EDWARDS_NAMES = {
    **{f"crv is {curve}": {"crv": curve} for curve in ["Ed448", "X25519", "ed25519", "Edwards25519", "P-256", ""]},
    "kty is EC": {"kty": "EC"},
    "kty is EC, with a curve of it": {"kty": "EC", "crv": "P-256", "y": encode(EDWARDS.packed)},
    "kty is RSA": {"kty": "RSA", "n": encode(EDWARDS.packed), "e": "AQAB"},
    "kty in lower case": {"kty": "okp"},
}


@pytest.mark.parametrize("name", EDWARDS_NAMES)
def test_edwards_key_of_another_name(world, name):
    defective = EDWARDS.jwk() | EDWARDS_NAMES[name]
    check(world, defective, EDWARDS.jwk(), EDWARDS)
    check_alone(world, defective, EDWARDS)


def test_the_negative_edwards_point(world):
    """It is a key, and another one."""
    negative = EDWARDS.packed[:-1] + bytes([EDWARDS.packed[-1] ^ 0x80])
    check(world, ed25519_jwk(negative), EDWARDS.jwk(), EDWARDS, reason="signature_invalid")
