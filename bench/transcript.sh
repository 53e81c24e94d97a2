#!/usr/bin/env bash
# transcript.sh [--rounds N] [--quick]: installs missing packages, builds, and prints the
# tables of doc/performance.md about transcripts as markdown: what they cost the loop for
# each message, and how long history and search take among a hundred thousand messages.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench
cmake/build.sh release chatd bench_load
exec /usr/bin/python3 bench/transcript.py "$@"
