"""An issuer of tokens, made with PyJWT."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "orders-api"


class Issuer:
    """Signs with ES256, the cheapest to make keys for."""

    url = "https://login.example.com/"
    key_id = "external-1"

    def __init__(self, jwks_uri, key):
        self.jwks_uri = jwks_uri
        self.key = key
        self.forger = ec.generate_private_key(ec.SECP256R1())

    @classmethod
    def start(cls, key_server):
        key = ec.generate_private_key(ec.SECP256R1())
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return cls(key_server.publish("/keys", [jwk | {"kid": cls.key_id}]), key)

    def named(self, url):
        """Another issuer, with the same key."""
        other = type(self)(self.jwks_uri, self.key)
        other.url = url
        return other

    def token(self, key=None, **changes):
        """A token that is allowed but for the changes; a claim that is `None` is left out."""
        claims = claims_of(self.url) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm="ES256", headers={"kid": self.key_id})

    def bound(self, confirmation):
        """One whose `cnf` is this, `None` included."""
        claims = claims_of(self.url) | {"cnf": confirmation}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.key_id})

    def forged(self, **changes):
        return self.token(self.forger, **changes)

    def configuration(self, more=""):
        return f"""
            development = true
            {more}
            [[issuer]]
            url = "{self.url}"
            audience = "{AUDIENCE}"
            jwks_uri = "{self.jwks_uri}"
        """


def table(issuer, **settings):
    """The issuer in a configuration file, with settings that are strings, or tables of strings."""
    lines = [f"{name} = {toml(value)}" for name, value in {"url": issuer.url, "audience": AUDIENCE, **settings}.items()]
    return "\n".join(["[[issuer]]", *lines, ""])


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {toml(member)}" for name, member in value.items()) + " }"
    return json.dumps(value)


def configured(directory, *tables, **files):
    """The environment of a function with this configuration, and with these PEM files beside it."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / f"{name}.pem").write_text(text)
    file = directory / "authorizer.toml"
    file.write_text("\n".join(tables))
    return {"AUTHORIZER_CONFIG_FILE": str(file)}


def claims_of(url):
    now = int(time.time())
    return {"iss": url, "sub": "user-7f1c", "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300}
