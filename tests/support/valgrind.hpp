/// Whether this runs under valgrind, as tests/valgrind.sh says: what only computes tries
/// less there, but goes through the same code.
#pragma once

#include <cstdlib>

namespace chatd::test {

inline bool under_valgrind() {
  return std::getenv("CHATD_TEST_VALGRIND") != nullptr;
}

}  // namespace chatd::test
