#include "console/canned.hpp"

#include "base/text.hpp"
#include "base/words.hpp"
#include "console/fold.hpp"

namespace chatd::console {

std::variant<std::string, Refusal> Canned::find(std::string_view name) const {
  name = trimmed(name);
  const std::u32string typed = folded(name);
  std::vector<const std::pair<const std::string, std::string>*> meant;
  for (const auto& each : texts_) {
    if (each.first == name) return each.second;
    if (folded(each.first).starts_with(typed)) meant.push_back(&each);
  }
  if (meant.size() == 1) return meant.front()->second;
  const std::string shown = escaped(prefix_of(name, 40));
  if (meant.empty()) return Refusal{"no reply is called '" + shown + "'; /reply shows them all"};
  std::string names;
  for (const auto* each : meant) {
    if (folded(each->first) == typed) return each->second;
    names += (names.empty() ? "" : ", ") + escaped(each->first);
  }
  return Refusal{"'" + shown + "' may mean several replies: " + names};
}

std::string filled(std::string_view text, std::string_view name, std::string_view operator_name) {
  constexpr std::string_view kName = "{name}";
  constexpr std::string_view kOperator = "{operator}";
  std::string out;
  while (!text.empty()) {
    if (text.starts_with(kName)) {
      out += name;
      text.remove_prefix(kName.size());
    } else if (text.starts_with(kOperator)) {
      out += operator_name;
      text.remove_prefix(kOperator.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace chatd::console
