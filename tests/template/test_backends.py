"""The backends serve nothing that no authorizer has let in, and accept the browser's subprotocol."""

import json
import subprocess

import pytest
from translated import BACKEND

CALL = """
const [module, event] = process.argv.slice(1);
const { handler } = await import(module);
console.log(JSON.stringify(await handler(JSON.parse(event))));
"""


def call(backend, event):
    finished = subprocess.run(
        ["node", "--input-type=module", "--eval", CALL, "--", str(BACKEND / backend), json.dumps(event)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    # Whatever a backend prints ends up in its log: nothing, since events carry the caller's token.
    (line,) = finished.stdout.splitlines()
    assert finished.stderr == ""
    return json.loads(line)


def rest(authorizer):
    return {"httpMethod": "GET", "resource": "/orders", "requestContext": authorizer}


def http(authorizer):
    return {"version": "2.0", "routeKey": "GET /orders", "requestContext": authorizer}


def websocket(authorizer, **event):
    return {"requestContext": {"eventType": "CONNECT"} | authorizer} | event


@pytest.mark.parametrize(
    ("event", "context"),
    [
        (
            rest({"authorizer": {"principalId": "alice", "tenant": "42"}}),
            {"principalId": "alice", "tenant": "42"},
        ),
        (http({"authorizer": {"lambda": {"tenant": "42"}}}), {"tenant": "42"}),
        # What API Gateway sends for an authorizer that answered without context.
        (http({"authorizer": {"lambda": None}}), {}),
    ],
)
def test_shows_the_context(event, context):
    answer = call("http.mjs", event)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"route": "GET /orders", "context": context}


@pytest.mark.parametrize(
    "event",
    [
        rest({}),
        rest({"authorizer": None}),
        rest({"authorizer": {}}),
        http({}),
        http({"authorizer": None}),
        http({"authorizer": {}}),
        # Another kind of authorizer than the one that the route is meant to have.
        http({"authorizer": {"iam": {"userId": "x"}}}),
        {},
    ],
)
def test_refuses_what_no_authorizer_has_seen(event):
    answer = call("http.mjs", event)
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"]) == {"message": "Forbidden"}


ALICE = {"authorizer": {"principalId": "alice", "tenant": "42"}}


@pytest.mark.parametrize("name", ["Sec-WebSocket-Protocol", "sec-websocket-protocol"])
def test_accepts_the_subprotocol_and_never_echoes_the_token(name):
    answer = call("websocket.mjs", websocket(ALICE, headers={name: "access_token, secret"}))
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "access_token"}}


@pytest.mark.parametrize("headers", [None, {}, {"Authorization": "Bearer x"}, {"Sec-WebSocket-Protocol": "chat"}])
def test_selects_no_subprotocol_that_was_not_offered(headers):
    assert call("websocket.mjs", websocket(ALICE, headers=headers)) == {"statusCode": 200, "headers": {}}


def test_answers_a_message_with_the_context_of_the_connection():
    answer = call("websocket.mjs", websocket({"eventType": "MESSAGE"} | ALICE, body="hello"))
    assert json.loads(answer["body"]) == {"context": ALICE["authorizer"], "message": "hello"}


@pytest.mark.parametrize("context", [{}, {"authorizer": None}, {"authorizer": {}}])
@pytest.mark.parametrize("event", ["CONNECT", "MESSAGE"])
def test_refuses_a_connection_that_no_authorizer_has_seen(event, context):
    assert call("websocket.mjs", websocket({"eventType": event} | context, body="hello")) == {"statusCode": 403}
