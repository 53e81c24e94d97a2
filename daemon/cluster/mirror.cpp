#include "cluster/mirror.hpp"

#include <algorithm>
#include <cassert>

namespace chatd::cluster {

Mirror::Verdict Mirror::take(Interval block) {
  assert(block.after < block.upto);
  heard(block.upto);
  if (block.upto <= cursor_) return Verdict::kKnown;
  if (block.after > cursor_) return Verdict::kAhead;
  cursor_ = block.upto;
  next_ask_ = {};  // what is still missing is asked for at once
  return Verdict::kTake;
}

void Mirror::heard(Number last) {
  if (next_ask_ == kNever) next_ask_ = {};
  known_ = std::max(known_, last);
}

bool Mirror::asks(Time now) {
  if (!is_behind() || now < next_ask_) return false;
  next_ask_ = now + kPatience;
  return true;
}

Time Mirror::deadline() const {
  return is_behind() ? next_ask_ : kNever;
}

void Mirror::lost() {
  next_ask_ = kNever;
}

}  // namespace chatd::cluster
