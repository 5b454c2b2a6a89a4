#!/usr/bin/env bash
# Installs what the tests need, builds and runs all of them, and ends with one line: N passed, N failed.
#   bash tests/run.sh            everything, as CI does
#   bash tests/run.sh dev        one configuration: dev, eigen or sanitize
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

configurations=("$@")
[ "$#" -gt 0 ] || configurations=(dev eigen sanitize)

bash .ci/install.sh build test || exit 1
venv=build/test-venv
if ! cmp -s tests/requirements.txt "$venv/installed.txt"; then
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt &&
    cp tests/requirements.txt "$venv/installed.txt" || exit 1
fi

passed=0
failed=0
for configuration in "${configurations[@]}"; do
  echo "=== $configuration"
  log="build/$configuration-ctest.log"
  cmake --preset "$configuration" -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DOCTAVO_TEST_PYTHON="$PWD/$venv/bin/python" \
    >"build/$configuration-configure.log" 2>&1 || { cat "build/$configuration-configure.log"; exit 1; }
  cmake --build --preset "$configuration" || exit 1
  ctest --preset "$configuration" --no-tests=error 2>&1 | tee "$log"
  summary=$(grep -E 'tests passed, [0-9]+ tests? failed out of [0-9]+' "$log") || { echo "no test ran"; exit 1; }
  wrong=$(sed -E 's/.*, ([0-9]+) tests? failed out of.*/\1/' <<<"$summary")
  all=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$summary")
  failed=$((failed + wrong))
  passed=$((passed + all - wrong))
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
