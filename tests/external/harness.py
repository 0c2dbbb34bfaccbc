"""A function and what stands around it: a Runtime API, a key server, the clean-up of processes.

Nothing here is shared with the project's own tools, so that a mistake of theirs cannot hide in both.
"""

import base64
import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
API = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod"
# Enough for a debug build on a busy machine; what takes longer hangs.
PATIENCE = 20


class Server:
    """Serves HTTP on 127.0.0.1 while it is entered."""

    def __init__(self, port=0):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body in one packet: in two, the second waits for the other side's acknowledgement.
            wbufsize = 65536

            def handle_one_request(self):
                with contextlib.suppress(ConnectionError):
                    super().handle_one_request()

            def do_GET(self):
                outer.get(self)

            def do_POST(self):
                outer.post(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.address = f"127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def send(handler, status, body=b"", headers=()):
        handler.send_response(status)
        for name, value in [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


class KeyServer(Server):
    """Publishes key sets, by path."""

    def __init__(self, port=0, documents=()):
        super().__init__(port)
        self.documents = dict(documents)

    def publish(self, path, keys):
        """The URL under which the key set can be had from now on."""
        self.documents[path] = json.dumps({"keys": keys}).encode()
        return f"http://{self.address}{path}"

    def get(self, handler):
        document = self.documents.get(handler.path)
        self.send(handler, 404 if document is None else 200, document or b"{}")


class RuntimeApi(Server):
    """The Lambda Runtime API of one function: events in, what it posts out."""

    def __init__(self):
        super().__init__()
        self.events = queue.Queue()
        self.posts = queue.Queue()

    def get(self, handler):
        """`/2018-06-01/runtime/invocation/next`, which waits for an event."""
        request_id, event = self.events.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + PATIENCE) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:authorizer",
        }
        self.send(handler, 200, event, headers.items())

    def post(self, handler, body):
        """`/2018-06-01/runtime/invocation/{id}/response` or `/error`, and `/2018-06-01/runtime/init/error`."""
        self.posts.put((handler.path.removeprefix("/2018-06-01/runtime/"), body))
        self.send(handler, 202)


class Answer:
    """What the function made of one event."""

    def __init__(self, request_id, kind, text):
        self.request_id = request_id
        self.is_error = kind == "error"
        self.text = text
        self.body = json.loads(text)

    @property
    def effect(self):
        """The effect of the policy, which must be one statement for the whole answer to mean it."""
        [statement] = self.body["policyDocument"]["Statement"]
        return statement["Effect"]


class Function:
    """The built function, running. Ask it with `authorize` and `invoke`."""

    def __init__(self, process, runtime_api, directory):
        self.process = process
        self.runtime_api = runtime_api
        self.directory = directory
        self.secrets = []
        self.answers = []

    def authorize(self, authorization, method_arn=f"{API}/GET/orders"):
        """The answer to a REST API's TOKEN event with this value of `Authorization`."""
        self.secrets.append(authorization)
        return self.invoke(token_event(authorization, method_arn))

    def invoke(self, event):
        """The answer to an event: an object, or the very text."""
        text = event if isinstance(event, str) else json.dumps(event)
        request_id = str(uuid.uuid4())
        self.runtime_api.events.put((request_id, text.encode()))
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                path, body = self.runtime_api.posts.get(timeout=0.05)
                break
            except queue.Empty:
                assert self.process.poll() is None, f"the function ended: {self.output()}"
                assert time.monotonic() < deadline, f"the function does not answer: {self.output()}"
        invocation, _, kind = path.removeprefix("invocation/").partition("/")
        assert invocation == request_id and kind in ("response", "error"), path
        answer = Answer(request_id, kind, body.decode())
        self.answers.append(answer)
        return answer

    def record(self, answer):
        """The log record of an answer, which may come a moment after it."""
        return wait_for(
            lambda: next((line for line in self.records() if line.get("request_id") == answer.request_id), None),
            f"log record of {answer.request_id}",
        )

    def records(self):
        """Every line on standard output, each a JSON object."""
        # What follows the last line feed is still being written.
        whole = self.stdout.rpartition("\n")[0]
        records = [json.loads(line) for line in whole.splitlines()]
        assert all(isinstance(record, dict) for record in records), whole
        return records

    @property
    def stdout(self):
        return (self.directory / "stdout").read_text(encoding="utf-8")

    @property
    def stderr(self):
        return (self.directory / "stderr").read_text(encoding="utf-8")

    def output(self):
        return self.stdout + self.stderr


@contextlib.contextmanager
def running_function(binary, directory, environment):
    """The function in an environment like Lambda's. Nothing that it was sent may be found in what it wrote."""
    with RuntimeApi() as runtime_api:
        command = [binary]
        with running(command, directory, environment=lambda_environment(runtime_api) | environment) as process:
            function = Function(process, runtime_api, directory)
            yield function
            assert process.poll() is None, f"the function ended: {function.output()}"
        assert_no_secrets(function.secrets, function.output() + "".join(answer.text for answer in function.answers))


def refusal(binary, environment):
    """What a function that does not start says is wrong."""
    return start_failure(binary, environment)["detail"]


def start_failure(binary, environment):
    """The only line that it writes, before it ends."""
    with RuntimeApi() as runtime_api:
        finished = subprocess.run(
            [binary],
            env=lambda_environment(runtime_api) | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert finished.returncode == 1, finished
    assert finished.stderr == ""
    [line] = finished.stdout.splitlines()
    record = json.loads(line)
    assert (record["level"], record["reason"]) == ("FATAL", "start_failed")
    return record


def lambda_environment(runtime_api):
    return {
        "AWS_LAMBDA_RUNTIME_API": runtime_api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "lambda-authorizer",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }


@contextlib.contextmanager
def running(command, directory, environment, cwd=None):
    """A process that writes into `directory`, and that is gone afterwards with all that it started."""
    with open(directory / "stdout", "wb") as stdout, open(directory / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=cwd or directory,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Before anything is killed: an orphan is not found any more.
        family = descendants(process.pid)
        for pid in [process.pid, *family]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(PATIENCE)


def descendants(pid):
    """The processes that a process started, and those that these did. Some tools give each its own group."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # A process may end meanwhile. Its name, in parentheses, may hold anything.
        with contextlib.suppress(OSError):
            parent = int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, new = [], [pid]
    while new:
        new = [child for parent in new for child in children.get(parent, [])]
        found += new
    return found


def wait_for(condition, what, patience=PATIENCE):
    """The first value of `condition` that is true."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not after {patience} s"
        time.sleep(0.02)
    return value


def post(url, body, timeout=PATIENCE):
    """The status and the text of the answer."""
    request = urllib.request.Request(url, data=body.encode(), method="POST")
    # No proxy: everything is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts_connections(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token_event(authorization, method_arn=f"{API}/GET/orders"):
    return {"type": "TOKEN", "authorizationToken": authorization, "methodArn": method_arn}


def request_event(headers):
    return {
        "type": "REQUEST",
        "methodArn": f"{API}/GET/orders",
        "resource": "/orders",
        "path": "/orders",
        "httpMethod": "GET",
        "headers": headers,
    }


def assert_fault(function, token):
    """What the log says of why there is no answer, which is neither an allowance nor a refusal."""
    answer = function.authorize(f"Bearer {token}")
    assert answer.is_error and answer.body["errorType"] == "key_set_unavailable", answer.text
    return function.record(answer)["detail"]


def assert_allowed(function, token):
    answer = function.authorize(f"Bearer {token}")
    assert not answer.is_error and answer.effect == "Allow", answer.text


def assert_heals(function, token):
    """Without a new start. The pause after a failure passes first."""

    def is_allowed():
        answer = function.authorize(f"Bearer {token}")
        assert not answer.is_error or answer.body["errorType"] == "key_set_unavailable", answer.text
        return not answer.is_error and answer.effect == "Allow"

    wait_for(is_allowed, "an answer")


def assert_no_secrets(secrets, output):
    """No sixteen characters in a row of any of these, wherever they stand in it; of a shorter one, not the whole of it."""
    width = 16
    written = {output[start : start + width] for start in range(len(output) - width + 1)}
    for secret in secrets:
        words = re.findall(rf"[A-Za-z0-9_+/=-]{{{width},}}", secret)
        assert words or len(secret) < 8 or secret not in output, "a short secret was written"
        for word in words:
            leaked = {word[start : start + width] for start in range(len(word) - width + 1)} & written
            assert not leaked, f"of a credential, this was written: {sorted(leaked)[0]}"


def assert_level_is_heeded(record):
    """With the log format JSON, Lambda takes a record for `INFO` whatever its level says, unless it is dated as in
    RFC 3339 ("Log-level filtering" in Lambda's developer guide)."""
    timestamp = str(record.get("timestamp"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", timestamp), f"no time of RFC 3339: {timestamp}"


def encode(data):
    """base64url without padding (RFC 7515, section 2)."""
    raw = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def with_flipped_signature_bit(token):
    message, _, signature = token.rpartition(".")
    raw = bytearray(decode(signature))
    raw[len(raw) // 2] ^= 1
    return f"{message}.{encode(bytes(raw))}"


def with_spare_bits(token):
    """Another spelling of the same signature, which base64url does not allow; `None` where there is none."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    signature = token.rpartition(".")[2]
    respelled = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    return respelled if decode(respelled.rpartition(".")[2]) == decode(signature) else None


def with_header(token, **changes):
    """The token with another header and the signature that it had."""
    header, rest = token.split(".", 1)
    return f"{encode(json.loads(decode(header)) | changes)}.{rest}"
