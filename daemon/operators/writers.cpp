#include "operators/writers.hpp"

namespace chatd {

bool Writers::may_tell(std::string_view name, core::SessionId session, Time now) {
  while (!order_.empty() && now - order_.front().first >= kOnceIn) {
    told_.erase(order_.front().second);
    order_.pop_front();
  }
  if (order_.size() == kMost) return false;
  Key key{name, session};
  if (!told_.insert(key).second) return false;
  order_.emplace_back(now, std::move(key));
  return true;
}

}  // namespace chatd
