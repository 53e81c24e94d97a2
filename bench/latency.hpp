/// How long things took: percentiles of many durations.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace chatd::bench {

class Latency {
 public:
  void add(std::uint64_t ns) {
    all_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(ns, UINT32_MAX)));
  }

  /// The duration, in microseconds, that `share` of all do not exceed; 0 without any.
  double percentile_us(double share) {
    if (all_.empty()) return 0;
    const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(all_.size() - 1));
    std::nth_element(all_.begin(), all_.begin() + rank, all_.end());
    return all_[static_cast<std::size_t>(rank)] / 1000.0;
  }

 private:
  std::vector<std::uint32_t> all_;  // ns; four seconds are as bad as more
};

}  // namespace chatd::bench
