#!/usr/bin/env bash
# generated.sh FILE...: fails unless `make generate` leaves the files as they are. Compares with the working
# tree, not with a commit, so that it also holds for a change that is not committed yet.
set -euo pipefail

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
for file in "$@"; do
    if [[ ! -f $file ]]; then
        echo "error: \`$file\` is missing; hint: make generate, and commit the result" >&2
        exit 1
    fi
    mkdir -p "$before/$(dirname "$file")"
    cp "$file" "$before/$file"
done

"${MAKE:-make}" --no-print-directory generate

status=0
for file in "$@"; do
    diff -u --label "$file" --label "$file, generated" "$before/$file" "$file" || status=1
done
if ((status != 0)); then
    echo "error: generated files were out of date; hint: they are new now, commit them" >&2
fi
exit "$status"
