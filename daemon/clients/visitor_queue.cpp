#include "clients/visitor_queue.hpp"

#include <utility>

namespace chatd {

VisitorQueue::VisitorQueue(io::Loop& loop, Callbacks callbacks)
    : callbacks_{std::move(callbacks)}, timer_{loop, [this] { try_all(false); }} {}

bool VisitorQueue::add(Doors::Visitor& visitor) {
  if (waiting_.size() >= kMost) return false;
  waiting_.push_back({std::move(visitor)});
  if (waiting_.size() == 1) timer_.start(kPause);
  return true;
}

void VisitorQueue::finish() {
  timer_.stop();
  try_all(true);
}

/// Tries are counted, not timed: however late the loop is, it has read between two of them.
void VisitorQueue::try_all(bool last) {
  for (auto left = waiting_.size(); left > 0; --left) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    ++waiting.tries;
    callbacks_.on_try(waiting.visitor, last || waiting.tries == kTries);
    if (waiting.visitor.socket) waiting_.push_back(std::move(waiting));
  }
  if (!waiting_.empty()) timer_.start(kPause);
}

}  // namespace chatd
