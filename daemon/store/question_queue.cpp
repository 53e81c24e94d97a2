#include "store/question_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chatd::store {

namespace {

bool can_be_answered(const QuestionQueue::Waiting& question, const Progress& progress) {
  return progress.fails || question.ticket <= progress.recorded;
}

}  // namespace

std::optional<QuestionQueue::Waiting> QuestionQueue::take(const Progress& progress,
                                                          Steady::time_point now) {
  // Whoever was served longest ago, or never, comes first.
  const auto turn = [this](std::uint64_t asker) {
    const auto found = std::find(served_.begin(), served_.end(), asker);
    return found == served_.end() ? 0 : 1 + std::distance(served_.begin(), found);
  };
  auto next = all_.end();
  for (auto each = all_.begin(); each != all_.end(); ++each) {
    if (each->deadline <= now) {
      next = each;
      break;
    }
    if (!can_be_answered(*each, progress)) continue;
    if (next == all_.end() || turn(each->ask.asker) < turn(next->ask.asker)) next = each;
  }
  if (next == all_.end()) return std::nullopt;
  Waiting taken = std::move(*next);
  all_.erase(next);
  std::erase(served_, taken.ask.asker);
  served_.push_back(taken.ask.asker);
  // Who asks nothing more is forgotten.
  std::erase_if(served_, [&](std::uint64_t asker) {
    return asker != taken.ask.asker &&
           std::none_of(all_.begin(), all_.end(),
                        [&](const auto& each) { return each.ask.asker == asker; });
  });
  return taken;
}

std::optional<QuestionQueue::Steady::time_point> QuestionQueue::deadline() const {
  const auto first = std::min_element(
      all_.begin(), all_.end(),
      [](const auto& one, const auto& other) { return one.deadline < other.deadline; });
  if (first == all_.end()) return std::nullopt;
  return first->deadline;
}

bool QuestionQueue::has_others(std::uint64_t asker) const {
  return std::any_of(all_.begin(), all_.end(),
                     [asker](const auto& each) { return each.ask.asker != asker; });
}

}  // namespace chatd::store
