// The backend of the REST and the HTTP API: shows the context that the authorizer handed over.

/** What the authorizer said about the caller, or `undefined` where no authorizer has been asked. */
function authorization({ version, requestContext }) {
  const authorizer = requestContext?.authorizer;
  if (version === "2.0") {
    // API Gateway sends `{"lambda": null}` for an authorizer that has nothing to say.
    return authorizer && "lambda" in authorizer ? (authorizer.lambda ?? {}) : undefined;
  }
  return authorizer?.principalId ? authorizer : undefined;
}

const answer = (statusCode, body) => ({
  statusCode,
  headers: {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": process.env.CORS_ORIGIN ?? "*",
  },
  body: JSON.stringify(body),
});

export async function handler(event) {
  const context = authorization(event);
  // A route that lost its authorizer, or a path that slipped past it, must not be served.
  if (context === undefined) return answer(403, { message: "Forbidden" });
  return answer(200, { route: event.routeKey ?? `${event.httpMethod} ${event.resource}`, context });
}
