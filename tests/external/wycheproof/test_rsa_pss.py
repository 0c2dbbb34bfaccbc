"""Rule A5, RSASSA-PSS: salt, mask and trailer are those of the algorithm (RFC 7518, section 3.5)."""

import pytest
from jws import message_of, token_of
from raw_rsa import hashed, octets, pss, rsa_key

BITS = 2048
LENGTH = 256
SIZES = {"256": 32, "384": 48, "512": 64}


@pytest.fixture(scope="module", params=SIZES)
def bits(request):
    return request.param


@pytest.fixture(scope="module")
def message(world, bits):
    return message_of(f"PS{bits}", world.issuer(rsa_key().jwk()))


@pytest.fixture(scope="module")
def right(message, bits):
    """Its signature."""
    return rsa_key().sign(pss(message.encode(), BITS, f"sha{bits}"))


def salt(change):
    return lambda m, bits: pss(m, BITS, f"sha{bits}", salt_length=change(SIZES[bits]))


def other_hash(bits):
    return {"256": "sha512", "384": "sha256", "512": "sha384"}[bits]


def encoded(**defect):
    return lambda m, bits: pss(m, BITS, f"sha{bits}", **defect)


def changed(position, bit=1):
    """One bit of the encoding, after everything else was made of the right one."""

    def make(message, bits):
        block = bytearray(pss(message, BITS, f"sha{bits}"))
        block[position] ^= bit
        return bytes(block)

    return make


# What is encoded instead.
ENCODINGS = {
    "no salt": salt(lambda size: 0),
    "a salt of one byte": salt(lambda size: 1),
    "a salt that is one byte short": salt(lambda size: size - 1),
    "a salt of one byte more": salt(lambda size: size + 1),
    "a salt as long as a SHA-1 digest": salt(lambda size: 20),
    "the longest salt": salt(lambda size: LENGTH - size - 2),
    "SHA-1 for the mask": encoded(mask_name="sha1"),
    "another hash for the mask": lambda m, bits: pss(m, BITS, f"sha{bits}", mask_name=other_hash(bits)),
    "another hash for the message": lambda m, bits: pss(
        m, BITS, other_hash(bits), mask_name=f"sha{bits}", salt_length=SIZES[bits]
    ),
    "another hash for everything": lambda m, bits: pss(m, BITS, other_hash(bits)),
    "another hash for everything but the salt": lambda m, bits: pss(
        m, BITS, other_hash(bits), salt_length=SIZES[bits]
    ),
    "SHA-1 for everything": lambda m, bits: pss(m, BITS, "sha1"),
    "SHA-3": lambda m, bits: pss(m, BITS, f"sha3_{bits}"),
    "the digest of a digest": lambda m, bits: pss(hashed(f"sha{bits}", m), BITS, f"sha{bits}"),
    "the digest of nothing": lambda m, bits: pss(b"", BITS, f"sha{bits}"),
    "the message of another token": lambda m, bits: pss(m[:-1], BITS, f"sha{bits}"),
    "a trailer of cc": encoded(trailer=b"\xcc"),
    "a trailer of two bytes": encoded(trailer=b"\x33\xcc"),
    "a trailer of bd": encoded(trailer=b"\xbd"),
    "a trailer of zero": encoded(trailer=b"\x00"),
    "no trailer": encoded(trailer=b""),
    "a separator of zero": encoded(separator=b"\x00"),
    "a separator of two": encoded(separator=b"\x02"),
    "no separator": encoded(separator=b""),
    "padding of ones": encoded(filler=b"\x01"),
    "padding of ff": encoded(filler=b"\xff"),
    "seven zeros before the digest": encoded(zeros=bytes(7)),
    "nothing before the digest": encoded(zeros=b""),
    "one bit of the padding": changed(20),
    "one bit of the salt": lambda m, bits: changed(LENGTH - SIZES[bits] - 2)(m, bits),
    "the last bit of the digest": changed(LENGTH - 2),
    "the first bit of the digest": lambda m, bits: changed(LENGTH - SIZES[bits] - 1, 0x80)(m, bits),
    "PKCS1-v1_5": lambda m, bits: rsa_key().pkcs1(f"RS{bits}", m),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encoding(world, message, right, bits, name):
    refuses(world, message, rsa_key().sign(ENCODINGS[name](message.encode(), bits)), right)


def refuses(world, message, defective, right):
    world.refuses(token_of(message, defective), "signature_invalid", beside=token_of(message, right))


def test_a_first_bit_that_is_not_zero(world, message, right, bits):
    """There is one bit less in the encoding than in the modulus."""
    while True:
        block = pss(message.encode(), BITS, f"sha{bits}", top_bits=0x80)
        if int.from_bytes(block, "big") < rsa_key().modulus:
            return refuses(world, message, rsa_key().sign(block), right)


# What is made of a right signature, and of the modulus.
SIGNATURES = {
    "zero": lambda s, n: bytes(LENGTH),
    "one": lambda s, n: (1).to_bytes(LENGTH, "big"),
    "the modulus less one": lambda s, n: (n - 1).to_bytes(LENGTH, "big"),
    "the modulus": lambda s, n: n.to_bytes(LENGTH, "big"),
    "the other sign": lambda s, n: (n - int.from_bytes(s, "big")).to_bytes(LENGTH, "big"),
    "the modulus added": lambda s, n: octets(int.from_bytes(s, "big") + n),
    "a zero before": lambda s, n: b"\x00" + s,
    "a zero after": lambda s, n: s + b"\x00",
    "without its last byte": lambda s, n: s[:-1],
    "without its first byte": lambda s, n: s[1:],
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature(world, message, right, name):
    refuses(world, message, SIGNATURES[name](right, rsa_key().modulus), right)


@pytest.mark.parametrize("size", [2049, 2055, 2056, 3072])
def test_a_modulus_of_odd_length(world, size, bits):
    """With one bit more than whole octets, the encoding is one octet shorter than the modulus."""
    key = rsa_key(size)
    assert key.modulus.bit_length() == size
    url = world.issuer(key.jwk())
    message = message_of(f"PS{bits}", url)
    sound = token_of(message, key.sign(pss(message.encode(), size, f"sha{bits}")))
    defective = token_of(message, key.sign(pss(message.encode(), size, f"sha{bits}", trailer=b"\xcc")))
    world.refuses(defective, "signature_invalid", beside=sound)
