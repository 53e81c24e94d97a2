#include "log/refusal_log.hpp"

#include <cassert>

namespace chatd {

std::optional<std::string> RefusalLog::refused(const std::string& reason, Time now) {
  ++count_;
  ++silent_;
  last_reason_ = reason;
  if (now < next_line_) return std::nullopt;
  return line(now);
}

std::optional<std::string> RefusalLog::overdue(Time now) {
  if (silent_ == 0 || now < next_line_) return std::nullopt;
  return line(now);
}

std::string RefusalLog::line(Time now) {
  assert(silent_ > 0 && silent_ <= count_);
  next_line_ = now + kInterval;
  const auto count = silent_;
  silent_ = 0;
  return "refused " + std::to_string(count) + " " + what_ + (count == 1 ? "" : "s") +
         ", the last one because " + last_reason_;
}

}  // namespace chatd
