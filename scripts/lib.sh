# shellcheck shell=bash
# Shared by the scripts beside it; source it, do not run it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
export root jobs

say() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Configures and builds a preset: build_preset release [ninja targets...] [-- cmake options...]
build_preset() {
  local preset=$1 targets=() options=()
  shift
  while (($#)) && [[ $1 != -- ]]; do targets+=("$1") && shift; done
  (($#)) && shift
  options=("$@")
  mkdir -p "$root/build"
  (cd "$root" && cmake --preset "$preset" "${options[@]}" >"$root/build/$preset.configure.log" 2>&1) || {
    cat "$root/build/$preset.configure.log" >&2
    return 1
  }
  ninja -C "$root/build/$preset" -j "$jobs" "${targets[@]}"
}
