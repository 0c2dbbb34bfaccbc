// The backend of the WebSocket API: accepts the connection, then answers each message with the connection's context.

const SUBPROTOCOL = "access_token";

/**
 * A browser offers `access_token, <the token>`, and drops the connection unless one of the two is accepted.
 * Never the token: that would echo it.
 */
function acceptedSubprotocol(headers) {
  const name = Object.keys(headers ?? {}).find((key) => key.toLowerCase() === "sec-websocket-protocol");
  const offered = (headers?.[name] ?? "").split(",").map((protocol) => protocol.trim());
  return offered.includes(SUBPROTOCOL) ? { "Sec-WebSocket-Protocol": SUBPROTOCOL } : {};
}

export async function handler({ requestContext, headers, body }) {
  const context = requestContext?.authorizer;
  // A connection that no authorizer has let in must not be served.
  if (!context?.principalId) return { statusCode: 403 };
  if (requestContext.eventType === "CONNECT") {
    return { statusCode: 200, headers: acceptedSubprotocol(headers) };
  }
  return { statusCode: 200, body: JSON.stringify({ context, message: body }) };
}
