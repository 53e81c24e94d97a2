#!/usr/bin/env bash
# run.sh [SECONDS]: runs every fuzz target of build/fuzz, two at a time. Without an
# argument each runs for a fixed number of executions, together some two minutes on two
# cores. With SECONDS each runs for that long, and new inputs are kept in
# build/fuzz/corpus. Fails if a target finds a fault; the input is then in
# build/fuzz/found.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-}
build=build/fuzz
mkdir -p "$build/found"

# TARGET EXECUTIONS LONGEST
plan() {
  cat <<'PLAN'
framer 400000 400
text 400000 200
rpc 400000 400
saved 400000 120
words 400000 400
tls_records 12000 300
http 60000 800
websocket 40000 300
proxy_header 60000 300
reception 60000 300
page 15000 400
core 100000 300
handover 20000 120
arrivals 2000 300
config 30000 2000
PLAN
}

lead() {
  local name=$1 runs=$2 longest=$3
  local kept=$build/corpus/$name seeds=tests/fuzz/corpus/$name log=$build/found/$name.log
  local arguments=(-print_final_stats=1 -max_len="$longest" -timeout=25 -rss_limit_mb=2048
    -artifact_prefix="$build/found/$name-")
  [[ -e tests/fuzz/$name.dict ]] && arguments+=(-dict="tests/fuzz/$name.dict")
  if [[ $seconds ]]; then
    arguments+=(-max_total_time="$seconds")
  else
    # From the same beginning each time, so that what fails here fails again.
    kept=$(mktemp -d "$build/short.XXXXXX")
    arguments+=(-runs="$runs" -seed=1)
  fi
  mkdir -p "$kept"
  arguments+=("$kept" "$seeds")
  if ! "$build/bin/fuzz_$name" "${arguments[@]}" >"$log" 2>&1 </dev/null; then
    tail -60 "$log" >&2
    echo "fuzz: $name FAILED; the input lies in $build/found" >&2
    return 1
  fi
  echo "fuzz: $name: $(sed -n 's/stat::number_of_executed_units: *//p' "$log") executions," \
    "$(sed -n 's/stat::average_exec_per_sec: *//p' "$log") a second" >&2
  if [[ ! $seconds ]]; then rm -rf "$kept"; fi
}

export -f lead
export seconds build
plan | xargs -P 2 -L 1 bash -euc 'lead "$@"' lead
