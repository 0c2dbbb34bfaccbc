"""Rules A9 and K4: which key of a set is meant, and what is a set."""

import json

import pytest
from curves import EdwardsKey
from harness import encode
from issuer import claims_of
from jws import EcKey, ec_key, token_of
from raw_rsa import RsaKey, rsa_key


def test_two_keys_of_one_id(world):
    """None is tried after the other."""
    for keys in [(EcKey(), EcKey()), (rsa_key(), RsaKey.generate()), (EdwardsKey(), EdwardsKey())]:
        beside = ec_key("ES384")
        url = world.issuer(keys[0].jwk("two"), beside.jwk(), keys[1].jwk("two"))
        assert [world.reason(key.token(url, "two")) for key in keys] == ["key_ambiguous"] * 2
        assert world.reason(beside.token(url)) is None


def test_one_key_twice(world):
    for key in [EcKey(), rsa_key(), EdwardsKey()]:
        url = world.issuer(key.jwk(), key.jwk(), key.jwk(use="sig", x5t="x"))
        assert world.reason(key.token(url)) is None


def test_keys_of_several_kinds_under_one_id(world):
    """The algorithm, which each key is bound to (rule A2), leaves one."""
    keys = [EcKey("ES256"), EcKey("ES384"), EcKey("ES512"), rsa_key(), EdwardsKey()]
    url = world.issuer(*(key.jwk("same") for key in keys))
    assert [world.reason(key.token(url, "same")) for key in keys] == [None] * len(keys)


def test_keys_of_one_kind_under_one_id_with_an_algorithm_each(world):
    first, second = rsa_key(), RsaKey.generate()
    url = world.issuer(first.jwk("same", alg="RS256"), second.jwk("same", alg="RS384"))
    assert world.reason(first.token(url, "same")) is None
    assert world.reason(second.token(url, "same")) == "signature_invalid"
    assert world.reason(second.token(url, "same", "RS384")) is None
    assert world.reason(second.token(url, "same", "RS512")) == "key_mismatch"


def test_a_key_that_is_not_used_makes_nothing_ambiguous(world):
    key, other = EcKey(), EcKey()
    url = world.issuer(other.jwk(use="enc"), key.jwk(), other.jwk(key_ops=[]), key.jwk(y="AA"), other.jwk(alg="RS256"))
    assert world.reason(key.token(url)) is None
    assert world.reason(other.token(url)) == "signature_invalid"


def without_key_id(key, url):
    message = f"{encode({'alg': key.algorithm})}.{encode(claims_of(url))}"
    return token_of(message, key.sign(message))


def test_a_token_without_key_id(world):
    """It is verified where one key fits its algorithm, with that key alone."""
    key, other = EcKey(), EcKey()
    url = world.issuer(key.jwk("one"), ec_key("ES384").jwk("two"), rsa_key().jwk("three"))
    assert world.reason(without_key_id(key, url)) is None
    assert world.reason(without_key_id(other, url)) == "signature_invalid"
    url = world.issuer(key.jwk("one"), other.jwk("two"))
    assert [world.reason(without_key_id(each, url)) for each in (key, other)] == ["key_ambiguous"] * 2
    assert [world.reason(each.token(url, name)) for each, name in ((key, "one"), (other, "two"))] == [None, None]
    url = world.issuer(key.jwk("one"), other.jwk("two", use="enc"))
    assert world.reason(without_key_id(key, url)) is None


def test_a_key_without_key_id(world):
    key = EcKey()
    nameless = {name: value for name, value in key.jwk().items() if name != "kid"}
    url = world.issuer(nameless)
    assert world.reason(without_key_id(key, url)) is None
    assert [world.reason(key.token(url, name)) for name in ("good", "", "null")] == ["key_not_found"] * 3
    url = world.issuer(nameless | {"kid": 7}, ec_key("ES384").jwk())
    assert world.reason(key.token(url, "7")) == "key_not_found"
    assert world.reason(ec_key("ES384").token(url)) is None


@pytest.mark.parametrize("key_id", ["\u00e9", "", " ", "a" * 1000, "\u0000", "../keys", "\U0001f511", '"', "null"])
def test_a_key_id_is_compared_exactly(world, key_id):
    """Whatever it is, it names one key."""
    key = EcKey()
    url = world.issuer(key.jwk(key_id), EcKey().jwk(key_id + "\u0301"), EcKey().jwk(key_id + " "))
    assert world.reason(key.token(url, key_id)) is None
    assert world.reason(key.token(url, key_id + "\0")) == "key_not_found"
    assert world.reason(key.token(url, key_id + "\u0301")) == "signature_invalid"


@pytest.mark.parametrize("member", ["kty", "kid", "crv", "x", "y", "use", "alg", "key_ops"])
def test_a_member_of_a_key_twice(world, member):
    """Two readers could read two keys."""
    key = EcKey()
    jwk = key.jwk("twice", use="sig", alg="ES256", key_ops=["verify"])
    text = json.dumps(jwk)[:-1] + f', "{member}": {json.dumps(jwk[member])}}}'
    assert json.loads(text) == jwk
    url = world.issuer()
    world.publish_text(url, f'{{"keys": [{text}, {json.dumps(ec_key().jwk())}]}}')
    assert world.reason(key.token(url, "twice")) == "key_not_found"
    assert world.reason(ec_key().token(url)) is None


# Documents, each beside one that is a set. `@` is the key.
DOCUMENTS = {
    "an array": ("[@]", '{"keys":[@]}'),
    "a key": ("@", '{"keys":[@]}'),
    "keys as an object": ('{"keys":{"good":@}}', '{"keys":[@],"good":@}'),
    "keys as a string": ('{"keys":"@"}', '{"keys":[@]}'),
    "keys as null": ('{"keys":null}', '{"keys":[null,@]}'),
    "no keys": ('{"keys":[]}', '{"keys":[{},@]}'),
    "the name in upper case": ('{"KEYS":[@]}', '{"KEYS":[],"keys":[@]}'),
    "keys twice": ('{"keys":[@],"keys":[@]}', '{"keys":[@,@]}'),
    "a set inside a set": ('{"keys":[{"keys":[@]}]}', '{"x":{"keys":[]},"keys":[@]}'),
    "a set in an array": ('[{"keys":[@]}]', ' {"keys":[@]} '),
    "another document after": ('{"keys":[@]}{}', '{"keys":[@]}\n'),
    "half a document": ('{"keys":[@', '{"keys":[@]}'),
    "a byte order mark": ('\ufeff{"keys":[@]}', '{"keys":[@]}'),
    "UTF-16": ('{"keys":[@]}'.encode("utf-16"), '{"keys":[@]}'),
    "invalid UTF-8": (b'{"keys":[@],"x":"\xff"}', b'{"keys":[@],"x":"\xc3\xbf"}'),
    "a comma at the end": ('{"keys":[@,]}', '{"keys":[@]}'),
    "nothing": ("", '{"keys":[@]}'),
    "HTML": ("<!doctype html><script>@</script>", '{"keys":[@],"html":"<html>"}'),
    "101 keys": ('{"keys":[' + "@," * 100 + "@]}", '{"keys":[' + "@," * 99 + "@]}"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(world, name):
    """What is no set is an outage: the caller is not refused, and not let in."""
    key = ec_key()
    urls = []
    for text in DOCUMENTS[name]:
        url = world.issuer()
        raw = text if isinstance(text, bytes) else text.encode()
        world.publish_text(url, raw.replace(b"@", json.dumps(key.jwk()).encode()))
        urls.append(url)
    assert world.reason(key.token(urls[1])) is None
    answer, reason = world.ask(key.token(urls[0]))
    assert answer.is_error and reason == "key_set_unavailable"
