#!/usr/bin/env bash
# crash_records.sh [--rounds N] [--quick]: installs missing packages, builds, and prints the table
# of doc/performance.md about the records that let sessions outlive a crash, as markdown: what
# they cost for each message.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
cmake/build.sh release chatd bench_load
exec /usr/bin/python3 bench/crash_records.py "$@"
