#include "config/units.hpp"

#include <array>
#include <cassert>
#include <cstdint>
#include <limits>
#include <span>

#include "config/fault.hpp"

namespace chatd {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 4> kSizeUnits{
    {{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}}};

/// A kind of number with a unit: its units, and words for the messages about it.
struct Measure {
  std::span<const Unit> units;
  std::string_view noun;      ///< "a duration"
  std::string_view smallest;  ///< unit, which a value counts
  std::string_view listed;
  std::string_view example;
};

constexpr Measure kDuration{kDurationUnits, "a duration", "milliseconds", "ms, s, m, h or d",
                            "\"50ms\""};
constexpr Measure kSize{kSizeUnits, "a size", "bytes", "B, KiB, MiB or GiB", "\"8KiB\""};

/// More than any key allows, and so little that ten times as much does not overflow.
constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 16;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `number` (digits, perhaps a point and more digits) times `factor`, exactly.
struct Product {
  enum class Outcome : std::uint8_t { kExact, kFraction, kTooLarge } outcome;
  std::uint64_t value = 0;
};

Product multiply(std::string_view whole, std::string_view fraction, std::uint64_t factor) {
  using enum Product::Outcome;
  std::uint64_t value = 0;
  for (const char c : whole) {
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
    if (value > kMost / factor) return {kTooLarge};
  }
  value *= factor;
  // As a fraction of whole numbers, because a double does not know a tenth.
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > 9) return {kFraction};  // a longer one could overflow below
  for (const char c : fraction) {
    numerator = numerator * 10 + static_cast<std::uint64_t>(c - '0');
    denominator *= 10;
  }
  if (numerator * factor % denominator != 0) return {kFraction};
  return {kExact, value + numerator * factor / denominator};
}

Result<std::uint64_t> parse(std::string_view text, const Measure& measure) {
  const std::string shown = in_quotes(text);
  const auto wrong = [&](std::string_view what) { return Error{shown + ' ' + std::string{what}}; };
  const auto not_one = [&] {
    return wrong("is not " + std::string{measure.noun} + "; a number with " +
                 std::string{measure.listed} + " would be right, such as " +
                 std::string{measure.example});
  };
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  const std::string_view whole = text.substr(0, end);
  if (whole.empty()) {
    if (text.size() > 1 && text[0] == '-' && is_digit(text[1])) {
      return wrong("is negative; " + std::string{measure.noun} + " cannot be");
    }
    return not_one();
  }
  std::string_view fraction;
  if (end < text.size() && text[end] == '.') {
    const std::size_t begin = ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
    fraction = text.substr(begin, end - begin);
    if (fraction.empty()) return not_one();
  }
  const std::string_view name = text.substr(end);
  if (name.empty()) {
    return wrong("has no unit; " + std::string{measure.listed} + " would be right, such as " +
                 std::string{measure.example});
  }
  for (const Unit& unit : measure.units) {
    if (unit.name != name) continue;
    const Product product = multiply(whole, fraction, unit.factor);
    switch (product.outcome) {
      case Product::Outcome::kExact:
        return product.value;
      case Product::Outcome::kFraction:
        return wrong("is not a whole number of " + std::string{measure.smallest});
      case Product::Outcome::kTooLarge:
        return wrong("is too large");
    }
  }
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) return not_one();
  }
  return wrong("has an unknown unit; " + std::string{measure.listed} + " would be right");
}

std::string format(std::uint64_t value, std::span<const Unit> units, std::string_view zero) {
  if (value == 0) return std::string{zero};
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (value % unit->factor == 0) {
      return std::to_string(value / unit->factor) + std::string{unit->name};
    }
  }
  assert(false);  // the smallest unit divides everything
  return {};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  auto count = parse(text, kDuration);
  if (!count) return count.error();
  return Duration{static_cast<Duration::rep>(*count)};
}

Result<std::size_t> parse_size(std::string_view text) {
  auto count = parse(text, kSize);
  if (!count) return count.error();
  return static_cast<std::size_t>(*count);
}

std::string format_duration(Duration value) {
  return format(static_cast<std::uint64_t>(value.count()), kDurationUnits, "0s");
}

std::string format_size(std::size_t value) {
  return format(value, kSizeUnits, "0B");
}

}  // namespace chatd
