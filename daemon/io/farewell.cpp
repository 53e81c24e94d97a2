#include "io/farewell.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace chatd::io {

Farewell::Farewell(const SendQueue& queue, std::uint64_t sent, std::int64_t weighty, Time now)
    : weighty_{weighty},
      end_{static_cast<std::int64_t>(sent)},
      acknowledged_{queue.empty() ? end_ - 1 : end_},
      progress_{now} {
  assert(weighty_ <= end_);
  queue.each([this](const Payload& payload, std::string_view rest) {
    end_ += static_cast<std::int64_t>(rest.size());
    owed_.push_back({end_, payload.weight()});
  });
}

void Farewell::seen(std::uint64_t sent, std::size_t owed, Time now) {
  const auto acknowledged = static_cast<std::int64_t>(sent) - static_cast<std::int64_t>(owed);
  if (acknowledged > acknowledged_) progress_ = now;
  acknowledged_ = acknowledged;
  while (first_ < owed_.size() && owed_[first_].end <= acknowledged_) ++first_;
}

void Farewell::forget_queue(std::uint64_t sent) {
  end_ = static_cast<std::int64_t>(sent);
  while (owed_.size() > first_ && owed_.back().end > end_) owed_.pop_back();
}

bool Farewell::becomes_clear() {
  return is_acknowledged() && !std::exchange(told_, true);
}

bool Farewell::is_over(Time now, Duration patience) const {
  return now - progress_ >= patience;
}

Time Farewell::next_look(Time now, Duration patience) {
  const Time next = std::min(now + pace_, progress_ + patience);
  pace_ = std::min(pace_ * 2, kSlowestLook);
  return std::max(next, now + Duration{1});
}

std::size_t Farewell::unsent(bool exact) const {
  std::size_t sum = 0;
  for (std::size_t i = first_; i < owed_.size(); ++i) sum += owed_[i].weight;
  const bool more =
      exact ? acknowledged_ < weighty_ : sum == 0 && !is_acknowledged() && weighty_ != kNowhere;
  return more ? sum + 1 : sum;
}

}  // namespace chatd::io
