#!/usr/bin/env bash
# zig-c++.sh ARGUMENT...: the C++ compiler and linker of Zig, for machines that have no other. Zig knows the
# machine that it runs on, but not by the name that Rust has for it.
set -euo pipefail

arguments=()
for argument in "$@"; do
    [[ $argument == --target=* ]] || arguments+=("$argument")
done
exec python -m ziglang c++ -fno-sanitize=undefined "${arguments[@]}"
