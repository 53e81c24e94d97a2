#!/usr/bin/env bash
# Installs missing packages, builds the release and becomes chatd with the arguments
# given. Until then all output goes to standard error.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { echo "run.sh: $*" >&2; }

"$root/cmake/packages.sh" build || { say "cannot build without these packages"; exit 1; }
say "building the release"
"$root/cmake/build.sh" release chatd chatctl || { say "the release did not build"; exit 1; }

exec "$root/build/release/bin/chatd" "$@"
