#!/usr/bin/env bash
# run.sh [BROWSER...]: installs what the tests of the visitor's page need, then runs them in
# chromium and firefox, or in those named, one after the other; headless, as root or not.
# They try build/release/bin/chatd, or the program that CHATD names.
# TESTS='resume widget' runs only these files. PICTURES=FOLDER writes the pictures of README.
set -euo pipefail

if [[ ${CHATD-} ]]; then CHATD=$(realpath -m "$CHATD"); fi
if [[ ${PICTURES-} ]]; then PICTURES=$(realpath -m "$PICTURES"); fi
cd "$(dirname "${BASH_SOURCE[0]}")"
export CHATD=${CHATD:-$(realpath -m ../../build/release/bin/chatd)} PICTURES

say() { echo "web/run.sh: $*" >&2; }

if [[ ! -x $CHATD ]]; then
  say "there is no $CHATD: build it, or name another by CHATD"
  exit 1
fi

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
    # Two files at once: they wait more than they compute.
    read -ra tests <<<"${TESTS:-resume conversation access widget entrance size}"
    BROWSER=$one node --test --test-concurrency=2 "${tests[@]/%/.test.js}" || failed=1
    if [[ $one == chromium && ! ${TESTS-} ]]; then
      # What Chromium alone can do; Lighthouse measures, and nothing else runs beside it.
      BROWSER=$one node --test --test-concurrency=1 pictures.test.js lighthouse.test.js || failed=1
    fi
  done
done
exit "$failed"
