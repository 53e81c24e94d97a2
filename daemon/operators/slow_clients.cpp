#include "operators/slow_clients.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace chatd {

namespace {

/// How long an operator waits, once, for a client that takes nothing. Together with the length
/// of a turn nobody is kept waiting for more than 10 ms.
constexpr Duration kStall{5};

}  // namespace

SlowClients::SlowClients(io::Loop& loop, Connections& connections,
                         std::function<void(io::StreamId)> go_on)
    : loop_{loop}, connections_{connections}, go_on_{std::move(go_on)}, timer_{loop, [this] {
                                                                                 give_up();
                                                                               }} {
  connections_.on_relieved([this](core::Slot slot) { relieved(slot); });
}

SlowClients::~SlowClients() {
  connections_.on_relieved(nullptr);
}

void SlowClients::written_by(io::StreamId id, std::span<const core::Slot> congested) {
  for (const core::Slot slot : congested) {
    const auto taken = connections_.sent_bytes(slot);
    const auto deaf = deaf_.find(slot);
    if (deaf != deaf_.end() && deaf->second == taken) continue;
    if (deaf != deaf_.end()) deaf_.erase(deaf);
    // The time is read anew: what came before in this turn may have taken longer than kStall.
    waits_[id].push_back({slot, taken, loop_.update_now() + kStall});
    if (!std::exchange(timing_, true)) timer_.start(kStall);
  }
}

/// Ends the waits for which `over(wait)` is true, and lets those go on who wait for nobody any
/// more.
template <class Over>
void SlowClients::end_those(Over over) {
  std::vector<io::StreamId> free;
  for (auto place = waits_.begin(); place != waits_.end();) {
    assert(!place->second.empty());
    std::erase_if(place->second, over);
    if (place->second.empty()) {
      free.push_back(place->first);
      place = waits_.erase(place);
    } else {
      ++place;
    }
  }
  // Only now: an operator who goes on may write, and have to wait again.
  for (const auto id : free) {
    if (!waits_.contains(id)) go_on_(id);
  }
}

/// A client that operators wrote to has room again, or has gone.
void SlowClients::relieved(core::Slot slot) {
  deaf_.erase(slot);
  if (waits_.empty()) return;
  end_those([slot](const Wait& wait) { return wait.slot == slot; });
}

/// A client that takes nothing at all does not hold up an operator: what is written to it fills
/// its queue up to the hard limit, and then it is closed. One that takes some of what waits is
/// waited for.
void SlowClients::give_up() {
  timing_ = false;
  end_those([this](Wait& wait) {
    if (wait.until > loop_.now()) return false;
    const auto taken = connections_.sent_bytes(wait.slot);
    const bool deaf = std::exchange(wait.taken, taken) == taken;
    if (deaf) deaf_[wait.slot] = taken;
    wait.until = loop_.now() + kStall;
    return deaf;
  });
  auto next = kNever;
  for (const auto& [id, waits] : waits_) {
    for (const Wait& wait : waits) next = std::min(next, wait.until);
  }
  timing_ = next != kNever;
  timer_.start_at(next);
}

}  // namespace chatd
