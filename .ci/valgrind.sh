#!/usr/bin/env bash
# valgrind.sh: sees to it that there is a valgrind, which counts instructions.
set -euo pipefail

if command -v valgrind >/dev/null; then
    exit
fi
as_root=()
if ((EUID != 0)); then
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq valgrind >/dev/null
valgrind --version
