#!/usr/bin/env bash
# build.sh PRESET [TARGET...]: configures the preset if necessary and builds into
# build/PRESET. Writes to standard error only. Waits for another build.sh of the same
# preset, so that two terminals may call it at once.
set -euo pipefail

preset=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=build/$preset

say() { echo "build.sh: $*" >&2; }

# For ccache, if it is installed: it finds the same objects wherever the tree lies. The
# package and the image that the tests build are compiled from copies of the tree.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9

# How the folder is configured: each option with its value, and where its tree lies.
configuration() {
  grep -E '^[^#/][^=]*:(BOOL|STRING|PATH|FILEPATH|UNINITIALIZED)=|^CMAKE_HOME_DIRECTORY:' \
    "$folder/CMakeCache.txt" 2>/dev/null | sort
}

# Ninja configures again by itself when a CMakeLists.txt changes, but does not know of the
# presets. A folder that was moved, copied, or configured in another way (without tests,
# for another prefix) is configured again.
due=
if [[ ! -e $folder/build.ninja || CMakePresets.json -nt $folder/build.ninja ]]; then
  due=yes
elif ! configuration | cmp -s - "$folder/configured"; then
  say "$folder was configured in another way; configuring it anew"
  due=yes
fi
if [[ $due ]]; then
  cmake --fresh --preset "$preset" </dev/null >"$folder/configure.log" 2>&1 9>&- || {
    cat "$folder/configure.log" >&2
    exit 1
  }
  configuration >"$folder/configured"
fi

built=0
(cd "$folder" && NINJA_STATUS="[%f/%t] " exec ninja "$@" </dev/null >&2 9>&-) || built=$?
# Ninja may have configured once more.
configuration >"$folder/configured"
exit "$built"
