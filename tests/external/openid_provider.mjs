// An OpenID provider, by the npm package `oidc-provider`. Prints the URL of the issuer once it listens.
//
// The access tokens of the resource `https://AUDIENCE.example/ALGORITHM` are signed with that algorithm. `POST /rotate`
// with the names of generations of keys publishes these; the first of them signs. `GET /fetches` tells how often the key
// set was fetched. `GET /client-keys` tells the private keys of the clients that have some. `POST /close` ends it.
//
// Token exchange (RFC 8693) is no grant of the package: the one here is ours, registered as its documentation has it.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// `import` does not look at NODE_PATH; the tools are installed outside the source tree.
const require = createRequire(join(process.env.NODE_PATH, "oidc-provider"));
const { default: Provider, errors } = await import(pathToFileURL(require.resolve("oidc-provider")));

const KINDS = { rsa: { modulusLength: 2048 }, ec: { namedCurve: "P-256" }, ed25519: {} };
const generations = new Map();
const keysOf = (generation) => {
  if (!generations.has(generation)) {
    const keys = Object.entries(KINDS).map(([kind, options]) => {
      const { privateKey } = generateKeyPairSync(kind, options);
      return { ...privateKey.export({ format: "jwk" }), kid: `${kind}-${generation}`, use: "sig" };
    });
    generations.set(generation, keys);
  }
  return generations.get(generation);
};

const getResourceServerInfo = (ctx, resource) => {
  const { hostname, pathname } = new URL(resource);
  return {
    scope: "orders:read",
    audience: hostname.replace(".example", ""),
    accessTokenFormat: "jwt",
    jwt: { sign: { alg: pathname.slice(1) } },
  };
};
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const EXCHANGED_FOR = 900;

// Clients that prove themselves by a key: one for each kind.
const ALGORITHMS = { rsa: "PS256", ec: "ES256", ed25519: "EdDSA" };
const clientKeys = new Map(
  Object.entries(KINDS).map(([kind, options]) => {
    const { publicKey, privateKey } = generateKeyPairSync(kind, options);
    const [own, known] = [privateKey, publicKey].map((key) => ({
      ...key.export({ format: "jwk" }),
      kid: `client-${kind}`,
      alg: ALGORITHMS[kind],
    }));
    return [kind, { own, known }];
  }),
);
const keyed = (kind) => ({
  client_id: `keyed-${kind}`,
  grant_types: ["client_credentials", TOKEN_EXCHANGE],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: "private_key_jwt",
  token_endpoint_auth_signing_alg: ALGORITHMS[kind],
  introspection_signed_response_alg: "ES256",
  jwks: { keys: [clientKeys.get(kind).known] },
});
const configuration = {
  clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: Object.values(ALGORITHMS) },
  clients: [
    ...Object.keys(KINDS).map(keyed),
    {
      client_id: "shop",
      client_secret: "of-the-shop",
      grant_types: ["authorization_code", "client_credentials"],
      redirect_uris: ["https://shop.example/callback"],
    },
    {
      client_id: "post",
      client_secret: "of-the-post",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_post",
    },
    {
      client_id: "till",
      client_secret: "of-the-till",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      tls_client_certificate_bound_access_tokens: true,
    },
  ],
  cookies: { keys: ["of-the-cookies"] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    jwtIntrospection: { enabled: process.env.UNSIGNED_ANSWERS === undefined },
    revocation: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      // What a proxy that has verified the certificate would say.
      getCertificate: (ctx) => decodeURIComponent(ctx.get("x-client-certificate")) || undefined,
    },
    resourceIndicators: { enabled: true, getResourceServerInfo, useGrantedResource: () => true },
  },
  pkce: { required: () => true },
  scopes: ["openid", "orders:read"],
};

let provider;
let fetches = 0;
const rotate = (names) => {
  const keys = names.flatMap(keysOf);
  const made = new Provider(issuer, { ...configuration, jwks: { keys } });
  made.registerGrantType(
    TOKEN_EXCHANGE,
    async (ctx) => {
      const { subject_token, subject_token_type, audience, scope } = ctx.oidc.params;
      if (subject_token_type !== ACCESS_TOKEN || audience !== "stock") {
        throw new errors.InvalidTarget("not for such a backend");
      }
      const subject = await made.ClientCredentials.find(subject_token);
      if (!subject) throw new errors.InvalidGrant("no such token");
      const token = new made.ClientCredentials({
        client: ctx.oidc.client,
        scope,
        expiresIn: EXCHANGED_FOR,
      });
      ctx.body = {
        access_token: await token.save(),
        issued_token_type: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: EXCHANGED_FOR,
      };
    },
    ["subject_token", "subject_token_type", "requested_token_type", "audience", "scope"],
  );
  made.on("server_error", (ctx, error) => console.error(error));
  provider = made.callback();
};
const server = createServer(async (request, response) => {
  if (request.url === "/rotate") {
    rotate((await request.toArray()).toString().split(" "));
    response.end();
  } else if (request.url === "/close") {
    response.end(() => process.exit());
  } else if (request.url === "/client-keys") {
    const own = [...clientKeys].map(([kind, key]) => [kind, key.own]);
    response.end(JSON.stringify(Object.fromEntries(own)));
  } else if (request.url === "/fetches") {
    response.end(String(fetches));
  } else {
    fetches += request.url === "/jwks";
    provider(request, response);
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
rotate(["first"]);
console.log(`issuer ${issuer}`);
