"""The same API behind two gateways: `authorizer gateway`, and one that we did not write, serverless-offline."""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import shutil
import threading
from pathlib import Path

from harness import PATIENCE, REPOSITORY, Server, free_port, running, running_function, wait_for

# A process of Node's loads hundreds of modules before it does anything.
NODE_START = 90
# serverless says nothing to anybody, asks nobody for anything, and does not start without keys: any will do.
SERVERLESS = {
    "SLS_TELEMETRY_DISABLED": "1",
    "SLS_NOTIFICATIONS_MODE": "off",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


@dataclasses.dataclass
class Gateway:
    """The ports of the APIs, in the order in which a local gateway tells those of the template."""

    rest: int
    http: int
    websocket: int


class Endpoint(Server):
    """The invoke endpoint of functions, by name. Each takes one event at a time."""

    def __init__(self, functions):
        super().__init__()
        self.functions = functions
        self.turns = {name: threading.Lock() for name in functions}
        self.events = []

    def post(self, handler, body):
        name = handler.path.strip("/")
        self.events.append(body)
        with self.turns[name]:
            answer = self.functions[name].invoke(body.decode())
        self.send(handler, 200, answer.text.encode())


@contextlib.contextmanager
def functions_endpoint(binary, environments, directory):
    """The built function in each of these environments, by name."""
    with contextlib.ExitStack() as stack:
        functions = {
            name: stack.enter_context(running_function(binary, made(directory / name), environment))
            for name, environment in environments.items()
        }
        yield stack.enter_context(Endpoint(functions))


class Service:
    """A copy of tests/external/serverless, where serverless may write."""

    def __init__(self, directory, invoke="none"):
        self.directory = directory
        self.environment = {name: os.environ[name] for name in ("PATH", "NODE_PATH")} | SERVERLESS
        self.environment |= {"HOME": str(directory), "INVOKE": invoke}
        made(directory)
        shutil.copytree(REPOSITORY / "tests" / "external" / "serverless", directory / "service")

    def run(self, *arguments):
        serverless = Path(os.environ["NODE_PATH"]) / "serverless" / "bin" / "serverless.js"
        command = ["node", serverless, *arguments]
        return running(command, self.directory, self.environment, cwd=self.directory / "service")

    def output(self):
        return (self.directory / "stdout").read_text() + (self.directory / "stderr").read_text()


@contextlib.contextmanager
def serverless_offline(service):
    """serverless-offline, which has REST and HTTP APIs on one port."""
    port, websocket, lambda_port = free_port(), free_port(), free_port()
    ports = ["--httpPort", str(port), "--websocketPort", str(websocket), "--lambdaPort", str(lambda_port)]
    options = ["--host", "127.0.0.1", "--useInProcess", "--noPrependStageInUrl", "--noTimeout"]
    with service.run("offline", *options, *ports) as process:
        wait_for(
            lambda: process.poll() is not None or "Server ready" in service.output(), "serverless-offline", NODE_START
        )
        assert process.poll() is None, service.output()
        yield Gateway(port, port, websocket)


def template(service):
    """The CloudFormation template that serverless would deploy."""
    with service.run("package") as process:
        assert process.wait(NODE_START) == 0, service.output()
    return service.directory / "service" / ".serverless" / "cloudformation-template-update-stack.json"


@contextlib.contextmanager
def local_gateway(cli, directory, environment, *options):
    """`authorizer gateway`. Yields the ports of its APIs, in their order."""
    command = [cli, "gateway", "--listen", "127.0.0.1:0", *options]
    with running(command, made(directory), environment) as process:
        output = directory / "stderr"
        # The line after all addresses.
        wait_for(lambda: process.poll() is not None or "strict: an answer" in output.read_text(), "the gateway")
        assert process.poll() is None, output.read_text()
        addresses = r"^(?:http|ws)://127\.0\.0\.1:(\d+)  API "
        yield [int(port) for port in re.findall(addresses, output.read_text(), re.MULTILINE)]


def made(directory):
    directory.mkdir(parents=True)
    return directory


def history(port):
    """The last requests of a local gateway, the newest at the end."""
    return json.loads(answer_of(port, "GET", "/_requests")[1])


def status_of(port, method, path, headers=()):
    """The status of the answer, as a client gets it."""
    return answer_of(port, method, path, headers)[0]


def answer_of(port, method, path, headers=()):
    """The status and the text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def handshake(port, path, headers=()):
    """The status of the answer to a WebSocket's opening handshake (RFC 6455, section 4.1)."""
    opening = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    return status_of(port, "GET", path, [*opening, *headers])
