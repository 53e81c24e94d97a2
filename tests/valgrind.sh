#!/usr/bin/env bash
# valgrind.sh: memcheck, with all leaks and descriptors, over the unit tests of the release
# and over a chatd that serves a few clients and operators and stops. Any report fails it;
# nothing is suppressed. Left out is what only computes and takes hours so ([exhaustive],
# [model]), what is about how long something takes ([backpressure]), what sets the limit of
# descriptors, of which valgrind takes some, what asks how much is allocated, which it does
# not tell, and a process that is meant to end unfreed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=build/release/bin
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --track-fds=yes
  --fair-sched=yes --child-silent-after-fork=yes "--log-file=$reports/%p")

# The report of a process may say that it inherited its own file, and that valgrind does
# not know SIOCOUTQNSD, and nothing else.
check() {
  local report bad
  for report in "$reports"/*; do
    bad=$(sed -E 's/^==[0-9]+== ?//' "$report" |
      awk '/^Open / { held = $0; next }
           /^Warning: noted but unhandled ioctl 0x894b/ { skip = 2; next }
           skip > 0 { --skip; next }
           /inherited from parent/ { held = ""; next }
           held != "" { print held; held = "" }
           /^(FILE DESCRIPTORS:.*)?$/ { next }
           { print }')
    rm "$report"
    if [[ $bad ]]; then
      echo "valgrind: $1:" >&2
      echo "$bad" >&2
      return 1
    fi
  done
}

unit() {
  local name=$1
  shift
  if ! "${memcheck[@]}" "$bin/test_$name" "$@" </dev/null >"$reports.out" 2>&1; then
    tail -40 "$reports.out" >&2
    check "test_$name" || true
    echo "valgrind: test_$name FAILED" >&2
    return 1
  fi
  check "test_$name"
  echo "valgrind: test_$name: $(tail -n 2 "$reports.out" | head -n 1)" >&2
}

smoke() {
  CHATD_TEST_GUARD=180 CHATD="$PWD/$bin/chatd" CHATCTL="$PWD/$bin/chatctl" \
    CHATD_VALGRIND="${memcheck[*]}" PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/faults/valgrind_smoke.py \
    </dev/null >&2
  check "chatd"
  echo "valgrind: chatd, served and stopped: nothing to report" >&2
}

unit core '~[exhaustive]' '~[model]' '~*memory*'
unit io '~*without descriptors*'
unit store '~*after a crash*'
unit wiring '~[backpressure]' '~*soft limit*' '~*reads slowly*'
unit console
smoke
