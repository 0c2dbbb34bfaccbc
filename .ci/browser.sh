#!/usr/bin/env bash
# browser.sh DIRECTORY: prints the path of a Chromium. Where the machine has none, it installs one from npm into DIRECTORY.
set -euo pipefail

directory=$1
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if [[ -z ${OWN_BROWSER:-} ]] && command -v "$name"; then
        exit
    fi
done
tools=$(cd "$(dirname "$0")/../tools/browser" && pwd)
installed=$directory/$(cat "$tools"/* | cksum | cut -d ' ' -f 1).installed
if [[ ! -e $installed ]]; then
    rm -rf "$directory"
    mkdir -p "$directory"
    cp "$tools/package.json" "$tools/package-lock.json" "$directory"
    npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --silent >&2
    node "$tools/unpack.mjs" "$directory" >&2
    rm -rf "$directory/node_modules"
    touch "$installed"
fi
printf '%s\n' "$directory/browser"
