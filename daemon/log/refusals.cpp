#include "log/refusals.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/text.hpp"

namespace chatd {

Refusals::Refusals(io::Loop& loop, std::string what)
    : loop_{loop}, log_{std::move(what)}, timer_{loop, [this] { say_overdue(); }} {}

void Refusals::add(const std::string& reason) {
  if (const auto line = log_.refused(reason, loop_.now())) spdlog::warn(escaped(*line));
  timer_.start_at(log_.deadline());
}

void Refusals::say_overdue() {
  if (const auto line = log_.overdue(loop_.now())) spdlog::warn(escaped(*line));
}

}  // namespace chatd
