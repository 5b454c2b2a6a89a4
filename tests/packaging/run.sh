#!/usr/bin/env bash
# run.sh CMAKE BUILD SOURCE WORK: installs BUILD under WORK and uses it, and the sources, from other projects.
set -euo pipefail
cmake=$1 build=$2 source=$3 work=$4
here=$source/tests/packaging digits=$source/examples/digits
rm -rf "$work" && mkdir -p "$work"

quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "FAILED: $*"; exit 1; }; }

echo "install, then move: nothing may depend on where it was put"
quietly "$cmake" --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix

echo "find_package: C++, C and core"
quietly "$cmake" -S "$here/installed" -B "$work/installed" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
quietly "$cmake" --build "$work/installed"
"$work/installed/uses_core"
"$work/installed/uses_capi" "$digits/digits.onnx"
"$work/installed/uses_cxx" "$digits/digits.onnx" "$digits/calib"

echo "pkg-config: C"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name octavo.pc)")
export PKG_CONFIG_PATH
read -ra flags <<<"$(pkg-config --cflags --libs octavo)"
cc -std=c99 "$source/examples/c/quantize.c" "${flags[@]}" -o "$work/quantize"
LD_LIBRARY_PATH=$(pkg-config --variable=libdir octavo) \
  quietly "$work/quantize" "$digits/digits.onnx" "$digits/calib" "$work/digits.onnx" pixel-range=0,1

echo "the command"
"$prefix/bin/octavo" --version

echo "add_subdirectory: the whole library, configured alone, as it has been built above; core alone, used"
quietly "$cmake" -S "$here/subdirectory" -B "$work/whole" -G Ninja -DOCTAVO_SOURCE="$source"
quietly "$cmake" -S "$here/subdirectory" -B "$work/subdirectory" -G Ninja -DOCTAVO_SOURCE="$source" -DOCTAVO_CORE_ONLY=ON
quietly "$cmake" --build "$work/subdirectory"
"$work/subdirectory/uses_core"
