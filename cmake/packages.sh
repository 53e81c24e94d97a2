#!/usr/bin/env bash
# packages.sh GROUP...: installs the missing packages of these groups of packages.txt.
# Writes to standard error only, and nothing if no package is missing.
# packages.sh --names SUITE GROUP...: prints the names of the packages in that Debian instead.
set -euo pipefail

list=$(dirname "${BASH_SOURCE[0]}")/packages.txt

say() { echo "packages.sh: $*" >&2; }

# The packages of these groups: SUITE GROUP...
names() {
  local suite=$1 group
  shift
  for group in "$@"; do
    awk -v group="$group" -v suite="$suite" \
      '$1 == group && (NF == 2 || $3 == suite) { print $2 }' "$list"
  done
}

if [[ ${1-} == --names ]]; then
  shift
  names "$@"
  exit
fi

if ! command -v dpkg-query >/dev/null; then
  say "this is not a Debian: not checking whether the packages of $list are installed"
  exit 0
fi

# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
mapfile -t wanted < <(names "$suite" "$@")

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    say "missing: ${missing[*]}"
    say "to install them, become root (there is no sudo here) and run: apt-get install ${missing[*]}"
    exit 1
  fi
  as_root=(sudo)
fi

apt() {
  # Standard input belongs to the caller. Waits for a lock that another apt holds.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

say "installing ${missing[*]}"
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
  say "could not install: ${missing[*]}"
  exit 1
fi
