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

void HeapTrim::session_gone() {
  if (++gone_ == kTrimAfter) soon();
}

void HeapTrim::soon() {
  timer_.start(kTrimDelay);
}

void HeapTrim::trim() {
  gone_ = 0;
  give_back_();
  give_back_heap();
}

}  // namespace chatd
