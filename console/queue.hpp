/// The order of /list and of `chatctl list`: who has waited longest for an answer comes first.
/// Pure.
#pragma once

#include <vector>

#include "console/event.hpp"

namespace chatd::console {

/// Whether `a` stands before `b`: those who wait for an answer come first, the longest wait
/// first, and among them those who can say more before those who asked and closed their sending
/// side; then all others, those who have gone last. Otherwise by id.
[[nodiscard]] bool is_before_in_queue(const SessionInfo& a, const SessionInfo& b);

void sort_as_queue(std::vector<SessionInfo>& sessions);

}  // namespace chatd::console
