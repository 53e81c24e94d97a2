#!/usr/bin/env bash
# run.sh [--rounds N] [--quick] [--only PART_OF_A_NAME]: installs missing packages, builds,
# and prints the tables of doc/performance.md as markdown: what each workload costs chatd, a
# server that does nothing else, and the well-known servers that are installed (group `peers`
# of cmake/packages.txt). Takes some minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
cmake/build.sh release chatd bench_load bench_bare bench_peer bench_parts
exec /usr/bin/python3 bench/run.py "$@"
