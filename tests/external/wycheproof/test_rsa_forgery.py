"""Rule A5: with an exponent of three and a padding that is not compared whole, no private key is needed.

The exponent is allowed (rule A4), so what keeps these out is the comparison alone.
"""

import pytest
from jws import message_of, token_of
from raw_rsa import (
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    OIDS,
    cube_root,
    cube_root_of_the_end,
    der,
    digest_info,
    hashed,
    rsa_key,
)

KEY = rsa_key(exponent=3)
LENGTH = 256
START = b"\x00\x01" + b"\xff" * 8


@pytest.fixture(scope="module")
def message(world):
    """With an odd digest, for only odd numbers are the end of a cube."""
    url = world.issuer(KEY.jwk())
    attempt = 0
    while True:
        message = message_of("RS256", url, jti=str(attempt))
        if hashed("sha256", message)[-1] % 2:
            return message
        attempt += 1


def number(octets):
    return int.from_bytes(octets, "big")


def refuses(world, message, forged):
    signature, right = forged.to_bytes(LENGTH, "big"), KEY.sign_pkcs1(message)
    world.refuses(token_of(message, signature), "signature_invalid", beside=token_of(message, right))


@pytest.mark.parametrize("count", [0, 1, 8])
def test_garbage_at_the_end(world, message, count):
    """CVE-2006-4339: the cube begins with so much padding and the digest."""
    start = b"\x00\x01" + b"\xff" * count + b"\x00" + digest_info("sha256", hashed("sha256", message))
    forged = cube_root(number(start.ljust(LENGTH, b"\xff")))
    assert (forged**3).to_bytes(LENGTH, "big").startswith(start)
    refuses(world, message, forged)


def test_garbage_in_the_padding(world, message):
    """CVE-2016-1494 and BERserk: the cube begins with some padding and ends in the digest."""
    end = b"\x00" + digest_info("sha256", hashed("sha256", message))
    refuses(world, message, cube_between(START + b"\xff" * 8, end))


def test_garbage_in_the_parameters(world, message):
    """CVE-2006-4790: the garbage is in an OCTET STRING where NULL belongs, and every length is right."""
    end = der(OCTET_STRING, hashed("sha256", message))
    oid = der(OBJECT_IDENTIFIER, bytes.fromhex(OIDS["sha256"]))
    # A tag and a length in two bytes, for the whole, for the algorithm and for the parameters.
    garbage = LENGTH - len(START) - 1 - 3 - 3 - len(oid) - 3 - len(end)
    parameters = b"\x04\x81" + bytes([garbage])
    algorithm = b"\x30\x81" + bytes([len(oid) + len(parameters) + garbage]) + oid + parameters
    start = START + b"\x00\x30\x81" + bytes([len(algorithm) + garbage + len(end)]) + algorithm
    assert len(start) + garbage + len(end) == LENGTH
    refuses(world, message, cube_between(start, end))


def cube_between(start, end):
    """A number whose cube begins and ends like this, with anything between."""
    bits = 8 * len(end)
    # Not at the edge: the lower half of the root is about to be another.
    upper = cube_root(number(start.ljust(LENGTH, b"\x80")))
    forged = upper >> bits << bits | cube_root_of_the_end(number(end), bits)
    cube = (forged**3).to_bytes(LENGTH, "big")
    assert cube.startswith(start) and cube.endswith(end)
    return forged
