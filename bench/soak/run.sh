#!/usr/bin/env bash
# run.sh [SECONDS]: 500 clients that come, talk and go, one that never reads, operators
# that come and go; after a third of the time and at the end all leave. Fails unless the
# ledgers of both ends agree, descriptors are what they were and, in the long form, what is
# kept in memory without load stays flat. Three minutes; the long form, `run.sh 600`, goes
# on until there were a million messages, at most for 25 minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cmake/packages.sh build bench
cmake/build.sh release chatd
exec /usr/bin/python3 -B bench/soak/soak.py "${1:-180}"
