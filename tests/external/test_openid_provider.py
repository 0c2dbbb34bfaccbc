"""A real OpenID provider as the issuer behind `authorizer gateway`."""

import contextlib
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from gateways import answer_of, local_gateway
from harness import assert_no_secrets, wait_for, with_flipped_signature_bit
from issuer import AUDIENCE, configured
from openid_provider import openid_provider

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
COOLDOWN = 1
CONFIGURATION = """
development = true
response.refusal = "unauthorized"
key_set.cooldown_seconds = {cooldown}

[[issuer]]
url      = "{url}"
audience = "{audience}"
profile  = "rfc9068"

[[rule]]
name     = "read orders"
routes   = ["GET /orders"]
requires = {{ scope = "orders:read" }}
"""
# Where the decision is made: in one process of its own that takes one event at a time, as on Lambda, or in the
# gateway's, which takes many.
DECIDED = ["function", "library"]


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with openid_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(scope="module")
def ask(binary, cli, provider, tmp_path_factory):
    """What the gateways answer to `GET /orders` with a token: status and text. Nothing is cached."""
    directory = tmp_path_factory.mktemp("gateways")
    text = CONFIGURATION.format(url=provider.url, audience=AUDIENCE, cooldown=COOLDOWN)
    environment = configured(directory / "configured", text)
    options = {"function": ["--function", binary], "library": []}
    options = {name: [*more, "--route", "GET /orders", "--cache-seconds", "0"] for name, more in options.items()}
    sent = []
    with contextlib.ExitStack() as stack:
        gateways = {
            name: stack.enter_context(local_gateway(cli, directory / name, environment, *options[name]))
            for name in DECIDED
        }

        def ask(decided, token):
            sent.append(token)
            [port] = gateways[decided]
            return answer_of(port, "GET", "/orders", [("Authorization", f"Bearer {token}")])

        yield ask
    written = "".join((directory / name / "stderr").read_text() for name in DECIDED)
    assert_no_secrets(sent, written)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("decided", DECIDED)
def test_client_credentials(provider, ask, decided, algorithm):
    token = provider.client_credentials(algorithm, AUDIENCE)
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == (algorithm, "at+jwt")
    assert_allowed(ask(decided, token), "shop")

    assert ask(decided, with_flipped_signature_bit(token))[0] == 401
    assert ask(decided, provider.client_credentials(algorithm, "billing-api"))[0] == 401
    assert ask(decided, provider.client_credentials(algorithm, AUDIENCE, scope=""))[0] == 403


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("decided", DECIDED)
def test_authorization_code(provider, ask, decided, algorithm):
    tokens = provider.authorization_code("alice", algorithm, AUDIENCE)
    assert jwt.get_unverified_header(tokens["access_token"])["alg"] == algorithm
    assert_allowed(ask(decided, tokens["access_token"]), "alice")

    assert ask(decided, with_flipped_signature_bit(tokens["access_token"]))[0] == 401
    # Signed with the same keys.
    assert ask(decided, tokens["id_token"])[0] == 401
    unscoped = provider.authorization_code("alice", algorithm, AUDIENCE, scope="openid")
    assert ask(decided, unscoped["access_token"])[0] == 403


def test_an_opaque_token_is_refused(provider, ask):
    """What this provider gives out where no resource is named."""
    token = provider.tokens(grant_type="client_credentials", scope="orders:read")["access_token"]
    assert "." not in token
    assert [ask(decided, token)[0] for decided in DECIDED] == [401, 401]


def test_keys_are_rotated_while_requests_run(provider, ask):
    with Callers(provider, ask) as callers:
        first = tokens_of("first", provider)
        callers.tokens = first
        callers.go_on()
        fetches = provider.fetches()

        cool_down()
        provider.rotate("second", "first")
        callers.go_on()
        second = tokens_of("second", provider)
        # No caller has one of the first any more when their keys are removed.
        callers.tokens = second
        callers.go_on()

        cool_down()
        provider.rotate("third", "second")
        callers.go_on()
        third = tokens_of("third", provider)
        # Once for each generation, however many asked for it at the same time.
        assert provider.fetches() - fetches == 2 * len(DECIDED)
        for decided in DECIDED:
            assert [ask(decided, token)[0] for token in second + third] == [200] * len(second + third)
            assert [ask(decided, token)[0] for token in first] == [401] * len(first)
        callers.go_on()
    assert callers.refused == []


class Callers:
    """Clients that ask without a pause, two at a time, with new tokens and with those of `tokens`."""

    def __init__(self, provider, ask):
        self.provider = provider
        self.ask = ask
        self.tokens = []
        self.refused = []
        self.rounds = [0] * 2 * len(DECIDED)
        self.is_over = threading.Event()
        self.pool = ThreadPoolExecutor(len(self.rounds))

    def __enter__(self):
        self.ends = [self.pool.submit(self.call, place) for place in range(len(self.rounds))]
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.pool.shutdown()

    def call(self, place):
        decided = DECIDED[place % len(DECIDED)]
        for algorithm in itertools.cycle(ALGORITHMS):
            if self.is_over.is_set():
                return
            tokens = [*self.tokens, self.provider.client_credentials(algorithm, AUDIENCE)]
            for token in tokens:
                status, _ = self.ask(decided, token)
                if status != 200:
                    self.refused.append((decided, jwt.get_unverified_header(token), status))
            self.rounds[place] += 1

    def go_on(self):
        """Until each has taken what there is now into its hands, and used all of it."""
        before = list(self.rounds)

        def have_gone_on():
            for end in self.ends:
                # It has an end only by an error, which this raises.
                assert not end.done(), end.result()
            # The round that is under way began before.
            return all(now >= then + 2 for now, then in zip(self.rounds, before, strict=True))

        wait_for(have_gone_on, "two rounds of every caller")


def tokens_of(generation, provider):
    tokens = [provider.client_credentials(algorithm, AUDIENCE) for algorithm in ALGORITHMS]
    assert all(jwt.get_unverified_header(token)["kid"].endswith(f"-{generation}") for token in tokens)
    return tokens


def cool_down():
    """Sooner than that after a fetch, a key that is not known is not asked for."""
    begin = time.monotonic()
    wait_for(lambda: time.monotonic() > begin + COOLDOWN, "the cool-down")


def assert_allowed(answer, principal):
    status, text = answer
    assert status == 200, text
    assert json.loads(text)["authorizer"]["principalId"] == principal
