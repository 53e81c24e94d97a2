// The framer of a WebSocket: what comes of its frames, and when it is pinged.
#include "core/framer.hpp"
#include "http/frame.hpp"
#include "http/websocket.hpp"

namespace chatd::core {

bool Framer::next_frame(std::string_view& input, const Settings& settings, Reading& reading) {
  const http::WebSocketLimits limits{.max_message = settings.max_message};
  while (reader_->next(input, limits, reading.event)) {
    if (take_event(reading)) return true;
  }
  return false;
}

/// True if it is a message.
bool Framer::take_event(Reading& reading) {
  using Kind = http::WebSocketEvent::Kind;
  const auto& event = reading.event;
  switch (event.kind) {
    case Kind::kText:
    case Kind::kBinary:  // it is a fault: see WebSocketLimits
      begun_ = true;
      reading.text = event.bytes;
      reading.cut = event.cut;
      return true;
    case Kind::kPing:
      reading.pong.clear();
      http::append_pong(reading.pong, event.bytes);
      return false;
    case Kind::kPong:  // TCP knows better whether the client is there
      return false;
    case Kind::kClose:
      reading.ended = "left";
      reading.close_code = event.code;
      reading.is_fault = false;
      return false;
    case Kind::kFault:
      reading.ended = "it ";
      reading.ended += to_string(event.fault);
      reading.close_code = event.code;
      reading.is_fault = true;
      return false;
  }
  return false;
}

void Framer::written(Time now) {
  if (reader_) deadline_ = now + kPingAfter;
}

}  // namespace chatd::core
