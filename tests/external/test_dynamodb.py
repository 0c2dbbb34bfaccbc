"""API keys in DynamoDB as others have built it: made by the tool, looked up by the function."""

import base64
import concurrent.futures
import contextlib
import json
import os
import re
import subprocess
import time

import boto3
import pytest
from aws import dynalite, moto
from dpop import URL, Client, request
from harness import PATIENCE, REPOSITORY, assert_no_secrets, refusal, request_event, running_function, token_event, wait_for
from issuer import configured

RULES = """
    lifetime_seconds = 1
    negative_lifetime_seconds = 0

    [[rule]]
    name = "read orders"
    routes = ["GET /orders"]
    requires = { credential = "api_key", scope = "orders:read" }

    [response]
    usage_identifier_key = "usage_plan_key"
    context = { tenant = "tenant", key = "client_id" }
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with moto(tmp_path_factory.mktemp("moto")) as aws:
        yield aws


@pytest.fixture(scope="module", params=[moto, dynalite])
def dynamodb(tmp_path_factory, request):
    with request.param(tmp_path_factory.mktemp("dynamodb")) as dynamodb:
        yield dynamodb


class Tool:
    """`authorizer`, beside a configuration."""

    def __init__(self, cli, directory, configuration, identity):
        self.environment = configured(directory, configuration)
        self.command = [cli]
        self.file = self.environment["AUTHORIZER_CONFIG_FILE"]
        self.identity = identity
        self.said = ""

    def run(self, *words, status=0, typed=None):
        environment = {"PATH": os.environ["PATH"]} | self.identity
        finished = subprocess.run(
            [*self.command, *words, "--config", self.file], env=environment, capture_output=True, text=True, timeout=60, input=typed
        )
        assert finished.returncode == status, finished.stderr
        self.said += finished.stderr
        return finished

    def create(self, *words):
        text = self.run("keys", "create", "--owner", "acme", *words, "--create-table").stdout.strip()
        assert re.fullmatch(r"orders_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}", text)
        return text

    def create_table(self):
        """As a by-product of a user whom nobody asks for."""
        self.run("keys", "create-user", "--name", "x", "--expires-in", "1", "--create-table", "--replace")


def identity_of(key):
    return key.split("_")[1]


def ask(function, key):
    """The answer to a bearer of the key, of which only the ID may be found in what is written."""
    function.secrets.append(key.split("_")[-1])
    return function.invoke(token_event(f"Bearer {key}"))


def reason(function, key):
    """`None` where the request is allowed."""
    answer = ask(function, key)
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


@pytest.fixture
def tool(cli, dynamodb, tmp_path):
    tool = Tool(cli, tmp_path / "configured", dynamodb.configuration(RULES), dynamodb.identity)
    yield tool
    assert_no_secrets([dynamodb.identity["AWS_SECRET_ACCESS_KEY"]], tool.said)


@pytest.fixture
def function(featured, dynamodb, tool, tmp_path):
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        yield function
        assert_no_secrets([dynamodb.identity["AWS_SECRET_ACCESS_KEY"]], function.output())


def test_a_key_that_the_tool_made_lets_its_owner_in(tool, function):
    key = tool.create(
        *("--scope", "orders:read", "--scope", "orders:write", "--expires-in", "30"),
        *("--attribute", "tenant=t1", "--usage-plan-key", "the-plans-key"),
    )
    answer = ask(function, key)
    assert answer.effect == "Allow"
    assert answer.body["principalId"] == "acme"
    assert answer.body["usageIdentifierKey"] == "the-plans-key"
    assert answer.body["context"] == {"tenant": "t1", "key": identity_of(key)}
    record = function.record(answer)
    assert (record["issuer"], record["key_id"]) == ("api-keys", identity_of(key))
    assert_no_secrets([key.split("_")[2]], tool.said)
    assert reason(function, tool.create("--expires-in", "never")) == "insufficient_scope"
    assert tool.create("--expires-in", "1") != tool.create("--expires-in", "1")


def test_a_key_that_nobody_made_is_refused(tool, function):
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    assert reason(function, key[:-1] + ("A" if key[-1] != "A" else "B")) == "api_key_malformed"
    assert reason(function, key[:-10]) == "api_key_malformed"
    assert reason(function, f"others{key[6:]}") == "token_malformed"
    assert reason(function, f"{key}, {key}") == "credential_ambiguous"
    other = tool.create("--scope", "orders:read", "--expires-in", "30", "--attribute", "tenant=t2")
    tool.run("keys", "disable", identity_of(other))
    assert reason(function, other) == "api_key_disabled"
    assert reason(function, key) is None


def test_a_disabled_key_is_refused_until_it_is_enabled(tool, function):
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    assert reason(function, key) is None
    tool.run("keys", "disable", identity_of(key))
    wait_for(lambda: reason(function, key) == "api_key_disabled", "the end of what is known")
    tool.run("keys", "enable", identity_of(key))
    assert reason(function, key) is None
    unknown = tool.run("keys", "disable", "a" * 16, status=1)
    assert "there is no key" in unknown.stderr
    whole = tool.run("keys", "disable", key, status=3)
    assert_no_secrets([key.split("_")[-1]], whole.stderr)


def test_keys_are_listed_and_nothing_secret_of_them(tool, dynamodb):
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    tool.run("keys", "disable", identity_of(key))
    tool.create_table()
    # More than one page of them.
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynamodb.url,
        region_name="eu-central-1",
        aws_access_key_id=dynamodb.identity["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=dynamodb.identity["AWS_SECRET_ACCESS_KEY"],
    )
    names = [f"many{number:012}" for number in range(230)]
    for start in range(0, len(names), 25):
        items = [{"pk": {"S": f"key#{name}"}, "owner": {"S": "zoo"}} for name in names[start : start + 25]]
        client.batch_write_item(RequestItems={"authorizer": [{"PutRequest": {"Item": item}} for item in items]})
    listed = json.loads(tool.run("keys", "list", "--format", "json").stdout)
    assert [entry["id"] for entry in listed if entry["owner"] == "zoo"] == names
    [own] = [entry for entry in listed if entry["id"] == identity_of(key)]
    assert (own["owner"], own["state"], own["scopes"]) == ("acme", "disabled", ["orders:read"])
    assert own["expires_at"] - own["created_at"] == 30 * 86_400
    table = tool.run("keys", "list").stdout
    assert re.search(rf"^{identity_of(key)} +acme +disabled +\d{{4}}-\d\d-\d\d +orders:read$", table, re.MULTILINE)
    users = json.loads(tool.run("keys", "list", "--users", "--format", "json").stdout)
    assert "x" in [entry["id"] for entry in users] and identity_of(key) not in str(users)
    for printed in [json.dumps(listed), table, json.dumps(users)]:
        assert "hash" not in printed and "salt" not in printed and key.split("_")[-1] not in printed


def test_a_key_of_another_pepper_is_unknown(cli, featured, dynamodb, tmp_path):
    pepper = "a-secret-that-is-in-no-table-of-anybody"
    peppered = dynamodb.configuration(f'pepper = "{pepper}"\n{RULES}')
    plain = Tool(cli, tmp_path / "plain", dynamodb.configuration(RULES), dynamodb.identity)
    tool = Tool(cli, tmp_path / "peppered", peppered, dynamodb.identity)
    of_plain, of_pepper = (tool.create("--scope", "orders:read", "--expires-in", "30") for tool in (plain, tool))
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        assert reason(function, of_pepper) is None
        assert reason(function, of_plain) == "api_key_unknown"
        assert_no_secrets([pepper], function.output())


def test_a_key_may_come_alone_in_a_header(cli, featured, dynamodb, tmp_path):
    source = '[[identity_source]]\nfrom = "header"\nname = "x-api-key"\nscheme = "none"\n'
    tool = Tool(cli, tmp_path / "configured", dynamodb.configuration(RULES) + source, dynamodb.identity)
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        function.secrets.append(key.split("_")[-1])
        assert function.invoke(request_event({"X-Api-Key": key})).effect == "Allow"
        bearer = function.invoke(request_event({"Authorization": f"Bearer {key}"}))
        assert function.record(bearer)["reason"] == "credential_missing"


def faulty(function, key):
    answer = ask(function, key)
    record = function.record(answer)
    assert answer.is_error and (record["decision"], record["reason"]) == ("fault", "table_unavailable")
    return record["detail"]


def test_the_signature_and_the_right_to_read_are_what_the_service_asks_for(cli, featured, aws, tmp_path):
    aws.lets_everybody_in()
    tool = Tool(cli, tmp_path / "configured", aws.configuration(RULES), aws.identity)
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    reader, writer = aws.who_may("dynamodb:GetItem"), aws.who_may("dynamodb:PutItem")
    forger = reader | {"AWS_SECRET_ACCESS_KEY": "another-secret-of-the-same-length-as-is"}
    cases = {"reader": (reader, None), "writer": (writer, "denied|status 403"), "forger": (forger, "refused|status 403")}
    for name, (identity, expected) in cases.items():
        (tmp_path / name).mkdir()
        with running_function(featured, tmp_path / name, tool.environment | identity) as function:
            if expected is None:
                assert reason(function, key) is None, function.output()
            else:
                assert re.search(expected, faulty(function, key))
            assert_no_secrets([identity["AWS_SECRET_ACCESS_KEY"]], function.output())
    # As the template lets the function do no more, the tool cannot make keys with its rights.
    tool.identity = reader
    refused = tool.run("keys", "create", "--owner", "acme", "--expires-in", "1", status=1)
    assert re.search("access is denied|status 403", refused.stderr)
    aws.lets_everybody_in()


def test_a_table_that_is_not_there_is_a_fault(featured, dynamodb, cli, tmp_path):
    tool = Tool(cli, tmp_path / "configured", dynamodb.configuration(RULES), dynamodb.identity)
    key = tool.create("--scope", "orders:read", "--expires-in", "30")
    missing = dynamodb.configuration(RULES).replace('"authorizer"', '"nobody-made-it"')
    (tmp_path / "function").mkdir()
    environment = configured(tmp_path / "missing", missing) | dynamodb.identity
    with running_function(featured, tmp_path / "function", environment) as function:
        assert "there is no such table" in faulty(function, key)
    refused = Tool(cli, tmp_path / "missing", missing, dynamodb.identity)
    hint = refused.run("keys", "create", "--owner", "acme", "--expires-in", "1", status=1).stderr
    assert "hint: `--create-table`" in hint


def test_dynamodb_that_is_gone_is_a_fault_and_what_is_known_still_serves(cli, featured, tmp_path):
    (tmp_path / "dynalite").mkdir()
    with dynalite(tmp_path / "dynalite") as dynamodb:
        configuration = dynamodb.configuration(RULES.replace("lifetime_seconds = 1", "lifetime_seconds = 60"))
        tool = Tool(cli, tmp_path / "configured", configuration, dynamodb.identity)
        known, unknown = (tool.create("--scope", "orders:read", "--expires-in", "30") for _ in range(2))
        (tmp_path / "function").mkdir()
        environment = tool.environment | dynamodb.identity
        started = running_function(featured, tmp_path / "function", environment)
        function = started.__enter__()
        assert reason(function, known) is None
    try:
        assert reason(function, known) is None
        assert "refused" in faulty(function, unknown)
        before = time.monotonic()
        faulty(function, unknown)
        assert time.monotonic() - before < 1
    finally:
        started.__exit__(None, None, None)


def test_a_function_that_is_built_without_it_says_so(binary, dynamodb, tmp_path):
    detail = refusal(binary, configured(tmp_path / "configured", dynamodb.configuration()))
    assert "this function is built without what it needs" in detail and "FEATURES=dynamodb" in detail


def test_the_commands_of_the_page_do_what_they_say(cli, featured, dynamodb, tmp_path):
    """docs/api-keys.md: its configuration, its commands, its request."""
    page = (REPOSITORY / "docs" / "api-keys.md").read_text(encoding="utf-8")
    [configuration, *_] = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    endpoint = f'[dynamodb]\nendpoint = "{dynamodb.url}"'
    configuration = "development = true\n" + configuration.replace("[dynamodb]", endpoint)
    environment = configured(tmp_path, configuration)
    [block, *_] = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    commands = [line for line in block.splitlines() if line.startswith("KEY=$(authorizer ")]
    assert len(commands) == 1
    script = f'{commands[0]}\nprintf %s "$KEY"'
    path = f"{cli.parent}:{os.environ['PATH']}"
    made = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path,
        env=dynamodb.identity | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert made.returncode == 0, made.stderr
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", environment | dynamodb.identity) as function:
        function.secrets.append(made.stdout.split("_")[-1])
        answer = function.invoke(request_event({"x-api-key": made.stdout}))
        assert function.record(answer)["decision"] == "allow", function.output()


BASIC = """
    [basic]
    iterations = 100000
    lifetime_seconds = 1
    negative_lifetime_seconds = 0
    failures = 3
    pause_seconds = 2

    [[rule]]
    name = "read orders"
    routes = ["GET /orders"]
    requires = { credential = "basic", scope = "orders:read" }
"""


def as_basic(function, name, password):
    """The reason for which they are refused; `None` where they are let in."""
    credential = base64.b64encode(f"{name}:{password}".encode()).decode()
    function.secrets += [credential, password]
    answer = function.invoke(token_event(f"Basic {credential}"))
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


def test_a_user_that_the_tool_wrote_is_let_in_with_his_password(cli, featured, dynamodb, tmp_path):
    configuration = dynamodb.configuration().replace('[api_keys]\n            prefix = "orders"', "") + BASIC
    tool = Tool(cli, tmp_path / "configured", configuration, dynamodb.identity)
    create = ("keys", "create-user", "--scope", "orders:read", "--expires-in", "30", "--create-table", "--replace")
    password = tool.run(*create, "--name", "alice").stdout.strip()
    assert re.fullmatch("[0-9A-Za-z]{24}", password)
    typed = "a long \u00e4nd: typed password"
    assert tool.run(*create, "--name", "b\u00f6b", "--password-stdin", typed=f"{typed}\n").stdout == ""
    assert "15 characters" in tool.run(*create, "--name", "carol", "--password-stdin", typed="short", status=3).stderr
    again = tool.run("keys", "create-user", "--name", "alice", "--expires-in", "1", status=1)
    assert "there is a `user#alice` already" in again.stderr
    assert_no_secrets([password, typed], tool.said)
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        assert as_basic(function, "alice", password) is None
        assert as_basic(function, "b\u00f6b", typed) is None
        assert as_basic(function, "b\u00f6b", password) == "user_unknown"
        assert as_basic(function, "nobody", password) == "user_unknown"
        tool.run("keys", "disable", "--user", "alice")
        wait_for(lambda: as_basic(function, "alice", password) == "user_disabled", "the end of what is known")
        tool.run("keys", "enable", "--user", "alice")
        assert as_basic(function, "alice", password) is None
        time.sleep(1.1)
        guesses = [as_basic(function, "alice", f"a-guess-that-is-long-{number}") for number in range(5)]
        assert guesses == ["user_unknown"] * 3 + ["basic_throttled"] * 2
        assert as_basic(function, "alice", password) == "basic_throttled"
        wait_for(lambda: as_basic(function, "alice", password) is None, "the end of the pause")


REVOCATION = """
    [dynamodb]
    table = "authorizer"
    endpoint = "{url}"

    [revocation]
    lifetime_seconds = {lifetime}
    {more}
"""


@pytest.mark.parametrize("option", ["--subject", "--client", "--jti", "--all"])
def test_a_token_that_is_revoked_is_refused_after_the_stated_delay(cli, featured, dynamodb, issuer, tmp_path, option):
    more = REVOCATION.format(url=dynamodb.url, lifetime=1, more="")
    tool = Tool(cli, tmp_path / "configured", issuer.configuration(more), dynamodb.identity)
    tool.create_table()
    now, name = int(time.time()), f"of{option.strip('-')}"
    token = issuer.token(sub=name, azp=f"{name}#1", jti=name, iat=now - 5)
    other = issuer.token(sub="another", azp="another", jti="another", iat=now + 5)
    value = {"--subject": name, "--client": f"{name}#1", "--jti": name}.get(option)
    what = ("revoke", "--issuer", issuer.url, option, *([value] if value else []))
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        assert reason_of(function, token) is None
        tool.run(*what, "--days", "7")
        wait_for(lambda: reason_of(function, token) == "token_revoked", "the end of what is known")
        assert reason_of(function, other) is None
        tool.run(*what, "--undo")
        wait_for(lambda: reason_of(function, token) is None, "the end of what is known")


def test_a_subject_may_be_shut_out_for_good(cli, featured, dynamodb, issuer, tmp_path):
    more = REVOCATION.format(url=dynamodb.url, lifetime=0, more="")
    tool = Tool(cli, tmp_path / "configured", issuer.configuration(more), dynamodb.identity)
    tool.create_table()
    to_come = issuer.token(sub="mallory", iat=int(time.time()) + 20)
    mallory = ("revoke", "--issuer", issuer.url, "--subject", "mallory")
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", tool.environment | dynamodb.identity) as function:
        tool.run(*mallory)
        assert reason_of(function, to_come) is None
        tool.run(*mallory, "--entirely")
        assert reason_of(function, to_come) == "token_revoked"


@pytest.mark.parametrize("choice", ["fault", "allow"])
def test_a_deny_list_that_is_not_there_is_a_fault_or_what_the_configuration_says(
    featured, dynamodb, issuer, tmp_path, choice
):
    more = REVOCATION.format(url=dynamodb.url, lifetime=1, more=f'on_outage = "{choice}"')
    more = more.replace('"authorizer"', '"nobody-made-it"')
    environment = configured(tmp_path / "configured", issuer.configuration(more)) | dynamodb.identity
    (tmp_path / "function").mkdir()
    with running_function(featured, tmp_path / "function", environment) as function:
        answer = function.authorize(f"Bearer {issuer.token()}")
        record = function.record(answer)
        if choice == "allow":
            assert answer.effect == "Allow"
            [told] = [line for line in function.records() if line.get("reason") == "table_unavailable"]
            assert (told["level"], "there is no such table" in told["detail"]) == ("ERROR", True)
        else:
            assert (record["decision"], record["reason"]) == ("fault", "table_unavailable")
        forged = function.authorize(f"Bearer {issuer.forged()}")
        assert function.record(forged)["reason"] == "signature_invalid"


def reason_of(function, token):
    """`None` where the request is allowed."""
    answer = function.authorize(f"Bearer {token}")
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


SHARED = """
    [dynamodb]
    table = "authorizer"
    endpoint = "{url}"

    [dpop]
    replays = "table"
"""
POSSESSION = """
    [gateway]
    cache_seconds = 0
"""


def bound(issuer, more):
    """A configuration with proofs of possession."""
    configuration = issuer.configuration(POSSESSION + more)
    return configuration.replace("[[issuer]]", '[[issuer]]\nproof_of_possession = ["dpop"]', 1)


@contextlib.contextmanager
def processes(featured, environment, directory, number=2):
    """As many functions, each with a process of its own."""
    with contextlib.ExitStack() as stack:
        functions = []
        for position in range(number):
            (directory / f"function{position}").mkdir(parents=True)
            started = running_function(featured, directory / f"function{position}", environment)
            functions.append(stack.enter_context(started))
        yield functions


def with_proof(function, token, proof):
    """The reason; `None` where the request is allowed."""
    function.secrets += [token, proof]
    answer = function.invoke(request(f"DPoP {token}", proof))
    record = function.record(answer)
    return None if record["decision"] == "allow" and answer.effect == "Allow" else record["reason"]


def test_a_proof_is_used_once_by_all_who_share_a_table(cli, featured, dynamodb, issuer, tmp_path):
    shared = bound(issuer, SHARED.format(url=dynamodb.url))
    tool = Tool(cli, tmp_path / "configured", shared, dynamodb.identity)
    tool.create_table()
    client = Client("ES256")
    token = issuer.token(cnf={"jkt": client.thumbprint()})
    for configuration, expected in [(shared, "dpop_proof_replayed"), (bound(issuer, ""), None)]:
        directory = tmp_path / str(expected)
        directory.mkdir()
        environment = configured(directory / "configured", configuration) | dynamodb.identity
        proof, another = client.proof("GET", URL, token), client.proof("GET", URL, token)
        with processes(featured, environment, directory) as (one, other):
            assert with_proof(other, token, client.proof("POST", URL, token)) == "dpop_proof_invalid"
            assert with_proof(one, token, proof) is None
            assert with_proof(one, token, proof) == "dpop_proof_replayed"
            assert with_proof(other, token, proof) == expected
            assert with_proof(other, token, another) is None
            assert_no_secrets([dynamodb.identity["AWS_SECRET_ACCESS_KEY"]], one.output() + other.output())


def test_one_of_many_at_once_is_the_first_with_a_proof(cli, featured, dynamodb, issuer, tmp_path):
    tool = Tool(cli, tmp_path / "configured", bound(issuer, SHARED.format(url=dynamodb.url)), dynamodb.identity)
    tool.create_table()
    client = Client("EdDSA")
    token = issuer.token(cnf={"jkt": client.thumbprint()})
    with processes(featured, tool.environment | dynamodb.identity, tmp_path / "many", 4) as functions:
        for _ in range(5):
            proof = client.proof("GET", URL, token)
            with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
                reasons = list(pool.map(lambda function: with_proof(function, token, proof), functions))
            assert sorted(reasons, key=str) == [None] + ["dpop_proof_replayed"] * 3


def test_a_table_that_may_not_be_written_to_is_a_fault(cli, featured, aws, issuer, tmp_path):
    aws.lets_everybody_in()
    tool = Tool(cli, tmp_path / "configured", bound(issuer, SHARED.format(url=aws.url)), aws.identity)
    tool.create_table()
    client = Client("ES256")
    token = issuer.token(cnf={"jkt": client.thumbprint()})
    cases = {"dynamodb:PutItem": None, "dynamodb:GetItem": "table_unavailable"}
    identities = {action: aws.who_may(action) for action in cases}
    for action, expected in cases.items():
        with processes(featured, tool.environment | identities[action], tmp_path / action, 1) as (function,):
            proof = client.proof("GET", URL, token)
            assert with_proof(function, token, proof) == expected, function.output()
            # Without a proof there is nothing to be written.
            assert reason_of(function, issuer.token()) is None
    aws.lets_everybody_in()
