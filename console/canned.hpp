/// Texts that are prepared in the configuration, for /reply. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "console/command.hpp"

namespace chatd::console {

class Canned {
 public:
  void configure(std::map<std::string, std::string> texts) { texts_ = std::move(texts); }

  [[nodiscard]] const std::map<std::string, std::string>& all() const { return texts_; }
  /// The text of that name, whatever its case, or of the only name that begins so; or why there is
  /// none.
  [[nodiscard]] std::variant<std::string, Refusal> find(std::string_view name) const;

 private:
  std::map<std::string, std::string> texts_;
};

/// `text` with {name} and {operator} put in; what is put in is not looked through again.
[[nodiscard]] std::string filled(std::string_view text, std::string_view name,
                                 std::string_view operator_name);

}  // namespace chatd::console
