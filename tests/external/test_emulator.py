"""The function under AWS's own runtime interface emulator, as it comes with the SAM command line tool."""

import contextlib
import importlib.util
import json
import os
import platform
import shutil
from pathlib import Path

import pytest
from harness import (
    KeyServer,
    accepts_connections,
    assert_no_secrets,
    free_port,
    post,
    request_event,
    running,
    token_event,
    wait_for,
    with_flipped_signature_bit,
)
from issuer import Issuer

MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class Emulator:
    """One function. Two calls at once crash the emulator: call one at a time."""

    def __init__(self, port, directory):
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.directory = directory
        self.secrets = []
        self.answers = []

    def authorize(self, authorization):
        self.secrets.append(authorization)
        return self.invoke(json.dumps(token_event(authorization)))

    def invoke(self, event):
        """What the function posted, and the `reason` in its log."""
        status, text = post(self.url, event)
        # An error of the function is no error of the call: the body tells.
        assert status == 200, (status, text)
        self.answers.append(text)
        records = wait_for(self.all_records, "the log record")
        return json.loads(text), records[-1].get("reason")

    def all_records(self):
        """The function's log records, once there is one for each answer. They are between the emulator's lines."""
        lines = self.output().rpartition("\n")[0].splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        # Those of a key set belong to no answer.
        records = [record for record in records if "decision" in record]
        return records if len(records) == len(self.answers) else None

    def output(self):
        return "".join((self.directory / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr"))


@pytest.fixture
def emulator(binary, tmp_path):
    """Runs the function with a configuration."""

    @contextlib.contextmanager
    def emulator(configuration):
        package = Path(importlib.util.find_spec("samcli").origin).parent
        # What is in the package is not executable.
        executable = tmp_path / "aws-lambda-rie"
        shutil.copy(package / "local" / "rapid" / f"aws-lambda-rie-{MACHINES[platform.machine()]}", executable)
        executable.chmod(0o755)
        port = free_port()
        command = [executable, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{free_port()}", binary]
        environment = {"PATH": os.environ["PATH"], "AUTHORIZER_CONFIG": configuration}
        with running(command, tmp_path, environment):
            wait_for(lambda: accepts_connections(port), "the emulator listens")
            started = Emulator(port, tmp_path)
            yield started
        assert_no_secrets(started.secrets, started.output() + "".join(started.answers))

    return emulator


def policy(answer):
    [statement] = answer["policyDocument"]["Statement"]
    return answer["principalId"], statement["Effect"]


ALLOWED = ("user-7f1c", "Allow")
REFUSED = ("anonymous", "Deny")


def refused_authorizations(issuer):
    return {
        "token_expired": f"Bearer {issuer.token(exp=1_700_000_000)}",
        "token_not_yet_valid": f"Bearer {issuer.token(nbf=4_000_000_000)}",
        "audience_mismatch": f"Bearer {issuer.token(aud='billing-api')}",
        "issuer_unknown": f"Bearer {issuer.token(iss='https://login.example.org/')}",
        "claim_missing": f"Bearer {issuer.token(exp=None)}",
        "signature_invalid": f"Bearer {issuer.forged()}",
        "token_malformed": "Bearer an-opaque-token-of-somebody-else",
        "credential_malformed": "Basic dXNlci03ZjFjOmNvcnJlY3QgaG9yc2U",
    }


def test_every_kind_of_decision(emulator, issuer):
    with emulator(issuer.configuration()) as function:
        answer, reason = function.authorize(f"Bearer {issuer.token()}")
        assert (policy(answer), reason) == (ALLOWED, None)

        for expected, authorization in refused_authorizations(issuer).items():
            answer, reason = function.authorize(authorization)
            assert (policy(answer), reason) == (REFUSED, expected)
        # A flipped bit, so that the token's claims are those that are allowed.
        answer, reason = function.authorize(f"Bearer {with_flipped_signature_bit(issuer.token())}")
        assert (policy(answer), reason) == (REFUSED, "signature_invalid")
        answer, reason = function.invoke(json.dumps(request_event(headers={})))
        assert (policy(answer), reason) == (REFUSED, "credential_missing")

        answer, reason = function.authorize(f"bearer {issuer.token()}")
        assert (policy(answer), reason) == (ALLOWED, None)


def test_401_mode(emulator, issuer):
    with emulator(issuer.configuration("response.refusal = 'unauthorized'")) as function:
        for expected, authorization in refused_authorizations(issuer).items():
            answer, reason = function.authorize(authorization)
            assert answer["errorMessage"] == "Unauthorized"
            assert reason == expected
        answer, reason = function.invoke(json.dumps(request_event(headers={})))
        assert (answer["errorMessage"], reason) == ("Unauthorized", "credential_missing")

        answer, reason = function.authorize(f"Bearer {issuer.token()}")
        assert (policy(answer), reason) == (ALLOWED, None)


@pytest.mark.parametrize("refusal", ["deny", "unauthorized"])
def test_a_fault_is_no_refusal(emulator, refusal):
    with KeyServer() as key_server:
        issuer = Issuer.start(key_server)
    # Nobody listens there now.
    configuration = issuer.configuration(f"response.refusal = '{refusal}'\nkey_set.cooldown_seconds = 1")
    with emulator(configuration) as function:
        fault = {"errorType": "key_set_unavailable", "errorMessage": "InternalError"}
        answer, reason = function.authorize(f"Bearer {issuer.token()}")
        assert (answer | fault, reason) == (answer, "key_set_unavailable")

        # What needs no key is decided all the same.
        answer, reason = function.authorize("Basic dXNlci03ZjFjOmNvcnJlY3QgaG9yc2U")
        assert reason == "credential_malformed"

        with KeyServer(key_server.port, key_server.documents):
            authorization = f"Bearer {issuer.token()}"
            [answer] = wait_for(lambda: allowed(function, authorization), "the cool-down passes")
            assert policy(answer) == ALLOWED


def allowed(function, authorization):
    answer, reason = function.authorize(authorization)
    assert reason in (None, "key_set_unavailable")
    return [answer] if reason is None else None


def test_a_malformed_event_costs_nothing_but_its_answer(emulator, issuer):
    token = issuer.token()
    with emulator(issuer.configuration()) as function:
        function.secrets.append(token)
        for event in [
            "{}",
            "null",
            f'["TOKEN", "Bearer {token}"]',
            json.dumps(token_event(f"Bearer {token}", method_arn="not an ARN")),
            json.dumps(token_event([f"Bearer {token}"])),
            json.dumps(token_event(f"Bearer {token}") | {"type": "BEARER"}),
        ]:
            answer, reason = function.invoke(event)
            assert (answer["errorMessage"], answer["errorType"]) == ("InternalError", "event_malformed"), event
            assert reason == "event_malformed"
        answer, reason = function.authorize(f"Bearer {token}")
        assert (policy(answer), reason) == (ALLOWED, None)
