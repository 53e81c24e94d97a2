#!/usr/bin/env bash
# valgrind.sh: memcheck, with all leaks and descriptors, over the unit tests of the release
# and over a chatd that serves a few clients and operators and stops. Any report fails it;
# nothing is suppressed. The model walks a quarter of its way here, and the exhaustive tests
# of text try only texts in which a bit of every kind differs (tests/support/valgrind.hpp).
# All tests are in, except:
#   two of outbox     they ask how much is allocated, and valgrind says 0
#   one of acceptor   valgrind enforces the limit of descriptors itself: it accepts a
#                     connection beyond the limit, and closes it
#   one of backpressure  a client that takes nothing for a moment is given up there, and
#                     under valgrind that client is as slow as its daemon
#   one of text       it is hidden, and a part of another one that is in
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=build/release/bin
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

export CHATD_TEST_VALGRIND=1

memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full --track-fds=yes
  --fair-sched=yes --child-silent-after-fork=yes "--log-file=$reports/%p")

# A report may contain only that the process inherited the report's own file, and that
# valgrind does not know SIOCOUTQNSD.
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

unit base '~text: every string of three bytes*'
unit core '~outbox: the memory of one message*' '~outbox: all its memory*'
unit io '~acceptor: without descriptors it says so once*'
unit store
unit config
unit log
unit events
unit clients
unit operators '~backpressure: an operator waits for a client that reads slowly*'
unit process
unit console
unit service
smoke
