#include "io/send_queue.hpp"

#include <cassert>
#include <utility>

namespace chatd::io {
namespace {

/// Room for a usual burst, so that it costs one allocation.
constexpr std::size_t kFirstCapacity = 16;
/// Below this many, emptied places at the front are not worth moving the rest.
constexpr std::size_t kCompactAt = 64;

iovec part(std::string_view bytes) {
  // sendmsg does not write through it; the type is not const for readv's sake.
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

void SendQueue::push(Payload bytes) {
  if (bytes.empty()) return;
  const bool was_empty = empty();
  bytes_ += bytes.size();
  if (was_empty) {
    first_ = std::move(bytes);
    return;
  }
  if (rest_ == nullptr) {
    rest_ = std::make_unique<Rest>();
    rest_->payloads.reserve(kFirstCapacity);
  } else if (rest_->begin >= kCompactAt && rest_->begin * 2 >= rest_->payloads.size()) {
    rest_->payloads.erase(rest_->payloads.begin(),
                          rest_->payloads.begin() + static_cast<std::ptrdiff_t>(rest_->begin));
    rest_->begin = 0;
  }
  rest_->payloads.push_back(std::move(bytes));
}

std::size_t SendQueue::weight() const {
  if (empty()) return 0;
  std::size_t sum = first_.weight();
  if (rest_ == nullptr) return sum;
  for (std::size_t i = rest_->begin; i < rest_->payloads.size(); ++i) {
    sum += rest_->payloads[i].weight();
  }
  return sum;
}

std::size_t SendQueue::gather(std::span<iovec> vectors) const {
  if (empty() || vectors.empty()) return 0;
  assert(offset_ < first_.size());
  std::size_t count = 0;
  vectors[count++] = part(first_.view().substr(offset_));
  if (rest_ == nullptr) return count;
  for (std::size_t i = rest_->begin; i < rest_->payloads.size() && count < vectors.size(); ++i) {
    vectors[count++] = part(rest_->payloads[i].view());
  }
  return count;
}

std::optional<std::size_t> SendQueue::consume(std::size_t count) {
  assert(count <= bytes_);
  std::optional<std::size_t> behind;
  bytes_ -= count;
  while (count > 0) {
    assert(offset_ < first_.size());
    const std::size_t left = first_.size() - offset_;
    if (count < left) {
      offset_ += count;
      if (behind) *behind += count;
      break;
    }
    count -= left;
    if (first_.weight() > 0) {
      behind = 0;
    } else if (behind) {
      *behind += left;
    }
    advance();
  }
  return behind;
}

void SendQueue::clear() {
  *this = SendQueue{};
}

void SendQueue::advance() {
  offset_ = 0;
  if (rest_ == nullptr) {
    first_ = Payload{};
    return;
  }
  first_ = std::move(rest_->payloads[rest_->begin++]);
  if (rest_->begin == rest_->payloads.size()) rest_.reset();
}

}  // namespace chatd::io
