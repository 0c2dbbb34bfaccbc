// jose_tokens.mjs CLAIMS ALGORITHM...: makes a key and two tokens for each algorithm with the npm package `jose`.
// Prints a JSON array of { algorithm, jwk, token, forged }; `forged` is signed with another key of the same name.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// `import` does not look at NODE_PATH; the tools are installed outside the source tree.
const require = createRequire(join(process.env.NODE_PATH, "jose"));
const { SignJWT, exportJWK, generateKeyPair } = await import(pathToFileURL(require.resolve("jose")));

const [claims, ...algorithms] = process.argv.slice(2);
const samples = algorithms.map(async (alg) => {
  const header = { alg, kid: alg, typ: "JWT" };
  const sign = (key) => new SignJWT(JSON.parse(claims)).setProtectedHeader(header).sign(key);
  const [ours, theirs] = [await generateKeyPair(alg), await generateKeyPair(alg)];
  const jwk = { ...(await exportJWK(ours.publicKey)), kid: alg };
  return { algorithm: alg, jwk, token: await sign(ours.privateKey), forged: await sign(theirs.privateKey) };
});
console.log(JSON.stringify(await Promise.all(samples)));
