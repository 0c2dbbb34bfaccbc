// aws-jwt-verify in the thinnest loop over the Lambda Runtime API: one connection that stays open, nothing else.
// Without an issuer it verifies nothing, which shows what Node costs by itself.
"use strict";

const http = require("node:http");

const { AWS_LAMBDA_RUNTIME_API: api, ISSUER: issuer, AUDIENCE: audience, JWKS_URI: jwksUri, JWKS_FILE: file } = process.env;
const [hostname, port] = api.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

let verifier;
if (issuer) {
  const { JwtVerifier } = require("aws-jwt-verify");
  verifier = JwtVerifier.create({ issuer, audience, jwksUri: jwksUri ?? `${issuer}keys` });
  if (file) {
    verifier.cacheJwks(JSON.parse(require("node:fs").readFileSync(file, "utf8")));
  }
}

function exchange(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const request = http.request({ agent, hostname, port, method, path: `/2018-06-01/runtime/${path}`, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function authorize(event) {
  const credential = event.authorizationToken ?? event.headers.authorization;
  const [api, stage] = event.methodArn.split("/");
  let principalId = "nobody";
  let effect = "Allow";
  try {
    if (verifier) {
      principalId = (await verifier.verify(credential.slice("Bearer ".length))).sub;
    }
  } catch {
    effect = "Deny";
  }
  const statement = { Action: "execute-api:Invoke", Effect: effect, Resource: `${api}/${stage}/*` };
  return { principalId, policyDocument: { Version: "2012-10-17", Statement: [statement] } };
}

async function main() {
  for (;;) {
    const next = await exchange("GET", "invocation/next");
    const id = next.headers["lambda-runtime-aws-request-id"];
    const answer = await authorize(JSON.parse(next.body));
    await exchange("POST", `invocation/${id}/response`, JSON.stringify(answer));
  }
}

main();
