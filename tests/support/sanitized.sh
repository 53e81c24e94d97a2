#!/usr/bin/env bash
# sanitized.sh FOLDER COMMAND...: runs the command, and fails if it fails or if
# any program in it, however it was started or ended, left a sanitizer's report.
# Reports go to files below FOLDER, so a test that reads standard error sees what
# it would see without a sanitizer; they are shown at the end.
set -euo pipefail

mkdir -p "$1"
reports=$(mktemp -d "$1/XXXXXX")
shift
trap 'rm -rf "$reports"' EXIT

# What a test sets by itself comes last and wins.
common="log_path=$reports/report:halt_on_error=1:print_stacktrace=1"
export ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="$common${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="$common:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

status=0
"$@" || status=$?

shopt -s nullglob
for report in "$reports"/*; do
  echo "--- sanitizer report ${report##*/}"
  cat "$report"
  status=1
done
exit "$status"
