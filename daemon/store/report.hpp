/// How recording goes: counts, and sentences for people when it fails or works again. Knows
/// no thread: whoever uses it holds the lock.
///
/// Invariant: a failure is told once, and the next one only after it was told that recording
/// works again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chatd::store {

struct Counts {
  std::uint64_t recorded = 0;  ///< events that are in the file, since the start
  std::uint64_t lost = 0;      ///< events that never will be
};

class Report {
 public:
  void recorded(std::size_t events) { counts_.recorded += events; }
  void lost(std::size_t events) { counts_.lost += events; }
  /// To be called before lost() for the events that the failure costs.
  void fails(const std::string& why);
  void works();
  /// Something else that people should know.
  void tell(std::string notice) { notices_.push_back(std::move(notice)); }

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] bool has_notices() const { return !notices_.empty(); }
  [[nodiscard]] std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  Counts counts_;
  std::optional<std::uint64_t> lost_before_;  // it fails: so many were lost before that
  std::vector<std::string> notices_;
};

}  // namespace chatd::store
