// An OpenID provider, by the npm package `oidc-provider`. Prints the URL of the issuer once it listens.
//
// The access tokens of the resource `https://AUDIENCE.example/ALGORITHM` are signed with that algorithm. `POST /rotate`
// with the names of generations of keys publishes these; the first of them signs. `GET /fetches` tells how often the key
// set was fetched. `POST /close` ends it.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// `import` does not look at NODE_PATH; the tools are installed outside the source tree.
const require = createRequire(join(process.env.NODE_PATH, "oidc-provider"));
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

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
const configuration = {
  clients: [
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
  provider = new Provider(issuer, { ...configuration, jwks: { keys } }).callback();
};
const server = createServer(async (request, response) => {
  if (request.url === "/rotate") {
    rotate((await request.toArray()).toString().split(" "));
    response.end();
  } else if (request.url === "/close") {
    response.end(() => process.exit());
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
