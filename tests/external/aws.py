"""Two implementations of DynamoDB that we did not write: moto, which checks signatures and policies, and dynalite."""

import contextlib
import json
import os
import urllib.request

import boto3
from gateways import NODE_START
from harness import PATIENCE, accepts_connections, free_port, running, wait_for

REGION = "eu-central-1"
ANYBODY = {"AWS_ACCESS_KEY_ID": "AKIDANYBODY", "AWS_SECRET_ACCESS_KEY": "of-anybody-at-all", "AWS_REGION": REGION}


class DynamoDb:
    """Where it is, and as whom it is asked."""

    def __init__(self, url, identity):
        self.url = url
        self.identity = identity

    def configuration(self, more="", dynamodb=""):
        return f"""
            development = true
            [dynamodb]
            table = "authorizer"
            endpoint = "{self.url}"
            {dynamodb}
            [api_keys]
            prefix = "orders"
            {more}
        """


@contextlib.contextmanager
def dynalite(directory):
    port = free_port()
    environment = {name: os.environ[name] for name in ("PATH", "NODE_PATH")}
    script = f"require('dynalite')({{createTableMs: 100}}).listen({port}, '127.0.0.1')"
    with listening(["node", "-e", script], directory, environment, port) as url:
        yield DynamoDb(url, ANYBODY)


@contextlib.contextmanager
def moto(directory):
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"}
    with listening(["moto_server", "-H", "127.0.0.1", "-p", str(port)], directory, environment, port) as url:
        yield Moto(url, ANYBODY)


@contextlib.contextmanager
def listening(command, directory, environment, port):
    with running(command, directory, environment) as process:
        wait_for(lambda: process.poll() is not None or accepts_connections(port), command[0], NODE_START)
        assert process.poll() is None, (directory / "stderr").read_text()
        yield f"http://127.0.0.1:{port}/"


class Moto(DynamoDb):
    def who_may(self, actions):
        """Somebody who may do this, and nothing else. Of which table, moto does not look at."""
        # Whoever is asked who somebody is does not ask for an identity himself.
        self._post("moto-api/reset-auth", b"inf")
        iam = boto3.client(
            "iam", endpoint_url=self.url, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        name = f"user{len(iam.list_users()['Users'])}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self._post("moto-api/reset-auth", b"0")
        identity = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        return identity | {"AWS_REGION": REGION}

    def lets_everybody_in(self):
        self._post("moto-api/reset-auth", b"inf")

    def _post(self, path, body):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(f"{self.url}{path}", body, {"Content-Type": "text/plain"})
        with opener.open(request, timeout=PATIENCE) as answer:
            assert answer.status == 200
