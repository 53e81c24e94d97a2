#!/usr/bin/env bash
# run.sh [BROWSER...]: installs what the tests of the visitor's page need, then runs them in
# chromium and firefox, or in those named, one after the other; headless, as root or not.
# TESTS='resume widget' runs only these files.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

say() { echo "web/run.sh: $*" >&2; }

../../cmake/packages.sh web
# Debian's nodejs has no npm; other packages of that name do.
command -v npm >/dev/null || ../../cmake/packages.sh web-npm

# Browsers are Debian's: no package may bring one of its own.
if ! cmp -s package-lock.json node_modules/installed; then
  say "installing what package-lock.json names"
  npm ci --ignore-scripts --no-audit --no-fund >&2
  cp package-lock.json node_modules/installed
fi

failed=0
for browser in "${@:-chromium firefox}"; do
  for one in $browser; do
    say "testing in $one"
    for test in ${TESTS:-size conversation resume widget access lighthouse}; do
      BROWSER=$one node --test "$test.test.js" || failed=1
    done
  done
done
exit "$failed"
