#include "config/unknown_variables.hpp"

#include <algorithm>

#include "base/chatd_variables.hpp"
#include "config/keys.hpp"

namespace chatd {

std::vector<std::string> unknown_variables(const std::vector<std::string>& names) {
  // The last two are chatctl's, which may have the same environment, and service/handover.cpp's.
  std::vector<std::string> known{"CHATD_CONFIG", "CHATD_LISTEN", "CHATD_SOCKET", "CHATD_HANDOVER"};
  for (const auto& key : config_keys()) known.push_back(key.variable());
  std::vector<std::string> sentences;
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    sentences.push_back(unknown_variable(name, known));
  }
  return sentences;
}

std::vector<std::string> unknown_variables() {
  return unknown_variables(chatd_variables());
}

}  // namespace chatd
