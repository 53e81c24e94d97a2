#include "clients/ways.hpp"

#include <cassert>
#include <utility>

namespace chatd {

Ways::Number Ways::take(Way way) {
  if (way.empty()) return kBare;
  const auto [place, is_new] = numbers_.emplace(std::move(way), kBare);
  if (!is_new) {
    ++uses_[place->second - 1].count;
    return place->second;
  }
  if (free_.empty()) {
    uses_.emplace_back();
    place->second = static_cast<Number>(uses_.size());
  } else {
    place->second = free_.back();
    free_.pop_back();
  }
  uses_[place->second - 1] = {place, 1};
  return place->second;
}

void Ways::give_back(Number number) {
  if (number == kBare) return;
  Use& use = uses_[number - 1];
  assert(use.count > 0);
  if (--use.count > 0) return;
  numbers_.erase(use.place);
  if (numbers_.empty()) {
    uses_ = {};
    free_ = {};
  } else {
    free_.push_back(number);
  }
}

const Way& Ways::at(Number number) const {
  static const Way kNone;
  if (number == kBare) return kNone;
  assert(uses_[number - 1].count > 0);
  return uses_[number - 1].place->first;
}

}  // namespace chatd
