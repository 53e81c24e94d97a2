#!/usr/bin/env bash
# asserts.sh [--rounds N] [--quick]: installs what is missing, builds the release twice, with its
# asserts and without, and prints the table of doc/performance.md about what they cost, as
# markdown. Takes some minutes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake/packages.sh build bench valgrind
cmake/build.sh release chatd bench_load
echo "building chatd without asserts in build/without-asserts"
cmake -S . -B build/without-asserts -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS="-DNDEBUG -Wno-unused" -DBUILD_TESTING=OFF > build/without-asserts.log
cmake --build build/without-asserts --target chatd >> build/without-asserts.log
exec /usr/bin/python3 bench/asserts.py build/without-asserts/bin/chatd "$@"
