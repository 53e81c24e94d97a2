#include "events/event_log.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "base/most_number.hpp"

namespace chatd {

namespace {

constexpr std::size_t kBlockBytes = 128UL * 1024;

}  // namespace

Payload EventLog::seal(std::uint32_t& count) {
  count = 0;
  if (buffer_.empty()) return {};
  count = static_cast<std::uint32_t>(last_seq_ - sealed_seq_);
  Payload batch{buffer_, count};
  assert(blocks_.empty() || blocks_.back().last == sealed_seq_);
  if (buffer_.size() >= kBlockBytes) {
    blocks_.push_back({sealed_seq_ + 1, 0, {}, batch});
  } else {
    if (!fits_into_last(buffer_.size())) {
      blocks_.push_back({sealed_seq_ + 1, 0, std::exchange(spare_, {}), {}});
      blocks_.back().lines.reserve(kBlockBytes);
    }
    blocks_.back().lines += buffer_;
  }
  blocks_.back().last = sealed_seq_ = last_seq_;
  bytes_ += buffer_.size();
  while (bytes_ - blocks_.front().view().size() >= max_bytes_ && blocks_.size() > 1) {
    bytes_ -= blocks_.front().view().size();
    spare_ = std::move(blocks_.front().lines);
    spare_.clear();
    blocks_.pop_front();
  }
  if (spare_.capacity() > kKeptBytes) give_back(spare_);
  empty_out(buffer_);
  return batch;
}

bool EventLog::fits_into_last(std::size_t bytes) const {
  if (blocks_.empty() || !blocks_.back().batch.empty()) return false;
  return blocks_.back().lines.size() + bytes <= kBlockBytes;
}

void EventLog::save(ByteWriter& out) const {
  out.number(sealed_seq_);
  out.number<std::uint64_t>(blocks_.size());
  for (const Block& block : blocks_) {
    out.number(block.first);
    out.number(block.last);
    out.text(block.view());
  }
}

void EventLog::restore(ByteReader& in) {
  const auto last = in.number<Seq>();
  std::deque<Block> blocks;
  std::size_t bytes = 0;
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    Block block{in.number<Seq>(), in.number<Seq>(), {}, {}};
    block.lines = in.text();
    const auto lines = std::count(block.lines.begin(), block.lines.end(), '\n');
    in.require(block.first > 0 && block.first <= block.last &&
               block.last - block.first + 1 == static_cast<std::uint64_t>(lines));
    in.require(blocks.empty() || block.first == blocks.back().last + 1);
    bytes += block.lines.size();
    blocks.push_back(std::move(block));
  }
  in.require(last <= kMostNumber && (blocks.empty() || blocks.back().last == last));
  if (!in.ok()) return;
  blocks_ = std::move(blocks);
  bytes_ = bytes;
  sealed_seq_ = last_seq_ = last;
}

void EventLog::go_on_after(Seq seq) {
  assert(buffer_.empty() && blocks_.empty());
  if (seq <= kMostNumber) sealed_seq_ = last_seq_ = std::max(last_seq_, seq);
}

Seq EventLog::first_seq() const {
  return blocks_.empty() ? sealed_seq_ + 1 : blocks_.front().first;
}

Payload EventLog::after(Seq& since) const {
  const auto block = std::lower_bound(blocks_.begin(), blocks_.end(), since + 1,
                                      [](const Block& kept, Seq seq) { return kept.last < seq; });
  if (block == blocks_.end()) return {};
  const Seq from = std::exchange(since, block->last);
  if (from + 1 == block->first && !block->batch.empty()) return block->batch;
  std::string_view lines = block->view();
  for (Seq seq = block->first; seq <= from; ++seq) {
    lines.remove_prefix(lines.find('\n') + 1);
  }
  return Payload{lines, static_cast<std::uint32_t>(block->last - std::max(from, block->first - 1))};
}

}  // namespace chatd
