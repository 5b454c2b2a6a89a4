#!/usr/bin/env bash
# Installs the Debian packages of one or more groups of packages.txt, where they are missing.
set -euo pipefail
list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

packages=()
for group in "$@"; do
  mapfile -t found < <(awk -v group="[$group]" '/^#/ || NF == 0 {next} /^\[/ {on = ($0 == group); next} on' "$list")
  [ "${#found[@]}" -gt 0 ] || { echo "install.sh: no group '$group' in $list" >&2; exit 2; }
  packages+=("${found[@]}")
done

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
