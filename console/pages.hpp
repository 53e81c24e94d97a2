/// Several pages of `history` or `search` as one answer: the newest messages, up to the
/// number that was asked for. Knows neither the connection nor how messages are shown.
/// Invariant: messages() and documents() are the same messages, the oldest first.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "console/control_client.hpp"
#include "console/event.hpp"

namespace chatd::console {

class Pages {
 public:
  explicit Pages(std::uint64_t wanted) : wanted_{wanted} {}

  /// The page to ask for.
  [[nodiscard]] Page next() const;
  /// Adds the answer for next(). Returns whether there is another page to ask for.
  [[nodiscard]] bool add(const nlohmann::json& result);

  [[nodiscard]] const std::vector<PastMessage>& messages() const { return messages_; }
  /// The messages as the daemon sent them.
  [[nodiscard]] const std::vector<nlohmann::json>& documents() const { return documents_; }

 private:
  std::uint64_t wanted_;
  std::uint64_t before_ = 0;  // the number of the oldest message; 0: there is none yet
  std::vector<PastMessage> messages_;
  std::vector<nlohmann::json> documents_;
};

}  // namespace chatd::console
