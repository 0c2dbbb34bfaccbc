"""Sets in which a key has a defect."""

from jws import ec_key


def check(world, defective, sound, signer, sound_signer=None, reason="key_not_found", sound_reason=None):
    """In one set: a key with a defect, the same without, and one that has nothing to do with them."""
    url = world.issuer(defective | {"kid": "defective"}, sound | {"kid": "sound"}, ec_key("ES384").jwk())
    assert world.reason((sound_signer or signer).token(url, "sound")) == sound_reason
    assert world.reason(signer.token(url, "defective")) == reason
    assert world.reason(ec_key("ES384").token(url)) is None


def check_alone(world, defective, signer):
    """A set of nothing but this key is an outage, not a reason to take it."""
    url = world.issuer(defective | {"kid": "defective"})
    answer, reason = world.ask(signer.token(url, "defective"))
    assert answer.is_error and reason == "key_set_unavailable"
