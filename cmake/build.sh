#!/usr/bin/env bash
# build.sh PRESET [TARGET...]: configures the preset if that is due and builds
# into build/PRESET. Writes to standard error only. Waits for another build.sh,
# so that two terminals may call it at once.
set -euo pipefail

preset=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=build/$preset

# If there is a ccache: the same objects wherever the tree lies. The package and the image
# that the tests build are compiled from copies of it.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9

# Ninja configures again by itself when a CMakeLists.txt changes, but does not
# know of the presets. A folder that was moved or copied is configured anew.
if [[ ! -e $folder/build.ninja || CMakePresets.json -nt $folder/build.ninja ]] ||
  ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$folder/CMakeCache.txt"; then
  cmake --fresh --preset "$preset" </dev/null >"$folder/configure.log" 2>&1 9>&- || {
    cat "$folder/configure.log" >&2
    exit 1
  }
fi

cd "$folder"
NINJA_STATUS="[%f/%t] " ninja "$@" </dev/null >&2 9>&-
