// Puts each event to one of the two functions that gateways.py runs, and hands on what it answers.
const ask = async (name, event) => {
  const answer = await fetch(`${process.env.INVOKE}/${name}`, { method: "POST", body: JSON.stringify(event) });
  const body = await answer.json();
  if (body.errorMessage) throw new Error(body.errorMessage);
  return body;
};
exports.unauthorized = (event) => ask("unauthorized", event);
exports.deny = (event) => ask("deny", event);

// REST events as AWS has them, without what serverless-offline adds of HTTP APIs' events.
const three = ({ type, authorizationToken, methodArn }) => ({ type, authorizationToken, methodArn });
exports.token = (event) => ask("unauthorized", three(event));
exports.denying = (event) => ask("deny", three(event));
exports.request = ({ version, authorizationToken, identitySource, ...event }) => ask("unauthorized", event);

// A service has one `$connect`: the client says which of the functions it is to ask.
exports.connect = (event) => ask(event.queryStringParameters.refusal, event);
exports.backend = async () => ({ statusCode: 200, body: "{}" });
