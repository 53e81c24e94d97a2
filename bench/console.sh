#!/usr/bin/env bash
# console.sh [--messages N] [--rounds N]: installs missing packages, builds, and prints the table
# of doc/performance.md about a console in a terminal as markdown. CHATD_BIN: a folder with
# another chatd.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
[[ -n ${CHATD_BIN:-} ]] || cmake/build.sh release chatd
exec /usr/bin/python3 bench/console.py "$@"
