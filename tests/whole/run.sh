#!/usr/bin/env bash
# run.sh [--seconds S] [--seed N] [--world K]: random clients, operators, reloads and
# hand-overs against chatd with the address sanitizer, in one world after the other, and a
# ledger of what has to hold. Two minutes and the seed 1 without anything. Fails at the first
# fault, and says which world it was: what happens there is drawn from its number and the seed
# alone, so that the same world tries the same again (but for the time that things take).
# CHATD names another chatd, which is not built then.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

run=()
if [[ ! ${CHATD-} ]]; then
  cmake/packages.sh build test
  cmake/build.sh asan chatd chatctl
  export CHATD=$PWD/build/asan/bin/chatd CHATCTL=$PWD/build/asan/bin/chatctl
  export CHATD_SANITIZER=address
  if setarch -R true 2>/dev/null; then run=(setarch -R); fi
  export ASAN_OPTIONS=quarantine_size_mb=8  # memory is compared
  run+=(tests/support/sanitized.sh build/asan/tests/reports)
fi
export CHATD_TEST_GUARD=${CHATD_TEST_GUARD-60}
exec "${run[@]}" /usr/bin/python3 -B tests/whole/whole.py "$@"
