/// The bytes that wait to be sent on one stream: payloads in order, the first of them
/// perhaps partly gone. Knows no descriptor. Small, and without memory of its own
/// while there is at most one payload, for that is nearly always so.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/payload.hpp"

namespace chatd::io {

class SendQueue {
 public:
  /// Appends `bytes`; an empty payload is not kept.
  void push(Payload bytes);

  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  /// Bytes that wait.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The weights of all payloads of which at least one byte waits.
  [[nodiscard]] std::size_t weight() const;

  /// Describes what waits, from the front, in up to `vectors.size()` parts.
  /// Returns how many; they are valid until the queue changes.
  std::size_t gather(std::span<iovec> vectors) const;
  /// Calls `each(payload, rest)` for each payload from the front; `rest` is the part of it
  /// that waits: the whole of each but the first.
  template <class Each>
  void each(Each each) const {
    each_while([&each](const Payload& payload, std::string_view rest) {
      each(payload, rest);
      return true;
    });
  }
  /// The same, until it returns false.
  template <class Each>
  void each_while(Each each) const {
    if (empty() || !each(first_, first_.view().substr(offset_))) return;
    if (rest_ == nullptr) return;
    for (std::size_t i = rest_->begin; i < rest_->payloads.size(); ++i) {
      if (!each(rest_->payloads[i], rest_->payloads[i].view())) return;
    }
  }
  /// Takes `count` bytes, at most bytes(), from the front. Returns how many of these lie behind
  /// the last payload that has a weight and is gone whole now; nothing if there is none.
  std::optional<std::size_t> consume(std::size_t count);
  void clear();

 private:
  /// Payloads after the first. Those before `begin` have moved on.
  struct Rest {
    std::vector<Payload> payloads;
    std::size_t begin = 0;
  };

  void advance();

  Payload first_;
  std::unique_ptr<Rest> rest_;
  std::size_t bytes_ = 0;
  std::size_t offset_ = 0;  // bytes of first_ that are gone
};

}  // namespace chatd::io
