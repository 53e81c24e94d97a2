#include "store/report.hpp"

#include <cassert>

namespace chatd::store {

void Report::fails(const std::string& why) {
  if (lost_before_) return;
  lost_before_ = counts_.lost;
  notices_.push_back("transcripts cannot be written: " + why +
                     "; the chat goes on, but what is said may not be recorded");
}

void Report::works() {
  if (!lost_before_) return;
  assert(counts_.lost >= *lost_before_);
  const auto lost = counts_.lost - *lost_before_;
  lost_before_.reset();
  notices_.push_back("transcripts are written again; " +
                     (lost == 0 ? std::string{"nothing is missing"}
                                : std::to_string(lost) + " events were not recorded"));
}

}  // namespace chatd::store
