#!/usr/bin/env bash
# search.sh [--messages N] [--rounds N]: installs missing packages, builds, and prints the table
# of doc/performance.md about searches among many messages as markdown, with what the index of
# words costs. CHATD_BIN: a folder with another chatd.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
[[ -n ${CHATD_BIN:-} ]] || cmake/build.sh release chatd
exec /usr/bin/python3 bench/search.py "$@"
