"""Every command that README.md prints: run here as it stands there, or accounted for."""

import contextlib
import json
import os
import re
import shlex
import subprocess

import pytest
from harness import REPOSITORY, accepts_connections, assert_no_secrets, post, running, wait_for

WATCH = r"(\w+=\S+ )*cargo lambda watch( .*)?"
INVOKE = r"cargo lambda invoke .*"

# Where a command is run instead, or why it cannot be: no line of README.md goes without one of these.
ELSEWHERE = {
    r"make( help)?": "prints the list of tasks and does nothing",
    r"make run": "`make test` runs it",
    r"make test": "runs this test",
    r"\.ci/run": "runs this test",
    r"make check": "`make test` starts with it",
    r"make build": "the release build: `make package` and `sam build` make one, too",
    r"make gateway|(TOKEN=\$\()?curl .*http://127\.0\.0\.1:9[78]00/.*": "cli/tests/gateway/walkthrough.rs runs it",
    r"make events": "makes new keys and writes them into the repository",
    r"make package": "takes minutes; tests/package looks at how it chooses, and `make package-check` at what it builds",
    r"make deploy|sam deploy.*": "there is no AWS account here",
    r"sam build.*": "takes minutes; the function that it builds is the one that is tested",
    r"curl .*(https://|\$\w*URL).*|(npx )?wscat .*": "the API is there only after `make deploy`",
    r"aws .*": "there is no AWS account here",
    r"git clone .*|cd .*": "has happened, or this test would not be here",
    r"(pip|pipx|pip3) install .*cargo-lambda.*": "tools/requirements.txt has it",
    r"rustup target add .*": "the toolchain is not ours to change",
}
# They must be what the table says of them.
RUN_BY_MAKE_TEST = ["run", "check", "external"]

# What the function makes of each event of events/ under events/authorizer.toml: whether the policy allows what the
# event asks for, or the error; and the reason in the log.
EVENTS = {
    "rest-token.json": (True, None),
    "rest-request.json": (True, None),
    "http-1.0.json": (True, None),
    "http-2.0.json": (True, None),
    "websocket.json": (True, None),
    "websocket-browser.json": (True, None),
    "rest-token-expired.json": ("Unauthorized", "token_expired"),
    "rest-token-wrong-audience.json": ("Unauthorized", "audience_mismatch"),
    "rest-request-forged.json": ("Unauthorized", "signature_invalid"),
    "rest-request-no-token.json": ("Unauthorized", "credential_missing"),
    "http-2.0-insufficient-scope.json": (False, "insufficient_scope"),
    "http-2.0-expired.json": (False, "token_expired"),
    "rest-token-unreachable-issuer.json": ("InternalError", "key_set_unavailable"),
}

# A debug build from nothing, on a machine that does other things as well.
BUILD_PATIENCE = 900


def commands():
    """The commands in the blocks that are marked `sh`, in their order."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    commands = [re.sub(r"(^|\s)#\s.*", "", line).strip() for line in lines]
    return [re.sub(r"\s+", " ", command) for command in commands if command]


def matching(pattern):
    return [command for command in commands() if re.fullmatch(pattern, command)]


def test_every_command_is_accounted_for():
    assert commands(), "README.md has no block that is marked `sh`"
    patterns = [WATCH, INVOKE, *ELSEWHERE]
    unknown = [command for command in commands() if not any(re.fullmatch(pattern, command) for pattern in patterns)]
    assert not unknown, "run them in this file, or say in ELSEWHERE where they are run"


def test_what_is_run_elsewhere_is_run_there():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    [(prerequisites, recipe)] = re.findall(r"^test:([^#\n]*).*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    for task in RUN_BY_MAKE_TEST:
        assert task in prerequisites.split() or re.search(rf"\$\(MAKE\).* {task}\b", recipe), task
    assert "make test" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    for command in commands():
        for task in re.findall(r"\bmake ([\w-]+)", command):
            assert re.search(rf"^{task}:", makefile, re.MULTILINE), f"`{command}`: there is no such task"


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    """README's `cargo lambda watch`, running."""
    printed = matching(WATCH)
    assert len(printed) == 1, f"README.md shows how to start the function once: {printed}"
    port = int((re.search(r"(?:-P|--invoke-port)[ =](\d+)", printed[0]) or [None, "9000"])[1])
    assert not accepts_connections(port), f"port {port}, which README.md uses, is taken"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTHORIZER_")}
    directory = tmp_path_factory.mktemp("watch")
    with running(["bash", "-c", printed[0]], directory, environment, cwd=REPOSITORY) as process:
        watch = Watch(port, directory)
        wait_for(lambda: accepts_connections(port) or process.poll() is not None, "`cargo lambda watch` listens", 60)
        assert process.poll() is None, watch.output()
        # It builds on the first call.
        status, text = watch.post("rest-token.json")
        assert status == 200, text + watch.output()
        yield watch
        tokens = [token for file in EVENTS for token in re.findall(r"eyJ[\w.-]+", event_text(file))]
        assert_no_secrets(tokens, watch.output())


class Watch:
    def __init__(self, port, directory):
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/lambda-authorizer/invocations"
        self.directory = directory

    def post(self, file):
        return post(self.url, event_text(file), timeout=BUILD_PATIENCE)

    def output(self):
        return "".join((self.directory / stream).read_text(encoding="utf-8") for stream in ("stdout", "stderr"))

    def records(self):
        lines = self.output().splitlines(keepends=True)
        records = [json.loads(line) for line in lines if re.match(r"\{.*\}\n", line)]
        # Those of a key set belong to no event.
        return [record for record in records if "decision" in record]

    @contextlib.contextmanager
    def reason(self):
        """The `reason` that the function logs meanwhile, in a list."""
        before, reasons = len(self.records()), []
        yield reasons
        [record] = wait_for(lambda: self.records()[before:], "the log record")
        reasons.append(record.get("reason"))


def event_text(file):
    return (REPOSITORY / "events" / file).read_text(encoding="utf-8")


def test_the_invocations_that_it_shows(watch):
    printed = matching(INVOKE)
    assert printed, "README.md shows how to call the function"
    for command in printed:
        file = shlex.split(command)[shlex.split(command).index("--data-file") + 1].removeprefix("events/")
        expected, expected_reason = EVENTS[file]
        with watch.reason() as reason:
            finished = subprocess.run(
                ["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, timeout=BUILD_PATIENCE
            )
            if isinstance(expected, str):
                assert finished.returncode != 0 and expected in finished.stderr, finished.stderr
            else:
                assert finished.returncode == 0, finished.stderr
                assert allows(json.loads(finished.stdout), json.loads(event_text(file))) is expected
        assert reason == [expected_reason]


def test_no_event_is_forgotten():
    files = {path.name for path in (REPOSITORY / "events").glob("*.json")}
    assert files == {*EVENTS, "jwks.json"}


@pytest.mark.parametrize("file", EVENTS)
def test_event(watch, file):
    expected, expected_reason = EVENTS[file]
    with watch.reason() as reason:
        status, text = watch.post(file)
    answer = json.loads(text)
    if isinstance(expected, str):
        assert (status, answer["errorMessage"]) == (500, expected)
        assert answer["errorType"] == {"InternalError": expected_reason}.get(expected, expected)
    else:
        assert status == 200
        assert allows(answer, json.loads(event_text(file))) is expected
    assert reason == [expected_reason]


def allows(answer, event):
    """What IAM makes of the policy: a Deny that matches wins, and what no Allow matches is refused."""
    arn = event.get("methodArn") or event["routeArn"]

    def effects():
        for statement in answer["policyDocument"]["Statement"]:
            assert statement["Action"] == "execute-api:Invoke"
            for resource in statement["Resource"]:
                pattern = re.escape(resource).replace(r"\*", ".*").replace(r"\?", ".")
                if re.fullmatch(pattern, arn):
                    yield statement["Effect"]

    found = set(effects())
    assert found <= {"Allow", "Deny"}
    return found == {"Allow"}
