// The API of test_serverless_offline.py: serverless-offline serves it as it stands here, `authorizer gateway` serves the
// CloudFormation template that serverless makes of it. The first segment of a path says which kind of API it is.
const header = "$request.header.Authorization";
// The users' are literal because serverless-offline leaves `{id}` in the ARN.
const paths = ["orders", "users/user-7f1c", "users/somebody", "accounts/{id}", "reports"];
const routes = (kind) => [
  ...paths.map((path) => ["GET", `${kind}/${path}`]),
  ["POST", `${kind}/orders`],
  ["ANY", `${kind}/files/{proxy+}`],
];

const rest = (kind, authorizer) => {
  const whole = { identitySource: "method.request.header.Authorization", resultTtlInSeconds: 300, ...authorizer };
  return routes(kind).map(([method, path]) => ({ http: { method, path, authorizer: whole } }));
};
const http = (kind) =>
  routes(kind).map(([method, path]) => ({ httpApi: { method: method.replace("ANY", "*"), path: `/${path}`, authorizer: { name: kind } } }));

const httpAuthorizer = (functionName, payloadVersion, more = {}) => {
  const whole = { type: "request", functionName, payloadVersion, identitySource: [header], resultTtlInSeconds: 300 };
  return { ...whole, ...more };
};
const simple = { enableSimpleResponses: true, resultTtlInSeconds: 0 };
const identityValidationExpression = "^[Bb]earer .+$";
const connect = { name: "connect", identitySource: ["route.request.header.Authorization"] };

module.exports = {
  service: "orders",
  frameworkVersion: "3",
  plugins: ["serverless-offline"],
  provider: {
    name: "aws",
    runtime: "nodejs20.x",
    region: "eu-central-1",
    environment: { INVOKE: process.env.INVOKE },
    httpApi: {
      authorizers: {
        version1: httpAuthorizer("http", "1.0"),
        version2: httpAuthorizer("http", "2.0"),
        simple: httpAuthorizer("simple", "2.0", simple),
      },
    },
  },
  functions: {
    token: { handler: "handler.token" },
    request: { handler: "handler.request" },
    denying: { handler: "handler.denying" },
    rawToken: { handler: "handler.unauthorized" },
    rawRequest: { handler: "handler.unauthorized" },
    http: { handler: "handler.unauthorized" },
    simple: { handler: "handler.deny" },
    connect: { handler: "handler.connect" },
    backend: {
      handler: "handler.backend",
      events: [
        ...rest("token", { name: "token", type: "token", identityValidationExpression }),
        ...rest("request", { name: "request", type: "request" }),
        ...rest("denying", { name: "denying", type: "token", identityValidationExpression }),
        ...rest("raw-token", { name: "rawToken", type: "token" }),
        ...rest("raw-request", { name: "rawRequest", type: "request" }),
        ...["version1", "version2", "simple"].flatMap(http),
        { websocket: { route: "$connect", authorizer: connect } },
        { websocket: { route: "$default" } },
      ],
    },
  },
};
