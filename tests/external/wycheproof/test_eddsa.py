"""Rule A5, Ed25519: one signature of one message, compared byte by byte (RFC 8032, section 5.1.7)."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from curves import (
    BASE,
    FIELD,
    NEUTRAL,
    ORDER,
    EdwardsKey,
    ed25519_hash,
    ed25519_jwk,
    pack,
    pack_numbers,
    small_order_points,
)
from jws import message_of, token_of

KEY = EdwardsKey()
SMALL = small_order_points()


@pytest.fixture(scope="module")
def url(world):
    return world.issuer(KEY.jwk())


def number(half):
    return int.from_bytes(half, "little")


def with_s(signature, s):
    return signature[:32] + s.to_bytes(32, "little")


def flipped(signature, position, bit):
    return signature[:position] + bytes([signature[position] ^ bit]) + signature[position + 1 :]


def context(flag, text=b""):
    """What RFC 8032, section 2, calls dom2."""
    return b"SigEd25519 no Ed25519 collisions" + bytes([flag, len(text)]) + text


# What is made of the message and a right signature.
SIGNATURES = {
    "zeros": lambda m, s: bytes(64),
    "one byte of zero": lambda m, s: b"\0",
    "S is zero": lambda m, s: with_s(s, 0),
    "R is zero": lambda m, s: bytes(32) + s[32:],
    "S is one": lambda m, s: with_s(s, 1),
    "S is the order": lambda m, s: with_s(s, ORDER),
    "S and the order": lambda m, s: with_s(s, number(s[32:]) + ORDER),
    "S and the order twice": lambda m, s: with_s(s, number(s[32:]) + 2 * ORDER),
    "S and the order eight times": lambda m, s: with_s(s, number(s[32:]) + 8 * ORDER),
    "S and the order as often as there is room": lambda m, s: with_s(
        s, number(s[32:]) + (2**256 - 1 - number(s[32:])) // ORDER * ORDER
    ),
    "S is the largest number": lambda m, s: with_s(s, 2**256 - 1),
    "S is negative": lambda m, s: with_s(s, ORDER - number(s[32:])),
    "S is one more": lambda m, s: with_s(s, (number(s[32:]) + 1) % ORDER),
    "one of the three first bits of S": lambda m, s: flipped(s, 63, 0x20),
    "the first bit of S": lambda m, s: flipped(s, 63, 0x80),
    "the last bit of S": lambda m, s: flipped(s, 32, 0x01),
    "the sign of R": lambda m, s: flipped(s, 31, 0x80),
    "one bit of R": lambda m, s: flipped(s, 0, 0x01),
    "R is no point": lambda m, s: bytes([2]) + bytes(31) + s[32:],
    "R is the base": lambda m, s: pack(BASE) + s[32:],
    "R is the key": lambda m, s: KEY.packed + s[32:],
    "R and S are swapped": lambda m, s: s[32:] + s[:32],
    "big endian": lambda m, s: s[:32][::-1] + s[32:][::-1],
    "without the last byte": lambda m, s: s[:-1],
    "without the first byte": lambda m, s: s[1:],
    "R alone": lambda m, s: s[:32],
    "a zero after": lambda m, s: s + b"\0",
    "a zero before": lambda m, s: b"\0" + s,
    "zeros after": lambda m, s: s + bytes(32),
    "twice": lambda m, s: s + s,
    "with the message": lambda m, s: s + m,
    "in hexadecimal": lambda m, s: s.hex().encode(),
    "of another key": lambda m, s: ed25519.Ed25519PrivateKey.generate().sign(m),
    "of another message": lambda m, s: KEY.sign(m + b"."),
    "of an empty message": lambda m, s: KEY.sign(b""),
    "of the claims alone": lambda m, s: KEY.sign(m.partition(b".")[2]),
    "of the SHA-512 digest": lambda m, s: KEY.sign(hashlib.sha512(m).digest()),
    "Ed25519ph": lambda m, s: KEY.sign(hashlib.sha512(m).digest(), context(1)),
    "Ed25519ph of a context": lambda m, s: KEY.sign(hashlib.sha512(m).digest(), context(1, b"JWT")),
    "Ed25519ctx": lambda m, s: KEY.sign(m, context(0, b"JWT")),
    "Ed25519ctx of no context": lambda m, s: KEY.sign(m, context(0)),
    # Each of these holds for who multiplies the equation by eight, or reads R before comparing it.
    "R of the nonce zero, one field further": lambda m, s: KEY.answer(pack_numbers(FIELD + 1, 0), 0, m),
    "R of the nonce zero, with a sign": lambda m, s: KEY.answer(pack_numbers(1, 1), 0, m),
    "R of the nonce zero, both": lambda m, s: KEY.answer(pack_numbers(FIELD + 1, 1), 0, m),
    **{
        f"R and a point of small order, {index}": lambda m, s, index=index: KEY.sign(m, torsion=SMALL[index])
        for index in range(1, 8)
    },
    **{
        f"R is a point of small order, {index}": lambda m, s, index=index: KEY.answer(pack(SMALL[index]), 0, m)
        for index in range(1, 8)
    },
    **{
        f"R is a point of small order, {index}, and S is zero": lambda m, s, index=index: pack(SMALL[index]) + bytes(32)
        for index in range(8)
    },
}


@pytest.fixture(scope="module", params=["EdDSA", "Ed25519"])
def message(request, url):
    return message_of(request.param, url)


@pytest.fixture(scope="module")
def right(message):
    """Its signature."""
    return KEY.sign(message.encode())


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(world, message, right, name):
    refuses(world, message, SIGNATURES[name](message.encode(), right), right)


def refuses(world, message, defective, right):
    world.refuses(token_of(message, defective), "signature_invalid", beside=token_of(message, right))


def test_the_nonce_zero(world, url):
    """R is the neutral point, as it is written: the equation holds, and who can make it has the private key."""
    message = message_of("EdDSA", url)
    right = KEY.answer(pack(NEUTRAL), 0, message.encode())
    refuses(world, message, with_s(right, number(right[32:]) ^ 1), right)


@pytest.mark.parametrize("half", ["R", "S"])
def test_a_number_that_ends_in_zero(world, half):
    """Numbers are little endian, so what is lost is at their end."""
    key = ed25519.Ed25519PrivateKey.generate()
    url = world.issuer(ed25519_jwk(key.public_key().public_bytes_raw()))
    end = 31 if half == "R" else 63
    attempt, right = 0, b"\xff" * 64
    while right[end]:
        message = message_of("EdDSA", url, jti=str(attempt))
        right = key.sign(message.encode())
        attempt += 1
    shortened = right[:end] + right[end + 1 :]
    for defective in (shortened, shortened + b"\0" if half == "R" else b"\0" + shortened):
        refuses(world, message, defective, right)


@pytest.mark.parametrize("index", [1, 2, 4], ids=["of order 8", "of order 4", "of order 2"])
def test_a_key_with_a_part_of_small_order(world, index):
    """Not of small order itself, so it stays. A signature holds where the equation does, not eight times it."""
    key = EdwardsKey(torsion=SMALL[index])
    url = world.issuer(key.jwk())
    signed = {}
    attempt = 0
    while len(signed) < 2:
        message = message_of("EdDSA", url, jti=str(attempt))
        signature = key.sign(message.encode())
        k = ed25519_hash(signature[:32], key.packed, message.encode())
        # The RFC leaves open whether k is reduced first, which matters here and nowhere else.
        holds = {SMALL[factor * index % 8] == NEUTRAL for factor in (k, k % ORDER)}
        if len(holds) == 1:
            signed[holds.pop()] = token_of(message, signature)
        attempt += 1
    world.refuses(signed[False], "signature_invalid", beside=signed[True])
