// The whole core as a state machine, with the model of support/model.hpp beside it: the
// input decides what happens next, on a clock that it moves, too.
#include <cstdlib>
#include <cstring>

#include "fuzz/fuzz.hpp"
#include "support/model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chatd::fuzz::Input input{data, size};
  chatd::test::model::Walk walk{[&input] { return input.number(); }};
  try {
    while (!input.empty()) walk.step();
    walk.finish();
  } catch (const chatd::test::model::Violation& violation) {
    chatd::fuzz::must(false, violation.what());
  }
  return 0;
}
