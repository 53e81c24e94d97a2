#!/usr/bin/env bash
# test.sh [PART...]: installs missing packages, then runs the parts named, or `release`
# without any. All parts are run even if one fails; the exit code is 1 if any failed.
# A SUITE is bookworm (Debian 12) or trixie (Debian 13); without any, both are tested.
#   release  builds the release, runs all tests except `service`, `image` and `grade`
#   asan     the same with the address, undefined and leak sanitizers
#   tsan     the same with the thread sanitizer
#   service [SUITE...]  the package, in a booted Debian of its own; needs root
#   image    the image of the Dockerfile, built and run; needs root
#   web      the visitor's page and the widget in Chromium and Firefox, against the release
#   grade    testssl.sh against chatd, for TLS 1.3 alone and for 1.2 as well: some minutes, for a
#            machine that does nothing else
#   format   clang-format on every C++ file
#   shell    shellcheck on every shell script
#   tidy [FOLDER...]  clang-tidy on every C++ file that is compiled, or on those of these
#            folders; `all` looks at the programs alone
#   fuzz     builds the fuzz targets with clang and runs the short form of each;
#            `tests/fuzz/run.sh SECONDS` is the long one
#   whole    random clients, operators, reloads and hand-overs against chatd with the
#            address sanitizer, for two minutes; `tests/whole/run.sh --seconds N` is the
#            long form
#   faults   of `release`, only the tests of what fails around the programs (tests/faults)
#   allocator the test of `faults` that makes an allocation fail, for each allocation
#   valgrind memcheck over the unit tests and over a chatd that serves
#   soak     500 clients that come and go, for ten minutes and a million messages;
#            `bench/soak/run.sh` alone takes three minutes
#   all      everything above but `grade`
#   bare [SUITE...]  ./run.sh and ./test.sh in a minimal Debian; needs root and some
#            minutes, and is therefore not in `all`
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

say() { echo "test.sh: $*" >&2; }

# Our own files, whether git knows them or not: PATTERN...
ours() {
  local pattern names=()
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o -type f \( "${names[@]:1}" \) -print0
}

# A command that runs ctest, if there has to be one.
run_by=()

# Runs the tests of a preset that ctest chooses by these options; fails if there are none:
# PRESET OPTION...
run_tests() {
  local preset=$1 listed
  shift
  listed=$(ctest --preset "$preset" "$@" -N </dev/null 2>&1) || true
  if [[ $listed == *"Total Tests: 0"* ]]; then
    say "build/$preset has no tests of this part: ctest --preset $preset $* finds none"
    return 1
  fi
  "${run_by[@]}" ctest --preset "$preset" "$@" </dev/null
}

build_and_test() {
  local preset=$1
  cmake/packages.sh build test
  say "building $preset"
  cmake/build.sh "$preset"
  say "testing $preset"
  # Older sanitizers may fail where addresses are randomised; in a container that forbids
  # setarch to change that, the tests run without it.
  if setarch -R true 2>/dev/null; then run_by=(setarch -R); fi
  # More tests at once than cores: end-to-end tests wait more than they compute.
  # The tests that boot a Debian, build an image or take minutes are parts of their own.
  run_tests "$preset" -LE '^(service|image|grade)$' -j "$((2 * $(nproc)))"
}

part_release() { build_and_test release; }
part_asan() { build_and_test asan; }
part_tsan() { build_and_test tsan; }

part_service() {
  cmake/packages.sh build test service
  say "building release"
  cmake/build.sh release chatd chatctl
  say "testing the service"
  local suites
  suites=$(IFS='|' && echo "${*:-bookworm|trixie}")
  run_tests release -R "^service/(units|booted-($suites))\$"
}

part_image() {
  cmake/packages.sh build test image service
  say "building release"
  cmake/build.sh release chatd chatctl
  say "testing the image"
  run_tests release -L '^image$'
}

part_grade() {
  cmake/packages.sh build test grade
  say "building release"
  cmake/build.sh release chatd chatctl
  say "looking for what is weak in its TLS"
  run_tests release -L '^grade$'
}

part_web() {
  cmake/packages.sh build web
  say "building release"
  cmake/build.sh release chatd
  say "testing in browsers"
  tests/web/run.sh
}

# Whether clang-format or clang-tidy is the version that decides, Debian 12's: PROGRAM.
judges() {
  local version
  version=$("$1" --version | grep -oE '[0-9]+' | head -n 1)
  ((version == 14)) && return
  say "NOT CHECKED: $1 14 (Debian 12) is needed; this is version $version"
  return 1
}

part_format() {
  cmake/packages.sh lint
  judges clang-format || return 0
  say "checking the format"
  ours '*.cpp' '*.hpp' | xargs -0 clang-format --dry-run --Werror
}

part_shell() {
  cmake/packages.sh lint
  say "checking the scripts"
  { ours '*.sh'; printf '%s\0' .ci/run; } | xargs -0 shellcheck
}

part_tidy() {
  cmake/packages.sh build lint
  judges clang-tidy || return 0
  say "building release"
  cmake/build.sh release
  say "running clang-tidy"
  /usr/bin/python3 cmake/tidy.py build/release "$@"
}

part_fuzz() {
  cmake/packages.sh build fuzz
  say "building fuzz"
  cmake/build.sh fuzz fuzz_targets
  say "fuzzing"
  tests/fuzz/run.sh
}

part_whole() {
  tests/whole/run.sh
}

part_faults() {
  cmake/packages.sh build test
  say "building release"
  cmake/build.sh release chatd chatctl faulty intruder
  say "testing faults"
  run_tests release -L '^faults$'
}

part_allocator() {
  cmake/packages.sh build test
  say "building release"
  cmake/build.sh release chatd chatctl faulty
  say "failing every allocation"
  CHATD_TEST_LONG=1 run_tests release -R '^faults/allocator$'
}

part_valgrind() {
  cmake/packages.sh build test valgrind
  say "building release"
  cmake/build.sh release
  say "running valgrind"
  tests/valgrind.sh
}

part_soak() {
  bench/soak/run.sh 600
}

part_bare() {
  cmake/packages.sh bare
  say "making a bare Debian to test in"
  tests/bare.sh "$@"
}

# `all` runs three rows at once: parts that mostly wait, parts that only compute, and parts
# that take long. The last two rows are niced, so that two cores are always busy and no test
# runs out of time.
waiting=(format shell release web service image asan tsan)
computing=(valgrind fuzz whole allocator)
lasting=(soak "tidy daemon console")

# Runs one part after the other, each given with its suites in one word: HOW PART...
# Writes the names of those that fail to descriptor 3. HOW is `shown` (the output of a part
# is seen at once) or `kept` (it is seen when the part has ended).
in_turn() {
  local how=$1 part words started result said
  shift
  for part in "$@"; do
    read -ra words <<<"$part"
    started=$SECONDS
    result=passed
    if [[ $how == shown ]]; then
      ./test.sh "${words[@]}" 3>&- || result=FAILED
    else
      said=$(mktemp)
      nice -n 10 ./test.sh "${words[@]}" >"$said" 2>&1 3>&- || result=FAILED
      cat "$said"
      rm "$said"
    fi
    say "$part: $result, $((SECONDS - started)) s"
    if [[ $result == FAILED ]]; then echo "$part" >&3; fi
  done
}

(($#)) || set -- release
all=
if [[ $* == all ]]; then
  all=yes
  set -- "${waiting[@]}" "${computing[@]}" "${lasting[@]}"
fi
parts=()
# What belongs to the part before: suites, or folders.
of_part=
for word in "$@"; do
  if [[ $of_part && ! $word =~ ^($of_part)$ ]]; then of_part=; fi
  if [[ $of_part ]]; then
    parts[-1]+=" $word"
  elif declare -F "part_${word%% *}" >/dev/null; then
    parts+=("$word")
    case $word in
      service | bare) of_part="bookworm|trixie" ;;
      tidy) of_part="(daemon|console|tests|bench)[a-z/]*" ;;
    esac
  else
    say "there is no part '$word'; see the head of $0"
    exit 2
  fi
done

if ((${#parts[@]} == 1)); then
  part=$1
  shift
  "part_$part" "$@"
  exit
fi

failures=$(mktemp)
exec 3>"$failures"
if [[ ! $all ]]; then
  in_turn shown "${parts[@]}"
else
  # All packages now, so that no row waits for another's apt.
  cmake/packages.sh build test runtimes web service image lint fuzz valgrind bench
  # Every row begins with this build: a niced row must not hold up the others with it.
  cmake/build.sh release
  in_turn kept "${computing[@]}" &
  in_turn kept "${lasting[@]}" &
  in_turn shown "${waiting[@]}"
  wait
fi
failed=$(paste -s -d ' ' "$failures")
rm "$failures"
if [[ $failed ]]; then
  say "FAILED: $failed"
  exit 1
fi
