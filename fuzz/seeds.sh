#!/usr/bin/env bash
# seeds.sh DIRECTORY: writes the inputs that the fuzzer starts with, one file each: the lines of seeds/*.txt,
# the development key set, and every sample event with `$TOKEN` in the place of its tokens.
set -euo pipefail

directory=$1
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -rf "$directory"
for lines in seeds/*.txt; do
    target=$directory/$(basename "$lines" .txt)
    mkdir -p "$target"
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        printf '%s' "$line" >"$target/line-$number"
    done <"$lines"
done
cp ../events/jwks.json "$directory/key_set"
for event in ../events/*.json ../tests/events/*.json; do
    sed -E 's/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/$TOKEN/g' "$event" >"$directory/event/$(basename "$event")"
done
rm "$directory/event/jwks.json"
