"""Elliptic curves as arithmetic, for points and signatures that no library would make.

What is made properly with these is allowed by the function; that is what says that they are right.
"""

import dataclasses
import hashlib
import math
import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from harness import encode
from jws import CURVES, GOOD, message_of, token_of

PRIMES = {
    "ES256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "ES384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
    "ES512": 2**521 - 1,
}


@dataclasses.dataclass(frozen=True)
class Weierstrass:
    """y² = x³ - 3x + b. A point is x and y, or `None` at infinity."""

    prime: int
    order: int
    generator: tuple
    b: int

    @classmethod
    def of(cls, algorithm):
        prime, curve = PRIMES[algorithm], CURVES[algorithm]
        point = ec.derive_private_key(1, curve).public_key().public_numbers()
        b = (point.y**2 - point.x**3 + 3 * point.x) % prime
        return cls(prime, curve.group_order, (point.x, point.y), b)

    def has(self, point):
        x, y = point
        return (y * y - x**3 + 3 * x - self.b) % self.prime == 0

    def point_at(self, x):
        """One of the two points there, if any."""
        # Each of these primes is 3 modulo 4.
        y = pow(x**3 - 3 * x + self.b, (self.prime + 1) // 4, self.prime)
        return (x, y) if self.has((x, y)) else None

    def first_point_from(self, x):
        while not (point := self.point_at(x)):
            x += 1
        return point

    def add(self, left, right):
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % self.prime == 0:
            return None
        if left == right:
            slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, self.prime)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.prime)
        x = (slope * slope - x1 - x2) % self.prime
        return x, (slope * (x1 - x) - y1) % self.prime

    def multiply(self, factor, point):
        product = None
        for bit in bin(factor % self.order)[2:]:
            product = self.add(product, product)
            if bit == "1":
                product = self.add(product, point)
        return product

    def negative(self, point):
        x, y = point
        return x, -y % self.prime

    def key_under_which(self, point, s, hashed):
        """The public key that makes a signature of any point and any s hold. Nobody need know its private half."""
        r = point[0] % self.order
        left = self.multiply(s, point)
        right = self.multiply(-hashed, self.generator)
        return self.multiply(pow(r, -1, self.order), self.add(left, right))


def hash_number(algorithm, message):
    """The number that is signed: for none of these algorithms the digest is longer than the order."""
    return int.from_bytes(hashlib.new(f"sha{algorithm[2:]}", message.encode()).digest(), "big")


FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, FIELD) % FIELD
ROOT_OF_MINUS_ONE = pow(2, (FIELD - 1) // 4, FIELD)
NEUTRAL = (0, 1)


def x_of(y, is_odd=0):
    """The x of this y, or `None` (RFC 8032, section 5.1.3)."""
    squared = (y * y - 1) * pow(D * y * y + 1, -1, FIELD) % FIELD
    x = pow(squared, (FIELD + 3) // 8, FIELD)
    if (x * x - squared) % FIELD:
        x = x * ROOT_OF_MINUS_ONE % FIELD
    if (x * x - squared) % FIELD:
        return None
    return -x % FIELD if x % 2 != is_odd else x


BASE_Y = 4 * pow(5, -1, FIELD) % FIELD
BASE = (x_of(BASE_Y), BASE_Y)


def edwards_add(left, right):
    """The sum of two points as x, y and what both are divided by, which saves the division."""
    (x1, y1, z1), (x2, y2, z2) = left, right
    z, x, y = z1 * z2 % FIELD, x1 * x2 % FIELD, y1 * y2 % FIELD
    product = D * x * y % FIELD
    minus, plus = z * z - product, z * z + product
    crossed = (x1 + y1) * (x2 + y2) - x - y
    return z * minus * crossed % FIELD, z * plus * (x + y) % FIELD, minus * plus % FIELD


def edwards_sum(factor, point, offset=NEUTRAL):
    """A multiple of a point, and another point."""
    summed = (*NEUTRAL, 1)
    for bit in bin(factor)[2:]:
        summed = edwards_add(summed, summed)
        if bit == "1":
            summed = edwards_add(summed, (*point, 1))
    x, y, z = edwards_add(summed, (*offset, 1))
    inverse = pow(z, -1, FIELD)
    return x * inverse % FIELD, y * inverse % FIELD


def pack(point):
    """The canonical encoding."""
    x, y = point
    return pack_numbers(y, x % 2)


def pack_numbers(y, sign):
    return (y | sign << 255).to_bytes(32, "little")


def small_order_points():
    """The eight points whose order divides eight, by their order."""
    y = 2
    while True:
        if (x := x_of(y)) is not None:
            torsion = edwards_sum(ORDER, (x, y))
            if edwards_sum(4, torsion) != NEUTRAL:
                return [edwards_sum(factor, torsion) for factor in range(8)]
        y += 1


def ed25519_hash(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class EdwardsKey:
    """An Ed25519 key as its number, which signs with anything for R."""

    def __init__(self, torsion=NEUTRAL):
        self.secret = secrets.randbelow(ORDER)
        self.packed = pack(edwards_sum(self.secret, BASE, torsion))

    def jwk(self, key_id=GOOD, **more):
        return ed25519_jwk(self.packed, key_id) | more

    def sign(self, message, prefix=b"", torsion=NEUTRAL):
        """R and S, of a message or of what RFC 8032, section 5.1, puts before it."""
        nonce = secrets.randbelow(ORDER)
        packed = pack(edwards_sum(nonce, BASE, torsion))
        return self.answer(packed, nonce, message, prefix)

    def answer(self, packed, nonce, message, prefix=b""):
        """The signature whose R is written like this, and is the nonce's multiple of the base."""
        k = ed25519_hash(prefix, packed, self.packed, message)
        return packed + ((nonce + k * self.secret) % ORDER).to_bytes(32, "little")


    def token(self, url, key_id=GOOD):
        message = message_of("EdDSA", url, key_id)
        return token_of(message, self.sign(message.encode()))


class SmallOrderKey:
    """A public key of small order, as it is written. Anybody can sign for it."""

    def __init__(self, packed, index):
        self.packed = packed
        self.index = index

    def jwk(self, key_id=GOOD):
        return ed25519_jwk(self.packed, key_id)

    def token(self, url, key_id=GOOD):
        """S·B = R + k·A where k·A is neutral: R is S·B, for any S."""
        s = secrets.randbelow(ORDER)
        r = pack(edwards_sum(s, BASE))
        attempt = 0
        while True:
            message = message_of("EdDSA", url, key_id, jti=str(attempt))
            k = ed25519_hash(r, self.packed, message.encode())
            if k * self.index % 8 == k % ORDER * self.index % 8 == 0:
                return token_of(message, r + s.to_bytes(32, "little"))
            attempt += 1


def small_order_keys():
    """Every way to write a point of small order: with x and y below the field's prime, and otherwise."""
    keys = {}
    for index, (x, y) in enumerate(small_order_points()):
        for written in {y, y + FIELD}:
            # x of zero has no sign, and two of these points have no other x.
            for sign in {x % 2, (x % 2) ^ (x == 0)}:
                if written < 1 << 255:
                    canonical = written < FIELD and sign == x % 2
                    name = f"order {8 // math.gcd(index, 8)}, y is {name_of(written)}, sign {sign}"
                    name += "" if canonical else ", not canonical"
                    keys[name] = SmallOrderKey(pack_numbers(written, sign), index)
    return keys


def name_of(number):
    names = {FIELD - 1: "p - 1", FIELD: "p", FIELD + 1: "p + 1"}
    return names.get(number, str(number) if number < 2 else f"{number:064x}"[:6] + "…")


def ed25519_jwk(packed, key_id=GOOD):
    return {"kty": "OKP", "crv": "Ed25519", "kid": key_id, "x": encode(packed)}
