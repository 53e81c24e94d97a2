#include "clients/heap_trim.hpp"

#include <utility>

#include "base/memory.hpp"

namespace chatd {

namespace {

constexpr std::size_t kTrimAfter = 1000;
constexpr Duration kTrimDelay{1000};

}  // namespace

HeapTrim::HeapTrim(io::Loop& loop, std::function<void()> give_back)
    : give_back_{std::move(give_back)}, timer_{loop, [this] { trim(); }} {}

void HeapTrim::freed(std::size_t sessions) {
  const bool was_much = freed_ >= kTrimAfter;
  freed_ += sessions;
  if (!was_much && freed_ >= kTrimAfter) soon();
}

void HeapTrim::soon() {
  timer_.start(kTrimDelay);
}

void HeapTrim::trim() {
  freed_ = 0;
  give_back_();
  give_back_heap();
}

}  // namespace chatd
