#!/usr/bin/env bash
# phase.sh NAME COMMAND...: runs one step of `make test`, says what it is and how long it took.
set -euo pipefail

name=$1
shift
printf '\n==> %s\n' "$name"
status=0
"$@" || status=$?
if ((status == 0)); then
    printf '<== %s: ok, %d s\n' "$name" "$SECONDS"
else
    printf '<== %s: FAILED with status %d after %d s\n' "$name" "$status" "$SECONDS" >&2
fi
exit "$status"
