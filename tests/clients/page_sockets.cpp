/// Pages and their connections on real sockets: who is charged for them and until when, what waits
/// for them, and how they end. What is said on them is in pages.cpp.
#include "clients/page_sockets.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/client_frames.hpp"
#include "http/frame.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

Config web_config() {
  Config config = line_config();
  config.listen = {Listener{{"127.0.0.1", 0}}};
  return config;
}

/// How a page comes.
struct PageWay {
  std::size_t listener = 0;
  const char* from = nullptr;  ///< see Bench::connect()
  std::string header{};        ///< of a proxy
};

/// A visitor's page.
class PageEnd {
 public:
  explicit PageEnd(Bench& bench, const std::string& token = {}, const PageWay& way = {})
      : bench_{bench}, peer_{bench.connect(way.listener, 0, way.from)} {
    peer_->read();
    peer_->send(way.header +
                "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Protocol: chat.chatd.v1\r\n\r\n");
    const auto resume = token.empty() ? "" : R"(,"resume":")" + token + '"';
    say(R"({"type":"hello","seen":0)" + resume + '}');
  }

  void say(std::string_view frame) { send(client_frame(kFin | kText, frame)); }
  void send(std::string_view bytes) { peer_->send(bytes); }
  bool hears(std::string_view part) {
    return run_until(bench_.loop, [&] { return has(part); });
  }
  [[nodiscard]] bool has(std::string_view part) const {
    return peer_->received().find(part) != std::string::npos;
  }
  [[nodiscard]] std::size_t count(std::string_view part) const {
    const auto& all = peer_->received();
    std::size_t found = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }
  std::string token() {
    REQUIRE(hears("\"for\":"));
    constexpr std::string_view kBegin = R"("resume":")";
    const auto& all = peer_->received();
    return all.substr(all.find(kBegin) + kBegin.size(), 32);
  }
  /// Whether that close is the last that it gets.
  bool ends_with(std::uint16_t code, std::string_view reason) {
    std::string close;
    http::append_close(close, code, reason);
    return run_until(bench_.loop, [&] { return peer_->ended(); }) &&
           peer_->received().ends_with(close);
  }
  void leave() { peer_->leave(); }

 private:
  Bench& bench_;
  std::unique_ptr<Peer> peer_;
};

bool are_charged(Bench& bench, std::size_t sessions) {
  return run_until(bench.loop, [&] { return bench.clients.accounts().sessions() == sessions; });
}

bool is_away(Bench& bench) {
  return run_until(bench.loop, [&] {
    const auto all = bench.clients.sessions().list();
    return all.size() == 1 && all[0].state == "away" && bench.clients.connections().size() == 0;
  });
}

TEST_CASE("page sockets: a page is charged once, whether it is there, away, or back",
          "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  const auto token = page.token();
  CHECK(bench.clients.accounts().sessions() == 1);
  page.leave();
  REQUIRE(is_away(bench));
  CHECK(bench.clients.accounts().sessions() == 1);
  PageEnd back{bench, token};
  REQUIRE(back.hears(R"("resumed":true)"));
  CHECK(bench.clients.accounts().sessions() == 1);
  CHECK(bench.clients.stats().accepted == 1);
  back.say(R"({"type":"bye"})");
  CHECK(back.ends_with(http::kNormalClosure, ""));
  back.leave();
  CHECK(are_charged(bench, 0));
  CHECK(bench.clients.stats().sessions == 0);
}

TEST_CASE("page sockets: of two pages with one token one is charged", "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  PageEnd second{bench, page.token()};
  REQUIRE(second.hears(R"("resumed":true)"));
  CHECK(page.ends_with(4001, "the session goes on elsewhere"));
  page.leave();
  CHECK(are_charged(bench, 1));
  CHECK(bench.clients.stats().sessions == 1);
}

TEST_CASE("page sockets: a page that does not come back in time is charged no more",
          "[clients][page-sockets]") {
  auto config = web_config();
  config.web.resume = Duration{20};
  Bench bench{config};
  PageEnd page{bench};
  const auto token = page.token();
  page.leave();
  CHECK(are_charged(bench, 0));
  PageEnd late{bench, token};
  CHECK(late.hears(R"("resumed":false)"));
  CHECK(bench.clients.stats().accepted == 2);
}

TEST_CASE("page sockets: what a page has not seen is lost with it", "[clients][page-sockets]") {
  auto config = web_config();
  config.web.resume = Duration{0};
  Bench bench{config};
  Operator op{bench};
  op.result("subscribe");
  PageEnd page{bench};
  const int session = op.wait_event("connected")["session"];
  op.result("send", {{"to", session}, {"text", "one"}});
  op.result("send", {{"to", session}, {"text", "two"}});
  page.leave();
  CHECK(op.wait_event("disconnected")["lost"] == 2);
  CHECK(op.result("stats")["lost"] == 2);
  CHECK(op.result("stats")["delivered"] == 0);
}

TEST_CASE("page sockets: what waits for a page that is away has a limit",
          "[clients][page-sockets]") {
  auto config = web_config();
  config.limits.output_soft = config.limits.output_hard = 4096;
  Bench bench{config};
  PageEnd page{bench};
  const auto token = page.token();
  page.leave();
  REQUIRE(is_away(bench));
  const std::string text(1000, 'x');
  std::size_t taken = 0;
  while (taken < 10 && bench.clients.stats().sessions == 1) {
    const auto sent = bench.clients.sessions().send({false, {1}}, text, "ann");
    if (!sent.receipt.refused.empty()) break;
    ++taken;
  }
  CHECK(taken >= 3);
  CHECK(taken <= 4);
}

TEST_CASE("page sockets: frames that are wrong cost the connection, and not the session",
          "[clients][page-sockets]") {
  struct Row {
    std::string bytes;
    std::uint16_t code;
    std::string reason;
  };
  const std::vector<Row> rows = {
      {"\x81\x01x", http::kProtocolError, "it has sent a frame without a mask"},
      {client_frame(kFin | kBinary, "x"), http::kUnsupportedData, "it has sent a binary message"},
      {client_frame(kFin | kText, "\xFF"), http::kInvalidPayload,
       "it has sent text that is not UTF-8"},
      {frame_head(kFin | kText, 1U << 20U), http::kMessageTooBig,
       "it has sent a message that is too long"},
      {client_frame(kFin | kText, "no JSON"), http::kPolicyViolation, "a frame is not JSON"},
      {client_frame(kClose, "\x0F\xA0"), 4000, ""},
  };
  for (const auto& [bytes, code, reason] : rows) {
    INFO(reason);
    Bench bench{web_config()};
    PageEnd page{bench};
    const auto token = page.token();
    page.send(bytes);
    CHECK(page.ends_with(code, reason));
    page.leave();
    REQUIRE(is_away(bench));
    PageEnd back{bench, token};
    CHECK(back.hears(R"("resumed":true)"));
  }
}

TEST_CASE("page sockets: a ping is answered, and is no word of the page",
          "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  (void)page.token();
  page.send(client_frame(kPing, "there?") + client_frame(kPong, "unasked"));
  std::string pong;
  http::append_pong(pong, "there?");
  CHECK(page.hears(pong));
  CHECK(bench.clients.stats().messages_in == 0);
}

TEST_CASE("page sockets: of many pings at once the last is answered", "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  (void)page.token();
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += client_frame(kPing, "no");
  page.send(pings + client_frame(kPing, "last"));
  std::string pong;
  http::append_pong(pong, "last");
  REQUIRE(page.hears(pong));
  pong.clear();
  http::append_pong(pong, "no");
  CHECK(page.count(pong) < 100);  // one for each read
}

TEST_CASE("page sockets: how a page came is of who is there", "[clients][page-sockets]") {
  auto config = web_config();
  config.listen.push_back(Listener{{"127.0.0.1", 0}});
  config.listen.back().proxy_from = {*io::Network::parse("127.0.0.1")};
  Bench bench{config};
  PageEnd page{bench, {}, {.listener = 1, .header = "PROXY TCP4 192.0.2.1 192.0.2.9 4711 80\r\n"}};
  const auto token = page.token();
  CHECK_FALSE(bench.clients.sessions().list().at(0).via.empty());
  PageEnd back{bench, token};
  REQUIRE(back.hears(R"("resumed":true)"));
  CHECK(bench.clients.sessions().list().at(0).via.empty());
}

TEST_CASE(
    "page sockets: a page that takes too much memory gives way, there or away, and nobody else",
    "[clients][page-sockets]") {
  for (const bool is_there : {true, false}) {
    CAPTURE(is_there);
    Bench bench{web_config()};
    auto other = bench.speaking_client();
    PageEnd page{bench, {}, {.from = "127.0.0.2"}};
    (void)page.token();
    const std::string text(8000, 'x');
    for (std::uint64_t i = 0; i < 20; ++i) {
      page.say(R"({"type":"say","id":")" + std::to_string(i) + R"(","text":")" + text + "\"}");
      REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().messages_in == i + 2; }));
    }
    if (!is_there) {
      page.leave();
      REQUIRE(run_until(bench.loop, [&] { return bench.clients.connections().size() == 1; }));
    }
    bench.clients.eviction().set_limit(100'000);
    bench.loop.turn_again();
    REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 1; }));
    CHECK(bench.clients.sessions().list().at(0).dialect == "line");
  }
}

TEST_CASE("page sockets: what is kept of a page besides texts is memory, too",
          "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  (void)page.token();
  std::string texts;
  for (int i = 0; i < 400; ++i) {
    texts += client_frame(kFin | kText,
                          R"({"type":"say","id":")" + std::to_string(i) + R"(","text":"x"})");
  }
  page.send(texts);
  REQUIRE(run_until(bench.loop, [&] { return bench.clients.stats().messages_in == 400; }));
  bench.clients.eviction().set_limit(15'000);
  bench.loop.turn_again();
  CHECK(run_until(bench.loop, [&] { return bench.clients.stats().sessions == 0; }));
}

TEST_CASE("page sockets: when the daemon stops they are closed with 1001, behind all that was said",
          "[clients][page-sockets]") {
  auto config = web_config();
  config.session.farewell = "See you.";
  Bench bench{config};
  PageEnd page{bench};
  (void)page.token();
  PageEnd away{bench};
  (void)away.token();
  away.leave();
  REQUIRE(are_charged(bench, 2));
  bool done = false;
  bench.clients.stop([&] { done = true; });
  CHECK(page.ends_with(http::kGoingAway, "the daemon stops"));
  CHECK(page.has("See you."));
  CHECK_FALSE(page.has(R"("type":"bye")"));
  page.leave();
  CHECK(run_until(bench.loop, [&] { return done; }));
  CHECK(bench.clients.stats().sessions == 0);
}

TEST_CASE("page sockets: another process takes over sessions, not connections (1012)",
          "[clients][page-sockets]") {
  Bench bench{web_config()};
  PageEnd page{bench};
  (void)page.token();
  ByteWriter out;
  std::vector<int> descriptors;
  bench.clients.save(out, descriptors);
  CHECK(page.ends_with(http::kServiceRestart, "the daemon is replaced"));
  CHECK(bench.clients.stats().sessions == 1);
  CHECK(bench.clients.accounts().sessions() >= 1);
}

}  // namespace
}  // namespace chatd::test
