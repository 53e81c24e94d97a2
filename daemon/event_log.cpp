#include "event_log.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace chatd {

namespace {

constexpr std::size_t kBlockBytes = 128UL * 1024;

}  // namespace

Payload EventLog::seal(std::uint32_t& count) {
  count = 0;
  if (buffer_.empty()) return {};
  count = static_cast<std::uint32_t>(last_seq_ - sealed_seq_);
  const bool fits = !blocks_.empty() && blocks_.back().lines.size() + buffer_.size() <= kBlockBytes;
  if (!fits) {
    blocks_.push_back({sealed_seq_ + 1, 0, {}});
    blocks_.back().lines.reserve(std::max(kBlockBytes, buffer_.size()));
  }
  blocks_.back().lines += buffer_;
  blocks_.back().last = sealed_seq_ = last_seq_;
  bytes_ += buffer_.size();
  while (bytes_ - blocks_.front().lines.size() >= max_bytes_ && blocks_.size() > 1) {
    bytes_ -= blocks_.front().lines.size();
    blocks_.pop_front();
  }
  Payload lines{buffer_, count};
  buffer_.clear();
  if (buffer_.capacity() > 256 * 1024) std::string{}.swap(buffer_);
  return lines;
}

core::Seq EventLog::first_seq() const {
  return blocks_.empty() ? sealed_seq_ + 1 : blocks_.front().first;
}

Payload EventLog::after(core::Seq& since) const {
  const auto block =
      std::lower_bound(blocks_.begin(), blocks_.end(), since + 1,
                       [](const Block& kept, core::Seq seq) { return kept.last < seq; });
  if (block == blocks_.end()) return {};
  const core::Seq from = std::exchange(since, block->last);
  std::string_view lines = block->lines;
  for (core::Seq seq = block->first; seq <= from; ++seq) {
    lines.remove_prefix(lines.find('\n') + 1);
  }
  return Payload{lines, static_cast<std::uint32_t>(block->last - std::max(from, block->first - 1))};
}

}  // namespace chatd
