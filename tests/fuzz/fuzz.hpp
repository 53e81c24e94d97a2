/// What every fuzz target needs: the input as a source of small choices, and must().
/// A target is LLVMFuzzerTestOneInput() in a file of its own. The preset `fuzz` links it
/// with libFuzzer; all others link it with replay.cpp, which runs the corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace chatd::fuzz {

/// Ends the process; the fuzzer then keeps the input.
inline void must(bool holds, const char* else_what) {
  if (holds) return;
  std::fprintf(stderr, "\nfuzz: %s\n", else_what);
  std::abort();
}

/// An input, taken from its front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_{reinterpret_cast<const char*>(data), size} {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  /// 0 when there is nothing left.
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  /// Small for one byte, so that a mutation of it matters; larger for three.
  std::uint32_t number() {
    const std::uint32_t first = byte();
    if (first < 0xFF) return first;
    const std::uint32_t second = byte();
    return (second << 8U) | byte();
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// A document to read. An even first byte: the rest of the input. An odd one: `good`
/// with changes of four bytes each: a place, what to do there, and a value.
inline std::string changed(Input input, std::string good) {
  if (input.byte() % 2 == 0) return std::string{input.rest()};
  while (!input.empty() && !good.empty()) {
    const std::size_t high = input.byte();
    const auto place = (high << 8U | input.byte()) % good.size();
    const auto what = input.byte();
    const auto with = static_cast<char>(input.byte());
    switch (what % 6) {
      case 0:
        good.erase(place, static_cast<unsigned char>(with));
        break;
      case 1:
        good.insert(place, 1 + what / 6, with);
        break;
      case 2:
        good.resize(place);
        break;
      case 3:
        good[place] = static_cast<char>(good[place] ^ with);
        break;
      default:
        good[place] = with;
        break;
    }
  }
  return good;
}

}  // namespace chatd::fuzz
