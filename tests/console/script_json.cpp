// The one shape in which scripts get events.
#include "console/script_json.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace chatd::console {

using nlohmann::json;

TEST_CASE("script_json: history and tail have one shape", "[console][script-json]") {
  const json said{{"seq", 6}, {"time", "2026-11-29T08:34:49.885Z"}, {"session", 1}, {"text", "hi"}};
  json event = said;
  event["event"] = "message";
  CHECK(flat_event({{"jsonrpc", "2.0"}, {"method", "message"}, {"params", said}}) == event);
  json past = said;
  past["direction"] = "in";
  past["state"] = "received";
  CHECK(flat_past(past) == event);

  json sent = said;
  sent["operator"] = "ann";
  sent["state"] = "held";
  json sent_event = sent;
  sent_event["event"] = "sent";
  CHECK(flat_event({{"jsonrpc", "2.0"}, {"method", "sent"}, {"params", sent}}) == sent_event);
  sent["direction"] = "out";
  CHECK(flat_past(sent) == sent_event);
}

TEST_CASE("script_json: what is not as it should be has what it has", "[console][script-json]") {
  CHECK(flat_event({{"method", "new"}}) == json{{"event", "new"}});
  CHECK(flat_event({{"method", "new"}, {"params", 7}}) == json{{"event", "new"}});
  CHECK(flat_past(7) == 7);
}

}  // namespace chatd::console
