"""Defects in the manner of Wycheproof, each in a token or a key set that would otherwise be allowed.

The families are Wycheproof's, and none of its files is here: its payloads are no claims, so that an authorizer that
denied everything would pass. Here each defect stands beside a neighbour that differs in nothing else and is allowed.

One function answers all of them, with more issuers than they need: each may have a key set of its own.
"""

import itertools
import json
import re

import pytest
from harness import KeyServer, running_function, wait_for
from issuer import AUDIENCE

MOST_ISSUERS = 1500

pytest.register_assert_rewrite("key_sets")


class World:
    """The function, and the issuers that it trusts."""

    def __init__(self, function, key_server):
        self.function = function
        self.key_server = key_server
        self.free = itertools.count()
        self.log = open(function.directory / "stdout", encoding="utf-8")
        self.line = ""
        self.allowed = set()

    def issuer(self, *jwks):
        """The URL of one more issuer, which publishes these keys."""
        number = next(self.free)
        assert number < MOST_ISSUERS
        self.publish(issuer_url(number), *jwks)
        return issuer_url(number)

    def publish(self, url, *jwks):
        """Before its first token is sent: the keys that an issuer publishes."""
        self.publish_text(url, json.dumps({"keys": jwks}))

    def publish_text(self, url, text):
        [number] = re.findall(r"\d+", url)
        self.key_server.documents[f"/{number}"] = text if isinstance(text, bytes) else text.encode()

    def reason(self, token):
        """Why a token is refused, or `None`. Nothing that a caller sends is our fault."""
        answer, reason = self.ask(token)
        assert not answer.is_error, answer.text
        assert answer.effect == ("Deny" if reason else "Allow")
        assert answer.body["principalId"] == ("anonymous" if reason else "user-7f1c")
        return reason

    def ask(self, token):
        answer = self.function.authorize(f"Bearer {token}")
        return answer, self.record(answer).get("reason")

    def record(self, answer):
        """The log record of the latest answer. To read the whole log after each of two thousand would take long."""

        def record():
            # Each issuer's key set has a line of its own, too.
            for line in self.log:
                # Without a line feed it is still being written.
                self.line, line = ("", self.line + line) if line.endswith("\n") else (self.line + line, "")
                if answer.request_id in line:
                    return json.loads(line)
            return None

        return wait_for(record, f"log record of {answer.request_id}")

    def refuses(self, defective, reason, beside):
        """The token is refused for this reason, and its neighbour, which has no defect, is allowed."""
        assert defective != beside
        if beside not in self.allowed:
            assert self.reason(beside) is None, "the neighbour is to be allowed"
            self.allowed.add(beside)
        assert self.reason(defective) == reason, defective


def issuer_url(number):
    return f"https://issuer-{number}.example/"


@pytest.fixture(scope="session")
def world(binary, tmp_path_factory):
    with KeyServer() as key_server:
        configuration = "development = true\n"
        for number in range(MOST_ISSUERS):
            configuration += f"[[issuer]]\nurl = '{issuer_url(number)}'\naudience = '{AUDIENCE}'\n"
            configuration += f"jwks_uri = 'http://{key_server.address}/{number}'\n"
        directory = tmp_path_factory.mktemp("function")
        (directory / "authorizer.toml").write_text(configuration)
        environment = {"AUTHORIZER_CONFIG_FILE": str(directory / "authorizer.toml")}
        with running_function(binary, directory, environment) as function:
            yield World(function, key_server)
