"""Rule A5, ECDSA: r and s are numbers from 1 to the order less one, each as long as the curve's field."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from curves import Weierstrass, hash_number
from jws import CURVES, EcKey, ec_jwk, ec_key, message_of, token_of

ALGORITHMS = list(CURVES)
WEIERSTRASS = {algorithm: Weierstrass.of(algorithm) for algorithm in ALGORITHMS}


@pytest.fixture(scope="module", params=ALGORITHMS)
def algorithm(request):
    return request.param


@pytest.fixture(scope="module")
def url(world, algorithm):
    return world.issuer(ec_key(algorithm).jwk())


class Signature:
    """A right one, and what is known of it."""

    def __init__(self, algorithm, url):
        self.key = ec_key(algorithm)
        self.message = message_of(algorithm, url)
        self.r, self.s = self.key.numbers(self.message)
        self.n = WEIERSTRASS[algorithm].order
        self.p = WEIERSTRASS[algorithm].prime
        self.length = self.key.length
        self.modulus = 1 << (8 * self.length)

    def pack(self, r, s, length=None):
        return b"".join((number % self.modulus).to_bytes(length or self.length, "big") for number in (r, s))

    @property
    def right(self):
        return self.pack(self.r, self.s)


@pytest.fixture(scope="module")
def signature(algorithm, url):
    return Signature(algorithm, url)


# What stands in for a signature.
SIGNATURES = {
    "zeros": lambda g: g.pack(0, 0),
    "r is zero": lambda g: g.pack(0, g.s),
    "s is zero": lambda g: g.pack(g.r, 0),
    "zero and one": lambda g: g.pack(0, 1),
    "one and zero": lambda g: g.pack(1, 0),
    "ones": lambda g: g.pack(1, 1),
    "r is one": lambda g: g.pack(1, g.s),
    "s is one": lambda g: g.pack(g.r, 1),
    "r is the order": lambda g: g.pack(g.n, g.s),
    "s is the order": lambda g: g.pack(g.r, g.n),
    "the order twice": lambda g: g.pack(g.n, g.n),
    "the order and zero": lambda g: g.pack(g.n, 0),
    "zero and the order": lambda g: g.pack(0, g.n),
    "the order less one, twice": lambda g: g.pack(g.n - 1, g.n - 1),
    "the order and one, twice": lambda g: g.pack(g.n + 1, g.n + 1),
    "r is the order and one": lambda g: g.pack(g.n + 1, g.s),
    "the prime, twice": lambda g: g.pack(g.p, g.p),
    "r is the prime": lambda g: g.pack(g.p, g.s),
    "s is the prime": lambda g: g.pack(g.r, g.p),
    "the prime and one": lambda g: g.pack(g.p + 1, g.s),
    "the largest numbers": lambda g: g.pack(-1, -1),
    "r is the largest number": lambda g: g.pack(-1, g.s),
    "s is the largest number": lambda g: g.pack(g.r, -1),
    "r is negative, modulo the order": lambda g: g.pack(g.n - g.r, g.s),
    "both are negative, modulo the order": lambda g: g.pack(g.n - g.r, g.n - g.s),
    "r is negative, in two's complement": lambda g: g.pack(-g.r, g.s),
    "s is negative, in two's complement": lambda g: g.pack(g.r, -g.s),
    "r is inverted": lambda g: g.pack(pow(g.r, -1, g.n), g.s),
    "s is inverted": lambda g: g.pack(g.r, pow(g.s, -1, g.n)),
    "r and s are swapped": lambda g: g.pack(g.s, g.r),
    "r twice": lambda g: g.pack(g.r, g.r),
    "s twice": lambda g: g.pack(g.s, g.s),
    "little endian": lambda g: g.pack(g.r, g.s)[::-1],
    "each number little endian": lambda g: g.pack(g.s, g.r)[::-1],
    "one more than r": lambda g: g.pack(g.r + 1, g.s),
    "one more than s": lambda g: g.pack(g.r, g.s + 1),
    "one bit of r": lambda g: g.pack(g.r ^ 1, g.s),
    "one bit of s": lambda g: g.pack(g.r, g.s ^ 1),
    "DER": lambda g: encode_dss_signature(g.r, g.s),
    "DER of zeros": lambda g: encode_dss_signature(0, 0),
    "DER, filled to the length": lambda g: encode_dss_signature(g.r, g.s)[: 2 * g.length].ljust(2 * g.length, b"\0"),
    "DER of small numbers, filled to the length": lambda g: encode_dss_signature(1, 1).rjust(2 * g.length, b"\0"),
    "in hexadecimal": lambda g: g.right.hex().encode(),
    "as of a compressed point": lambda g: b"\x02" + g.right,
    "with a recovery byte": lambda g: g.right + b"\x1b",
    "r alone": lambda g: g.right[: g.length],
    "without the last byte": lambda g: g.right[:-1],
    "without the first byte": lambda g: g.right[1:],
    "without the last byte of either": lambda g: g.right[: g.length - 1] + g.right[g.length : -1],
    "a zero before": lambda g: b"\0" + g.right,
    "a zero after": lambda g: g.right + b"\0",
    "a zero before each number": lambda g: g.pack(g.r, g.s, g.length + 1),
    "a zero between": lambda g: g.right[: g.length] + b"\0" + g.right[g.length :],
    "zeros before each number": lambda g: g.pack(g.r, g.s, 2 * g.length),
    "twice": lambda g: g.right + g.right,
    "one byte of zero": lambda g: b"\0",
    "of another key": lambda g: EcKey(g.key.algorithm).sign(g.message),
    "of another message": lambda g: g.key.sign(g.message + "."),
    "of the claims alone": lambda g: g.key.sign(g.message.partition(".")[2]),
    "of an empty message": lambda g: g.key.sign(""),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(world, signature, name):
    """CVE-2022-21449 (zeros) and its relatives."""
    refuses(world, signature, SIGNATURES[name](signature))


def refuses(world, signature, defective):
    beside = token_of(signature.message, signature.right)
    world.refuses(token_of(signature.message, defective), "signature_invalid", beside)


@pytest.mark.parametrize("other", ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512_256", "SHA3_256"])
def test_another_hash(world, url, algorithm, other):
    """Each curve has one hash (RFC 7518, section 3.4)."""
    signature = Signature(algorithm, url)
    if algorithm == f"ES{other[3:]}":
        digest = hashlib.new(other.lower(), signature.message.encode())
        return refuses(world, signature, signature.key.sign(digest.hexdigest()))
    der = signature.key.key.sign(signature.message.encode(), ec.ECDSA(getattr(hashes, other)()))
    refuses(world, signature, signature.pack(*decode_dss_signature(der)))


def test_the_other_s(world, url, algorithm):
    """(r, n - s) holds whenever (r, s) does, and JWS does not choose between them (RFC 7518, section 3.4).

    It is no way in: it is a second spelling of what the issuer signed, for the same header and claims. Only what
    counts tokens by their text could be misled, and nothing here does.
    """
    signature = Signature(algorithm, url)
    for s in (signature.s, signature.n - signature.s):
        assert world.reason(token_of(signature.message, signature.pack(signature.r, s))) is None
    refuses(world, signature, signature.pack(signature.n - signature.r, signature.n - signature.s))


@pytest.mark.parametrize("half", ["r", "s"])
def test_a_number_that_begins_with_zero(world, url, algorithm, half):
    """Full length is allowed; without the zero, the other number stands elsewhere."""
    # The field of P-521 leaves seven bits empty: its first byte is often zero, the second seldom.
    zeros = 2 if algorithm == "ES512" else 1
    signature = Signature(algorithm, url)
    while getattr(signature, half) >> (8 * (signature.length - zeros)):
        signature = Signature(algorithm, url)
    r, s = signature.right[: signature.length], signature.right[signature.length :]
    assert (r if half == "r" else s).startswith(bytes(zeros))
    refuses(world, signature, r.lstrip(b"\0") + s.lstrip(b"\0"))
    shortened = r.lstrip(b"\0") + s if half == "r" else r + s.lstrip(b"\0")
    refuses(world, signature, shortened)
    refuses(world, signature, shortened + bytes(zeros))
    refuses(world, signature, bytes(zeros) + shortened if half == "s" else shortened[:-1])


def test_a_digest_that_begins_with_zero(world, url, algorithm):
    attempt = 0
    while hash_number(algorithm, message := message_of(algorithm, url, jti=str(attempt))) >> (int(algorithm[2:]) - 8):
        attempt += 1
    key = ec_key(algorithm)
    world.refuses(token_of(message, key.sign(message + ".")), "signature_invalid", token_of(message, key.sign(message)))


# A point whose x becomes r, and s: any of them hold under some key.
EDGES = {
    "the nonce is one": lambda c: (c.generator, 3),
    "the nonce is minus one": lambda c: (c.negative(c.generator), 3),
    "the nonce is two": lambda c: (c.multiply(2, c.generator), 3),
    "the smallest r": lambda c: (c.first_point_from(1), 3),
    "s is one": lambda c: (c.generator, 1),
    "s is the order less one": lambda c: (c.generator, c.order - 1),
    "s is half the order": lambda c: (c.generator, c.order // 2),
    "the smallest r, and s is one": lambda c: (c.first_point_from(1), 1),
    "x is the order or more": lambda c: (c.first_point_from(c.order + 1), 3),
    "x is almost the prime": lambda c: (last_point(c), 3),
    "s is a power of two": lambda c: (c.generator, 1 << 255),
}


def last_point(curve):
    x = curve.prime - 1
    while not (point := curve.point_at(x)):
        x -= 1
    return point


@pytest.mark.parametrize("name", EDGES)
def test_numbers_at_the_edge(world, algorithm, name):
    """They hold. What is the same modulo the order, or modulo the prime, does not."""
    curve = WEIERSTRASS[algorithm]
    signature = edge(world, algorithm, *EDGES[name](curve))
    for r, s in {
        (signature.r + curve.order, signature.s),
        (signature.r, signature.s + curve.order),
        (signature.r + curve.order, signature.s + curve.order),
        (signature.x, signature.s),
        (signature.r + curve.prime, signature.s),
        (signature.s, signature.r),
        (signature.r, signature.s + 2),
        (0, signature.s),
    } - {(signature.r, signature.s)}:
        if max(r, s) < signature.modulus:
            refuses(world, signature, signature.pack(r, s))


def edge(world, algorithm, point, s):
    """A signature of this point and this s, and the issuer of the key that it holds for."""
    curve = WEIERSTRASS[algorithm]
    url = world.issuer()
    signature = Signature(algorithm, url)
    signature.x, signature.r, signature.s = point[0], point[0] % curve.order, s
    key = curve.key_under_which(point, s, hash_number(algorithm, signature.message))
    assert curve.has(point) and curve.has(key)
    world.publish(url, ec_jwk(algorithm, key))
    return signature


def test_the_two_points_of_the_sum_are_one(world, algorithm):
    """u1·G = u2·Q: who adds them as if they differed divides by zero."""
    curve = WEIERSTRASS[algorithm]
    nonce = 7
    url = world.issuer()
    signature = Signature(algorithm, url)
    hashed = hash_number(algorithm, signature.message)
    signature.r = curve.multiply(nonce, curve.generator)[0] % curve.order
    signature.s = 2 * hashed * pow(nonce, -1, curve.order) % curve.order
    world.publish(url, key_of(algorithm, hashed * pow(signature.r, -1, curve.order)).jwk())
    refuses(world, signature, signature.pack(signature.r, signature.s + 1))


def test_a_sum_at_infinity(world, algorithm):
    """u1·G = -u2·Q, whatever s is: there is no x that r could be."""
    curve = WEIERSTRASS[algorithm]
    for r in (1, curve.generator[0] % curve.order, curve.order - 1):
        url = world.issuer()
        signature = Signature(algorithm, url)
        hashed = hash_number(algorithm, signature.message)
        key = key_of(algorithm, -hashed * pow(r, -1, curve.order))
        world.publish(url, key.jwk())
        signature.r, signature.s = key.numbers(signature.message)
        for s in (1, 2, curve.order - 1):
            refuses(world, signature, signature.pack(r, s))


def key_of(algorithm, private):
    return EcKey(algorithm, ec.derive_private_key(private % CURVES[algorithm].group_order, CURVES[algorithm]))
