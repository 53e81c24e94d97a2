#!/usr/bin/env bash
# run.sh [--rounds N] [--quick] [--only PART_OF_A_NAME]: installs what is missing,
# builds, and prints the table of doc/performance.md as markdown: what each workload
# costs chatd, and what it costs a server that does nothing else. Takes some minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
cmake/build.sh release chatd bench_load bench_bare
exec /usr/bin/python3 bench/run.py "$@"
