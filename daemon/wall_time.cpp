#include "wall_time.hpp"

#include <array>

namespace chatd {

namespace {

void append_digits(std::string& out, unsigned value, std::size_t digits) {
  std::array<char, 4> text{};
  for (std::size_t i = digits; i > 0; value /= 10) text[--i] = static_cast<char>('0' + value % 10);
  out.append(text.data(), digits);
}

}  // namespace

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void append_rfc3339(std::string& out, WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
  out += ':';
  append_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
  out += '.';
  append_digits(out, static_cast<unsigned>(clock.subseconds().count()), 3);
  out += 'Z';
}

}  // namespace chatd
