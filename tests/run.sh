#!/usr/bin/env bash
# Installs what the tests need, builds and runs all of them, and ends with one line: N passed, N failed.
#   bash tests/run.sh                 everything, as CI does
#   bash tests/run.sh dev [eigen …]   these presets alone: dev, eigen, sanitize
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

presets=("$@")
[ "$#" -gt 0 ] || presets=(dev eigen sanitize)
venv=$PWD/build/test-venv
passed=0
failed=0

install_python_packages() {
  cmp -s tests/requirements.txt "$venv/installed.txt" && return
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt &&
    cp tests/requirements.txt "$venv/installed.txt"
}

build() {  # PRESET
  cmake --preset "$1" -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DOCTAVO_TEST_PYTHON="$venv/bin/python" && cmake --build --preset "$1"
}

run_tests() {  # PRESET: adds what ctest counted; a run without a count is one failure
  local log=build/$1-ctest.log summary wrong all
  ctest --preset "$1" -j "$(nproc)" 2>&1 | tee "$log"
  summary=$(grep -E 'tests passed, [0-9]+ tests? failed out of [0-9]+' "$log") || { failed=$((failed + 1)); return; }
  wrong=$(sed -E 's/.*, ([0-9]+) tests? failed out of.*/\1/' <<<"$summary")
  all=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$summary")
  failed=$((failed + wrong))
  passed=$((passed + all - wrong))
}

if bash .ci/install.sh build test && install_python_packages; then
  for preset in "${presets[@]}"; do
    echo "=== $preset"
    if build "$preset"; then run_tests "$preset"; else failed=$((failed + 1)); fi
    echo "=== $preset took until second $SECONDS"
  done
else
  failed=1
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
