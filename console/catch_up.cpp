#include "console/catch_up.hpp"

#include <utility>

#include "console/view.hpp"

namespace chatd::console {

void CatchUp::begin(std::uint64_t upto) {
  *this = {};
  upto_ = upto;
}

void CatchUp::note(const Event& event) {
  if (event.kind != EventKind::kMessage || event.seq > upto_) return;
  ++messages_;
  clients_.insert(event.session());
  if (since_.empty()) since_ = event.time;
}

std::string CatchUp::end() {
  const CatchUp all = std::exchange(*this, {});
  if (all.messages_ == 0) return {};
  return std::to_string(all.messages_) + " unread from " + std::to_string(all.clients_.size()) +
         (all.clients_.size() == 1 ? " client" : " clients") + " since " +
         local_time(all.since_, true);
}

}  // namespace chatd::console
