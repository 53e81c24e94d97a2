/// Visitors' pages on real sockets, and what operators hear of them; what pages and their sessions
/// do is in pages.cpp.
#include "clients/page_sockets.hpp"

#include <string>

#include "http/client_frames.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

const std::string kComes =
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: chat.chatd.v1\r\n\r\n" +
    client_frame(kFin | kText, R"({"type":"hello","seen":0})");

TEST_CASE("page sockets: what a page has not seen is lost with it", "[clients][pages]") {
  Config config = line_config();
  config.listen = {Listener{{"127.0.0.1", 0}}};
  config.web.resume = Duration{0};
  Bench bench{config};
  Operator op{bench};
  op.result("subscribe");
  auto page = bench.connect();
  page->read();
  page->send(kComes);
  const int session = op.wait_event("connected")["session"];
  op.result("send", {{"to", session}, {"text", "one"}});
  op.result("send", {{"to", session}, {"text", "two"}});
  page->leave();
  CHECK(op.wait_event("disconnected")["lost"] == 2);
  CHECK(op.result("stats")["lost"] == 2);
  CHECK(op.result("stats")["delivered"] == 0);
}

}  // namespace
}  // namespace chatd::test
