#include "console/script_json.hpp"

#include <nlohmann/json.hpp>

namespace chatd::console {

using nlohmann::json;

json flat_event(const json& notification) {
  const auto params = notification.find("params");
  json flat = params != notification.end() && params->is_object() ? *params : json::object();
  flat["event"] = notification.value("method", "");
  return flat;
}

json flat_past(const json& message) {
  json flat = message;
  if (!flat.is_object()) return flat;
  const auto direction = flat.find("direction");
  const bool incoming = direction != flat.end() && *direction == "in";
  flat["event"] = incoming ? "message" : "sent";
  flat.erase("direction");
  if (incoming) flat.erase("state");  // of a message there is but one: it was received
  return flat;
}

}  // namespace chatd::console
