"""Rule A5, RSASSA-PKCS1-v1_5: what a verifier accepts that parses the padding instead of comparing it whole."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from harness import encode
from jws import message_of, token_of
from raw_rsa import (
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OIDS,
    SEQUENCE,
    RsaKey,
    algorithm_identifier,
    der,
    digest_info,
    hashed,
    octets,
    padded,
    pss,
    rsa_key,
)

OID = bytes.fromhex(OIDS["sha256"])
LENGTH = 256


@pytest.fixture(scope="module")
def url(world):
    return world.issuer(rsa_key().jwk())


@pytest.fixture(scope="module")
def message(url):
    return message_of("RS256", url)


@pytest.fixture(scope="module")
def right(message):
    """Its signature."""
    return rsa_key().sign_pkcs1(message)


def foreign(name):
    """A digest of another function, which is named as it should be."""
    return lambda message: digest_info(name, hashed(name, message))


def info(make):
    """What is made of the right digest."""
    return lambda message: make(hashed("sha256", message))


def flipped(digest):
    return bytes([digest[0] ^ 1]) + digest[1:]


def octet_string(digest):
    return der(OCTET_STRING, digest)


# What stands behind the padding, which is as long as it should be.
CONTENTS = {
    "MD5": foreign("md5"),
    "SHA-1": foreign("sha1"),
    "SHA-224": foreign("sha224"),
    "SHA-384": foreign("sha384"),
    "SHA-512": foreign("sha512"),
    "SHA-512/256": foreign("sha512_256"),
    "SHA3-256": foreign("sha3_256"),
    "the OID of SHA-1": info(lambda d: digest_info("sha1", d)),
    "the OID of SHA-384": info(lambda d: digest_info("sha384", d)),
    "the OID of SHA-512/256": info(lambda d: digest_info("sha512_256", d)),
    "the OID of SHA3-256": info(lambda d: digest_info("sha3_256", d)),
    "SHA-384 under the OID of SHA-256": lambda m: digest_info("sha256", hashed("sha384", m)),
    "SHA-512 cut to 32 bytes": lambda m: digest_info("sha256", hashed("sha512", m)[:32]),
    "an OID of one arc more": info(lambda d: with_oid(OID + b"\x01", d)),
    "an OID of one arc less": info(lambda d: with_oid(OID[:-1], d)),
    "an OID with padded arcs": info(lambda d: with_oid(OID[:-1] + b"\x80\x01", d)),
    "an empty OID": info(lambda d: with_oid(b"", d)),
    "a relative OID": info(lambda d: with_algorithm(der(0x0D, OID) + NULL, d)),
    "a long-form length of the OID": info(
        lambda d: with_algorithm(der(OBJECT_IDENTIFIER, OID, length=b"\x81\x09") + NULL, d)
    ),
    "no parameters": info(lambda d: digest_info("sha256", d, parameters=b"")),
    "two parameters": info(lambda d: digest_info("sha256", d, parameters=NULL + NULL)),
    "an empty SEQUENCE for NULL": info(lambda d: digest_info("sha256", d, parameters=b"\x30\x00")),
    "an empty OCTET STRING for NULL": info(lambda d: digest_info("sha256", d, parameters=b"\x04\x00")),
    "a NULL with content": info(lambda d: digest_info("sha256", d, parameters=b"\x05\x01\x00")),
    "a NULL with garbage": info(lambda d: digest_info("sha256", d, parameters=der(5, os.urandom(32)))),
    "an OCTET STRING of garbage": info(lambda d: digest_info("sha256", d, parameters=der(4, os.urandom(32)))),
    "a long-form length of NULL": info(lambda d: digest_info("sha256", d, parameters=b"\x05\x81\x00")),
    "a truncated NULL": info(lambda d: digest_info("sha256", d, parameters=b"\x05")),
    "a long-form length of the whole": info(lambda d: whole(d, length=b"\x81\x31")),
    "a length of the whole in two bytes": info(lambda d: whole(d, length=b"\x82\x00\x31")),
    "a length of the whole in four bytes": info(lambda d: whole(d, length=b"\x84\x00\x00\x00\x31")),
    "a length of the whole beyond 32 bits": info(lambda d: whole(d, length=b"\x85\x01\x00\x00\x00\x31")),
    "an indefinite length of the whole": info(lambda d: whole(d, b"\x00\x00", length=b"\x80")),
    "a length of the whole that is one more": info(lambda d: whole(d, length=b"\x32")),
    "a length of the whole that is one less": info(lambda d: whole(d, length=b"\x30")),
    "a length of the whole that is zero": info(lambda d: whole(d, length=b"\x00")),
    "a long-form length of the algorithm": info(
        lambda d: der(SEQUENCE, der(SEQUENCE, der(6, OID), NULL, length=b"\x81\x0d"), octet_string(d))
    ),
    "an indefinite length of the algorithm": info(
        lambda d: der(SEQUENCE, der(SEQUENCE, der(6, OID), NULL, b"\x00\x00", length=b"\x80"), octet_string(d))
    ),
    "a long-form length of the digest": info(
        lambda d: der(SEQUENCE, algorithm_identifier("sha256"), der(OCTET_STRING, d, length=b"\x81\x20"))
    ),
    "a length of the digest that is one less": info(
        lambda d: der(SEQUENCE, algorithm_identifier("sha256"), der(OCTET_STRING, d, length=b"\x1f"))
    ),
    "a SET for the SEQUENCE": info(lambda d: der(0x31, algorithm_identifier("sha256"), octet_string(d))),
    "a primitive SEQUENCE": info(lambda d: der(0x10, algorithm_identifier("sha256"), octet_string(d))),
    "a tag in the long form": info(lambda d: b"\x3f\x10" + digest_info("sha256", d)[1:]),
    "a BIT STRING for the digest": info(
        lambda d: der(SEQUENCE, algorithm_identifier("sha256"), der(0x03, b"\x00" + d))
    ),
    "a constructed digest": info(
        lambda d: der(SEQUENCE, algorithm_identifier("sha256"), der(0x24, octet_string(d[:16]), octet_string(d[16:])))
    ),
    "the digest before the algorithm": info(
        lambda d: der(SEQUENCE, octet_string(d), algorithm_identifier("sha256"))
    ),
    "garbage after the digest": info(
        lambda d: der(SEQUENCE, algorithm_identifier("sha256"), octet_string(d), os.urandom(16))
    ),
    "garbage after the whole": info(lambda d: digest_info("sha256", d) + os.urandom(16)),
    "a zero after the whole": info(lambda d: digest_info("sha256", d) + b"\x00"),
    "garbage before the whole": info(lambda d: os.urandom(16) + digest_info("sha256", d)),
    "a zero before the whole": info(lambda d: b"\x00" + digest_info("sha256", d)),
    "the whole in an OCTET STRING": info(lambda d: octet_string(digest_info("sha256", d))),
    "the whole in a SEQUENCE": info(lambda d: der(SEQUENCE, digest_info("sha256", d))),
    "the digest alone": info(lambda d: d),
    "the digest and its tag alone": info(octet_string),
    "a digest that lacks its last byte": info(lambda d: digest_info("sha256", d[:-1])),
    "a digest of one byte more": info(lambda d: digest_info("sha256", d + b"\x00")),
    "a digest of nothing": info(lambda d: digest_info("sha256", b"")),
    "the digest of an empty message": lambda m: digest_info("sha256", hashed("sha256", b"")),
    "a flipped bit of the digest": info(lambda d: digest_info("sha256", flipped(d))),
    "the digest backwards": info(lambda d: digest_info("sha256", d[::-1])),
    "the digest in hexadecimal": info(lambda d: digest_info("sha256", d.hex().encode())),
    "the digest of the digest": info(lambda d: digest_info("sha256", hashed("sha256", d))),
    "nothing": lambda m: b"",
}


def with_oid(oid, digest):
    return with_algorithm(der(OBJECT_IDENTIFIER, oid) + NULL, digest)


def with_algorithm(algorithm, digest):
    return der(SEQUENCE, der(SEQUENCE, algorithm), octet_string(digest))


def whole(digest, *more, length):
    return der(SEQUENCE, algorithm_identifier("sha256"), octet_string(digest), *more, length=length)


@pytest.mark.parametrize("name", CONTENTS)
def test_content(world, message, right, name):
    refuses(world, message, rsa_key().sign(padded(CONTENTS[name](message), LENGTH)), right)


def refuses(world, message, defective, right):
    world.refuses(token_of(message, defective), "signature_invalid", beside=token_of(message, right))


def short_padding(content, count, garbage=b"\x00"):
    """Padding of only so many bytes; what lacks stands behind the content."""
    block = b"\x00\x01" + b"\xff" * count + b"\x00" + content
    return block + garbage * (LENGTH - len(block))


def with_padding_byte(content, position, byte):
    encoded = bytearray(padded(content, LENGTH))
    encoded[position] = byte
    return bytes(encoded)


# What is made of the right DigestInfo.
BLOCKS = {
    "block type 0": lambda t: padded(t, LENGTH, block=b"\x00\x00"),
    "block type 0, padded with zeros": lambda t: padded(t, LENGTH, block=b"\x00\x00", byte=b"\x00"),
    "block type 2": lambda t: padded(t, LENGTH, block=b"\x00\x02"),
    "block type 2, padded at random": lambda t: padded(t, LENGTH, block=b"\x00\x02", byte=b"\x8b"),
    "block type 3": lambda t: padded(t, LENGTH, block=b"\x00\x03"),
    "a first byte of one": lambda t: padded(t, LENGTH, block=b"\x01\x01"),
    "a first byte of 0x40": lambda t: padded(t, LENGTH, block=b"\x40\x01"),
    "a first bit after the first byte": lambda t: padded(t, LENGTH, block=b"\x00\x81"),
    "no first byte": lambda t: padded(t, LENGTH, block=b"\x01"),
    "two first bytes": lambda t: padded(t, LENGTH, block=b"\x00\x00\x01"),
    "no padding": lambda t: short_padding(t, 0),
    "padding of one byte": lambda t: short_padding(t, 1),
    "padding of seven bytes": lambda t: short_padding(t, 7),
    "padding of eight bytes, and zeros at the end": lambda t: short_padding(t, 8),
    "padding of eight bytes, and garbage at the end": lambda t: short_padding(t, 8, b"\x5a"),
    "padding of eight bytes, and ff at the end": lambda t: short_padding(t, 8, b"\xff"),
    "padding that is one byte short": lambda t: short_padding(t, LENGTH - 4 - len(t)),
    "padding that is one byte short, and another zero": lambda t: padded(t, LENGTH, separator=b"\x00\x00"),
    "padding of zeros": lambda t: padded(t, LENGTH, byte=b"\x00"),
    "padding of ones": lambda t: padded(t, LENGTH, byte=b"\x01"),
    "padding of fe": lambda t: padded(t, LENGTH, byte=b"\xfe"),
    "another first byte of the padding": lambda t: with_padding_byte(t, 2, 0xFE),
    "another byte in the middle of the padding": lambda t: with_padding_byte(t, 100, 0x7F),
    "another last byte of the padding": lambda t: with_padding_byte(t, LENGTH - len(t) - 2, 0xFE),
    "a zero in the middle of the padding": lambda t: with_padding_byte(t, 100, 0x00),
    "no separator": lambda t: padded(t, LENGTH, separator=b""),
    "a separator of ff": lambda t: padded(t, LENGTH, separator=b"\xff"),
    "a separator of one": lambda t: padded(t, LENGTH, separator=b"\x01"),
    "the content at the front": lambda t: t.ljust(LENGTH, b"\x00"),
    "the content at the front, after a zero": lambda t: (b"\x00" + t).ljust(LENGTH, b"\x00"),
    "the content and nothing else": lambda t: t.rjust(LENGTH, b"\x00"),
    "everything one byte earlier": lambda t: padded(t, LENGTH - 1) + b"\x00",
    "everything one byte later": lambda t: b"\x00" + padded(t, LENGTH - 1),
    "the padding of a shorter key, in front": lambda t: padded(t, 128) + bytes(128),
    "the padding of a shorter key, at the end": lambda t: bytes(128) + padded(t, 128),
    "the content twice": lambda t: padded(t + t, LENGTH),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_padding(world, message, right, name):
    content = digest_info("sha256", hashed("sha256", message))
    refuses(world, message, rsa_key().sign(BLOCKS[name](content)), right)


# What is made of a right signature, and of the modulus.
SIGNATURES = {
    "zero": lambda s, n: bytes(LENGTH),
    "one byte of zero": lambda s, n: b"\x00",
    "one": lambda s, n: (1).to_bytes(LENGTH, "big"),
    "two": lambda s, n: (2).to_bytes(LENGTH, "big"),
    "the modulus less one": lambda s, n: (n - 1).to_bytes(LENGTH, "big"),
    "the modulus": lambda s, n: n.to_bytes(LENGTH, "big"),
    "the modulus and one": lambda s, n: (n + 1).to_bytes(LENGTH, "big"),
    "the largest number of its length": lambda s, n: b"\xff" * LENGTH,
    "the other sign": lambda s, n: (n - number(s)).to_bytes(LENGTH, "big"),
    "its inverse": lambda s, n: pow(number(s), -1, n).to_bytes(LENGTH, "big"),
    "once more to the power of the exponent": lambda s, n: pow(number(s), 65537, n).to_bytes(LENGTH, "big"),
    "its square": lambda s, n: pow(number(s), 2, n).to_bytes(LENGTH, "big"),
    "the modulus added, in one byte more": lambda s, n: (number(s) + n).to_bytes(LENGTH + 1, "big"),
    "256 times the modulus added": lambda s, n: octets(number(s) + 256 * n),
    "a zero before": lambda s, n: b"\x00" + s,
    "zeros before": lambda s, n: bytes(LENGTH) + s,
    "a zero after": lambda s, n: s + b"\x00",
    "garbage after": lambda s, n: s + b"\x5a" * 16,
    "without its last byte": lambda s, n: s[:-1],
    "without its first byte": lambda s, n: s[1:],
    "its first half": lambda s, n: s[: LENGTH // 2],
    "its last half": lambda s, n: s[LENGTH // 2 :],
    "twice": lambda s, n: s + s,
    "backwards": lambda s, n: s[::-1],
    "in hexadecimal": lambda s, n: s.hex().encode(),
    "in base64url": lambda s, n: encode(s).encode(),
    "in an OCTET STRING": lambda s, n: b"\x04\x82\x01\x00" + s,
    "in a BIT STRING": lambda s, n: b"\x03\x82\x01\x01\x00" + s,
    "one bit in its first byte": lambda s, n: bytes([s[0] ^ 1]) + s[1:],
    "one bit in its last byte": lambda s, n: s[:-1] + bytes([s[-1] ^ 1]),
}


def number(signature):
    return int.from_bytes(signature, "big")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(world, message, right, name):
    refuses(world, message, SIGNATURES[name](right, rsa_key().modulus), right)


def test_the_modulus_added(world, url):
    """The same number modulo n, and still as long as the modulus: it is not below it."""
    for attempt in range(2000):
        message = message_of("RS256", url, jti=str(attempt))
        right = rsa_key().sign_pkcs1(message)
        larger = number(right) + rsa_key().modulus
        if larger < 1 << (8 * LENGTH):
            return refuses(world, message, larger.to_bytes(LENGTH, "big"), right)
    raise AssertionError("none of 2,000 signatures is small")


def test_a_signature_that_begins_with_zero(world):
    """As long as the modulus it is allowed, as short as its number it is not (RFC 8017, section 8.2.2)."""
    key = RsaKey.generate()
    url = world.issuer(key.jwk())
    for attempt in range(10_000):
        message = message_of("RS256", url, jti=str(attempt))
        right = key.quick.sign(message.encode(), PKCS1v15(), SHA256())
        if right[0] == 0:
            return refuses(world, message, right.lstrip(b"\x00"), right)
    raise AssertionError("none of 10,000 signatures begins with zero")


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_signatures_of_another_algorithm(world, url, algorithm):
    """The header is signed, so each is made anew under this one."""
    message = message_of(algorithm, url)
    sound = token_of(message, rsa_key().sign_pkcs1(message, algorithm))
    for other in {"RS256", "RS384", "RS512"} - {algorithm}:
        defective = token_of(message, rsa_key().sign_pkcs1(message, other))
        world.refuses(defective, "signature_invalid", beside=sound)
    encoded = pss(message.encode(), 2048, f"sha{algorithm[2:]}")
    for signature in (rsa_key().sign(encoded), RsaKey.generate().sign_pkcs1(message, algorithm)):
        world.refuses(token_of(message, signature), "signature_invalid", beside=sound)


def test_the_signature_of_another_message(world, url, message, right):
    for other in (message_of("RS256", url, sub="root"), message + ".", message.partition(".")[2]):
        refuses(world, message, rsa_key().sign_pkcs1(other), right)
