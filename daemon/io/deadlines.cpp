#include "io/deadlines.hpp"

#include <cassert>

namespace chatd::io {

Deadlines::Deadlines(Loop& loop, std::function<void(std::uint32_t id)> over)
    : loop_{loop}, over_{std::move(over)}, timer_{loop, [this] { on_timer(); }} {
  timer_.keep_loop_running();
}

void Deadlines::set(std::uint32_t id, Time& now, Time when) {
  assert(now == kNever || ids_.contains({now, id}));
  if (now != kNever) ids_.erase({now, id});
  now = when;
  if (when != kNever) ids_.emplace(when, id);
  timer_.start_at(ids_.empty() ? kNever : ids_.begin()->first);
}

void Deadlines::on_timer() {
  while (!ids_.empty() && ids_.begin()->first <= loop_.now()) {
    const auto first = *ids_.begin();
    over_(first.second);
    assert(!ids_.contains(first));
  }
  if (!ids_.empty()) timer_.start_at(ids_.begin()->first);
}

}  // namespace chatd::io
