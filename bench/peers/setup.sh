#!/usr/bin/env bash
# Makes the environments of peers: bench/peers/setup.sh [NAME ...], by default all of them.
# Each gets its own, bench/peers/.venv-NAME, with the versions of NAME/requirements.txt.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- kernels rltools stable-baselines3 sbx
for name in "$@"; do
  venv=$here/.venv-$name
  echo "== $name: $venv"
  python3 -m venv "$venv"
  # Line by line: what comes first decides the versions of what it needs.
  while read -r requirement; do
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$requirement"
  done < <(grep -v '^#' "$here/$name/requirements.txt")
  if [ "$name" = rltools ]; then
    # The flags with which the package compiles itself; OpenBLAS is the system's (libopenblas-dev).
    include=$("$venv/bin/python" -c 'import pathlib, rltools; print(pathlib.Path(rltools.__file__).parent / "external/rl_tools/include")')
    mkdir -p "$here/.build-rltools"
    for activation in RELU FAST_TANH; do
      "${C