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
      "${CXX:-g++}" -std=c++17 -O3 -march=native -ffast-math -DRL_TOOLS_BACKEND_ENABLE_OPENBLAS \
        -DRL_TOOLS_DISABLE_UNALIGNED_MEMORY_ALLOCATIONS -DACTIVATION=$activation \
        -isystem "$include" "$here/rltools/main.cpp" -lopenblas \
        -o "$here/.build-rltools/ppo_pendulum_${activation,,}"
    done
  fi
done
if [ -d "$here/.venv-kernels" ]; then
  echo "kernels: $here/.venv-kernels/bin/pip install '.[bench]', then pytest bench from there"
fi
