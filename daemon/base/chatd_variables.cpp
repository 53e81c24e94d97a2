#include "base/chatd_variables.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/nearest.hpp"
#include "base/text.hpp"

namespace chatd {

namespace {

constexpr std::string_view kPrefix = "CHATD_";
/// The bytes of a name that a sentence repeats.
constexpr std::size_t kShown = 80;

/// Whether `rest` is what stands behind PORT_: "8080_TCP", "8080_TCP_ADDR".
bool is_port(std::string_view rest) {
  const auto end = rest.find_first_not_of("0123456789");
  if (end == 0 || end == std::string_view::npos) return false;
  rest.remove_prefix(end);
  for (const std::string_view protocol : {"_TCP", "_UDP", "_SCTP"}) {
    if (!rest.starts_with(protocol)) continue;
    const auto part = rest.substr(protocol.size());
    return part.empty() || part == "_PROTO" || part == "_PORT" || part == "_ADDR";
  }
  return false;
}

}  // namespace

bool is_made_by_platform(std::string_view name, std::string_view value) {
  if (!name.starts_with(kPrefix)) return false;
  const auto rest = name.substr(kPrefix.size() - 1);  // with its underscore
  if (rest == "_PORT" || rest == "_NAME" || rest.starts_with("_ENV_")) return true;
  if (rest.ends_with("_SERVICE_HOST") || rest.ends_with("_SERVICE_PORT")) return true;
  if (rest.find("_SERVICE_PORT_") != std::string_view::npos) return true;
  constexpr std::string_view kPort = "_PORT_";
  for (auto at = rest.find(kPort); at != std::string_view::npos; at = rest.find(kPort, at + 1)) {
    if (is_port(rest.substr(at + kPort.size()))) return true;
  }
  // CHATD_LISTEN_PORT=8080 is a mistake, CHATD_WEB_PORT=tcp://10.0.0.7:8080 is Kubernetes.
  return rest.ends_with("_PORT") && value.find("://") != std::string_view::npos;
}

std::vector<std::string> chatd_variables() {
  std::vector<std::string> names;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable{*each};
    const auto name = variable.substr(0, variable.find('='));
    if (!name.starts_with(kPrefix)) continue;
    const auto value = variable.substr(std::min(variable.size(), name.size() + 1));
    if (!is_made_by_platform(name, value)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string unknown_variable(std::string_view name, std::span<const std::string> known) {
  // All begin alike, which must not count as a likeness.
  std::vector<std::string_view> ends;
  for (const std::string& each : known) {
    ends.push_back(std::string_view{each}.substr(kPrefix.size()));
  }
  const auto near = nearest(name.substr(std::min(name.size(), kPrefix.size())), ends);
  std::string sentence = "the variable " + escaped(prefix_of(name, kShown)) +
                         (name.size() > kShown ? "..." : "") + " is not known";
  if (!near.empty()) {
    sentence += "; did you mean ";
    sentence += kPrefix;
    sentence += near;
    sentence += '?';
  }
  return sentence;
}

}  // namespace chatd
