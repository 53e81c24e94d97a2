/// Warns of variables of the environment that begin with CHATD_ and set no key: a mistake that
/// would be seen by nobody.
#pragma once

#include <string>
#include <vector>

namespace chatd {

/// A sentence, escaped, for each variable of `names` that neither chatd nor chatctl knows.
[[nodiscard]] std::vector<std::string> unknown_variables(const std::vector<std::string>& names);
/// The same for those of this process (see chatd_variables()).
[[nodiscard]] std::vector<std::string> unknown_variables();

}  // namespace chatd
