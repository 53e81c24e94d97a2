#!/usr/bin/env bash
# run.sh [--rounds N] [--quick] [--only PART_OF_A_NAME]: installs what is missing,
# builds, and prints the tables of doc/performance.md as markdown: what each workload
# costs chatd, what it costs a server that does nothing else, and what it costs those of
# the servers that people use that are installed. Takes some minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
cmake/build.sh release chatd bench_load bench_bare bench_peer bench_parts
exec /usr/bin/python3 bench/run.py "$@"
