#include "console/pages.hpp"

#include <algorithm>
#include <cassert>

#include "console/wire.hpp"

namespace chatd::console {
namespace {

constexpr std::uint64_t kLongestPage = 200;

std::uint64_t number_of(const nlohmann::json& document) {
  const auto seq = document.find("seq");  // end() if it is not an object
  return seq != document.end() && seq->is_number_unsigned() ? seq->get<std::uint64_t>() : 0;
}

}  // namespace

Page Pages::next() const {
  const std::uint64_t missing = wanted_ - std::min<std::uint64_t>(wanted_, messages_.size());
  return {before_, static_cast<std::size_t>(std::min(kLongestPage, missing))};
}

bool Pages::add(const nlohmann::json& result) {
  const PastPage page = decode_past(result);
  messages_.insert(messages_.begin(), page.messages.begin(), page.messages.end());
  if (page.messages.empty()) return false;
  before_ = page.messages.front().seq;
  const nlohmann::json& documents = result["messages"];
  assert(documents.size() == page.messages.size());
  documents_.insert(documents_.begin(), documents.begin(), documents.end());
  // `search` gives the newest one first.
  const auto end = documents_.begin() + static_cast<std::ptrdiff_t>(documents.size());
  std::sort(documents_.begin(), end,
            [](const auto& a, const auto& b) { return number_of(a) < number_of(b); });
  return page.more && messages_.size() < wanted_;
}

}  // namespace chatd::console
