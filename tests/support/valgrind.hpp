/// Whether this runs under valgrind (tests/valgrind.sh sets it). Tests that only compute try
/// fewer cases there, through the same code, and what depends on how fast it is has more time.
#pragma once

#include <cstdlib>

namespace chatd::test {

inline bool under_valgrind() {
  return std::getenv("CHATD_TEST_VALGRIND") != nullptr;
}

}  // namespace chatd::test
