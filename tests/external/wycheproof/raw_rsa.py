"""RSA as arithmetic: keys of any primes and any exponent, and encodings (RFC 8017, section 9) with any defect.

What signs properly with these is allowed by the function; that is what says that they are right.
"""

import contextlib
import dataclasses
import functools
import hashlib
import math
import os

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from harness import encode
from jws import GOOD, HASHES, message_of, token_of

# The contents of OBJECT IDENTIFIER.
OIDS = {
    "md5": "2a864886f70d0205",
    "sha1": "2b0e03021a",
    "sha224": "608648016503040204",
    "sha256": "608648016503040201",
    "sha384": "608648016503040202",
    "sha512": "608648016503040203",
    "sha512_256": "608648016503040206",
    "sha3_256": "608648016503040208",
}


class NoRoot(ValueError):
    """The exponent makes this number of no other."""


@dataclasses.dataclass(frozen=True)
class RsaKey:
    """Sound or not: it signs what the holder of its primes could sign."""

    primes: tuple
    exponent: int = 65537

    @classmethod
    def generate(cls, bits=2048, exponent=65537):
        if bits % 2:
            # OpenSSL makes only primes of equal length.
            return cls(tuple(cls.generate(even, exponent).primes[0] for even in (bits - 1, bits + 1)), exponent)
        numbers = rsa.generate_private_key(exponent, bits).private_numbers()
        return cls((numbers.p, numbers.q), exponent)

    @functools.cached_property
    def modulus(self):
        return math.prod(self.primes)

    @property
    def length(self):
        return (self.modulus.bit_length() + 7) // 8

    def jwk(self, key_id=GOOD, **more):
        modulus, exponent = (encode(octets(number)) for number in (self.modulus, self.exponent))
        return {"kty": "RSA", "kid": key_id, "n": modulus, "e": exponent} | more

    @functools.cached_property
    def quick(self):
        """The same key, where it is ordinary, as a library has it."""
        p, q = self.primes
        d = pow(self.exponent, -1, (p - 1) * (q - 1))
        public = rsa.RSAPublicNumbers(self.exponent, self.modulus)
        private = rsa.RSAPrivateNumbers(
            p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
        )
        return private.private_key(unsafe_skip_rsa_key_validation=True)

    def root(self, value):
        """The number that the exponent makes `value` of, found modulo each prime and put together."""
        return sum(pow(value, exponent, prime) * weight for prime, exponent, weight in self.roots) % self.modulus

    @functools.cached_property
    def roots(self):
        """Of each prime, the exponent that undoes the key's, and what is one modulo it and zero modulo the others."""
        others = [self.modulus // prime for prime in self.primes]
        return [
            (prime, self.inverse_exponent(prime), other * pow(other, -1, prime))
            for prime, other in zip(self.primes, others, strict=True)
        ]

    def inverse_exponent(self, prime):
        if self.exponent == 2:
            # Of half the numbers, for others have no root.
            assert prime % 4 == 3
            return (prime + 1) // 4
        return pow(self.exponent, -1, prime - 1) if prime > 2 else 1

    def sign(self, encoded):
        """The signature of an encoded message."""
        assert len(encoded) == self.length
        number = int.from_bytes(encoded, "big")
        signature = self.root(number)
        if pow(signature, self.exponent, self.modulus) != number:
            raise NoRoot
        return signature.to_bytes(self.length, "big")

    def pkcs1(self, algorithm, message):
        """The proper encoding."""
        name = f"sha{algorithm[2:]}"
        return padded(digest_info(name, hashed(name, message)), self.length)

    def sign_pkcs1(self, message, algorithm="RS256"):
        return self.sign(self.pkcs1(algorithm, message))

    def token(self, url, key_id=GOOD, algorithm="RS256"):
        """A token that is allowed, if the key is."""
        if len(self.primes) == 2 and self.exponent == 65537:
            message = message_of(algorithm, url, key_id)
            return token_of(message, self.quick.sign(message.encode(), PKCS1v15(), HASHES[algorithm[2:]]))
        for attempt in range(1000):
            message = message_of(algorithm, url, key_id, jti=str(attempt))
            # An even exponent has no root of most messages.
            with contextlib.suppress(NoRoot):
                return token_of(message, self.sign_pkcs1(message, algorithm))
        raise AssertionError("no message has a signature")


@functools.cache
def rsa_key(bits=2048, exponent=65537):
    """The same for all who only need a good one."""
    return RsaKey.generate(bits, exponent)


@functools.cache
def primes():
    """Sixteen, of 1024 bits each."""
    return [prime for _ in range(8) for prime in RsaKey.generate().primes]


def octets(number):
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def hashed(name, message):
    return hashlib.new(name, message if isinstance(message, bytes) else message.encode()).digest()


def der(tag, *contents, length=None):
    """An element whose length is encoded as it should be, or as given."""
    content = b"".join(contents)
    if length is None:
        assert len(content) < 128
        length = bytes([len(content)])
    return bytes([tag]) + length + content


SEQUENCE, OCTET_STRING, NULL, OBJECT_IDENTIFIER = 0x30, 0x04, b"\x05\x00", 0x06


def digest_info(name, digest, parameters=NULL):
    return der(SEQUENCE, algorithm_identifier(name, parameters), der(OCTET_STRING, digest))


def algorithm_identifier(name, parameters=NULL):
    return der(SEQUENCE, der(OBJECT_IDENTIFIER, bytes.fromhex(OIDS[name])), parameters)


def padded(content, length, block=b"\x00\x01", byte=b"\xff", separator=b"\x00"):
    """EMSA-PKCS1-v1_5, and what resembles it."""
    padding = byte * (length - len(block) - len(separator) - len(content))
    return block + padding + separator + content


def mask(seed, length, name):
    """MGF1."""
    blocks = (hashed(name, seed + counter.to_bytes(4, "big")) for counter in range(length // 16))
    return b"".join(blocks)[:length]


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def pss(
    message,
    bits,
    name,
    salt_length=None,
    mask_name=None,
    trailer=b"\xbc",
    filler=b"\x00",
    separator=b"\x01",
    zeros=b"\x00" * 8,
    top_bits=0,
    digest=None,
):
    """EMSA-PSS for a modulus of this many bits, and what resembles it."""
    digest = digest or hashed(name, message)
    salt = os.urandom(len(digest) if salt_length is None else salt_length)
    length = (bits - 1 + 7) // 8
    inner = hashed(name, zeros + digest + salt)
    rest = length - len(inner) - len(trailer) - len(salt) - len(separator)
    block = filler * rest + separator + salt
    masked = bytearray(xor(block, mask(inner, len(block), mask_name or name)))
    unused = 8 * length - (bits - 1)
    masked[0] = masked[0] & (0xFF >> unused) | top_bits
    # A modulus of one bit more than whole octets has an octet that is always zero.
    return (bytes(masked) + inner + trailer).rjust((bits + 7) // 8, b"\x00")


def cube_root(number):
    """The largest number whose cube is not larger."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle)
    return low


def cube_root_of_the_end(end, bits):
    """The number below 2**bits whose cube ends in these bits; an odd one has exactly one."""
    root = 1
    for bit in range(1, bits):
        if (root**3 - end) & (1 << bit):
            root |= 1 << bit
    return root
