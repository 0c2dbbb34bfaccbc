"""PyJWT in the thinnest loop over the Lambda Runtime API: one connection that stays open, nothing else."""

import http.client
import json
import os

import jwt

API = "/2018-06-01/runtime/"
AUDIENCE, ISSUER = os.environ["AUDIENCE"], os.environ["ISSUER"]

if "JWKS_FILE" in os.environ:
    with open(os.environ["JWKS_FILE"], encoding="utf-8") as file:
        KEYS = jwt.PyJWKSet.from_json(file.read())

    def key_of(token):
        return KEYS[jwt.get_unverified_header(token)["kid"]]

else:
    key_of = jwt.PyJWKClient(os.environ["JWKS_URI"]).get_signing_key_from_jwt


def authorize(event):
    credential = event.get("authorizationToken") or event["headers"]["authorization"]
    api, stage, *_ = event["methodArn"].split("/")
    principal, effect = "nobody", "Allow"
    try:
        token = credential.removeprefix("Bearer ")
        claims = jwt.decode(token, key_of(token), algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
        principal = claims["sub"]
    except jwt.PyJWTError:
        effect = "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api}/{stage}/*"}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def main():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{API}invocation/next")
        response = connection.getresponse()
        event = json.loads(response.read())
        identifier = response.headers["lambda-runtime-aws-request-id"]
        answer = json.dumps(authorize(event)).encode()
        connection.request("POST", f"{API}invocation/{identifier}/response", answer)
        connection.getresponse().read()


main()
