#!/usr/bin/env bash
# run.sh SECONDS DIRECTORY [TARGET...]: fuzzes each target (by default all of them) for so long, as many at a
# time as there are processors. Builds in the directory. Fails when a target does, and tells for which input.
set -euo pipefail

seconds=$1
directory=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# libFuzzer is C++. Zig comes with the Python tools, and brings its own C++ library.
if [[ -z ${CXX:-} ]] && ! type -P c++ >/dev/null; then
    if ! python -m ziglang version >/dev/null 2>&1; then
        echo 'error: no C++ compiler; hint: install one (`c++`), or `ziglang` for Python' >&2
        exit 1
    fi
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export CXX=$PWD/fuzz/zig-c++.sh CXXSTDLIB="" "CARGO_TARGET_${host}_LINKER=$PWD/fuzz/zig-c++.sh"
fi

# The code is safe Rust, and no sanitizer of Rust's sees into the assembly of AWS-LC.
export BUILD="--sanitizer none --target-dir $directory/build"
cargo fuzz build $BUILD
fuzz/seeds.sh "$directory/seeds"

fuzz_one() {
    local target=$1 log=$directory/$1.log dictionary=$directory/$1.dict status=0
    cat fuzz/dictionaries/json.dict "fuzz/dictionaries/$target.dict" >"$dictionary"
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run $BUILD "$target" "fuzz/corpus/$target" "$directory/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -dict="$dictionary" >"$log" 2>&1 || status=$?
    if ((status == 0)); then
        printf '%-8s %s\n' "$target" "$(grep -E '^#[0-9]+[[:space:]]+DONE' "$log")"
    else
        grep -vE '^#[0-9]+[[:space:]]' "$log" | tail -n 60 >&2
        printf 'error: the fuzz target `%s` failed; hint: CONTRIBUTING.md, "Fuzzing"\n' "$target" >&2
    fi
    # 255 would keep the others from running.
    return $((status != 0))
}
export -f fuzz_one
export seconds directory

targets=("$@")
((${#targets[@]} > 0)) || mapfile -t targets < <(cargo fuzz list)
printf '%s\n' "${targets[@]}" | xargs -P "$(getconf _NPROCESSORS_ONLN)" -I '{}' bash -euo pipefail -c 'fuzz_one {}'
