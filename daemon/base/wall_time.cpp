#include "base/wall_time.hpp"

#include <array>

namespace chatd {

namespace {

template <std::size_t kDigits>
void put_digits(char* at, unsigned value) {
  for (std::size_t i = kDigits; i > 0; value /= 10) at[--i] = static_cast<char>('0' + value % 10);
}

}  // namespace

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void Dates::set(Time now, WallTime wall) {
  const auto offset = wall - WallTime{now.time_since_epoch()};
  // A smaller difference: this process was late, or the clock is being slewed.
  if (std::chrono::abs(offset - offset_) > std::chrono::seconds{1}) offset_ = offset;
}

std::array<char, 24> rfc3339(WallTime time) {
  // Every event has one, so the date is computed only once a second.
  struct Second {
    std::chrono::sys_seconds begin = std::chrono::sys_seconds::min();
    std::array<char, 24> text{"0000-00-00T00:00:00.000"};
  };
  static thread_local Second last;
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  auto& text = last.text;
  if (second != last.begin) {
    last.begin = second;
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{second - day};
    put_digits<4>(&text[0], static_cast<unsigned>(static_cast<int>(date.year())));
    put_digits<2>(&text[5], static_cast<unsigned>(date.month()));
    put_digits<2>(&text[8], static_cast<unsigned>(date.day()));
    put_digits<2>(&text[11], static_cast<unsigned>(clock.hours().count()));
    put_digits<2>(&text[14], static_cast<unsigned>(clock.minutes().count()));
    put_digits<2>(&text[17], static_cast<unsigned>(clock.seconds().count()));
    text[23] = 'Z';
  }
  put_digits<3>(&text[20], static_cast<unsigned>((time - second).count()));
  return text;
}

void append_rfc3339(std::string& out, WallTime time) {
  const auto text = rfc3339(time);
  out.append(text.data(), text.size());
}

}  // namespace chatd
