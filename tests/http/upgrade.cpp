#include "http/upgrade.hpp"

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_head.hpp"
#include "support/catch.hpp"

namespace chatd::http {
namespace {

constexpr std::array<std::string_view, 2> kKnown = {"chat.chatd.v1", "other"};
constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view kUpgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
constexpr WallTime kNow{std::chrono::seconds{784'111'777}};

RequestHead request(const std::string& fields, std::string_view line = "GET /chat HTTP/1.1") {
  RequestHead head;
  const auto bytes = std::string{line} + "\r\nHost: x\r\n" + fields + "\r\n";
  std::string_view input = bytes;
  REQUIRE(head.take(input) == RequestHead::State::kWhole);
  return head;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

/// The example of RFC 6455, section 1.3.
std::string example_digest(std::string_view text) {
  REQUIRE(text == "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  return "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
}

UpgradeFault fault_of(const std::string& fields, std::string_view line = "GET /chat HTTP/1.1") {
  return check_upgrade(request(fields, line), kKnown).fault;
}

}  // namespace

TEST_CASE("upgrade: the handshake of RFC 6455, byte for byte", "[http][upgrade]") {
  const auto head = request(joined({kUpgrade, kKey, kVersion,
                                    "Origin: http://example.com\r\n"
                                    "Sec-WebSocket-Protocol: unknown, chat.chatd.v1\r\n"
                                    "Sec-WebSocket-Extensions: permessage-deflate\r\n"}));
  CHECK(asks_for_websocket(head));
  const auto upgrade = check_upgrade(head, kKnown);
  REQUIRE(upgrade.fault == UpgradeFault::kNone);
  CHECK(answer_upgrade(upgrade, example_digest) ==
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "Sec-WebSocket-Protocol: chat.chatd.v1\r\n"
        "\r\n");
  const auto plain = request(joined({kUpgrade, kKey, kVersion}));
  CHECK(answer_upgrade(check_upgrade(plain, kKnown), example_digest) ==
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        "\r\n");
}

TEST_CASE("upgrade: what asks for a WebSocket, and what is wrong with it", "[http][upgrade]") {
  struct Row {
    std::string fields;
    UpgradeFault fault;
  };
  const std::string rest = joined({kKey, kVersion});
  const std::string begin = joined({kUpgrade, kVersion});
  const auto with_key = [&](std::string_view key) {
    return begin + "Sec-WebSocket-Key: " + std::string{key} + "\r\n";
  };
  const std::vector<Row> rows = {
      {joined({kUpgrade, kKey, kVersion}), UpgradeFault::kNone},
      {"upgrade: WebSocket\r\nconnection: uPGRADE\r\n" + rest, UpgradeFault::kNone},
      {"Upgrade: h2c, websocket\r\nConnection: keep-alive, Upgrade\r\n" + rest,
       UpgradeFault::kNone},
      {"Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n" +
           rest,
       UpgradeFault::kNone},
      // No request for one.
      {"", UpgradeFault::kNotAsked},
      {"Connection: Upgrade\r\n" + rest, UpgradeFault::kNotAsked},
      {"Upgrade: h2c\r\nConnection: Upgrade\r\n" + rest, UpgradeFault::kNotAsked},
      {"Upgrade: websockets\r\nConnection: Upgrade\r\n" + rest, UpgradeFault::kNotAsked},
      {"Upgrade: web socket\r\nConnection: Upgrade\r\n" + rest, UpgradeFault::kNotAsked},
      // Connection.
      {"Upgrade: websocket\r\n" + rest, UpgradeFault::kConnection},
      {"Upgrade: websocket\r\nConnection: keep-alive\r\n" + rest, UpgradeFault::kConnection},
      {"Upgrade: websocket\r\nConnection: Upgraded\r\n" + rest, UpgradeFault::kConnection},
      // Version.
      {joined({kUpgrade, kKey}), UpgradeFault::kVersion},
      {joined({kUpgrade, kKey, "Sec-WebSocket-Version: 8\r\n"}), UpgradeFault::kVersion},
      {joined({kUpgrade, kKey, "Sec-WebSocket-Version: 13, 8\r\n"}), UpgradeFault::kVersion},
      {joined({kUpgrade, kKey, "Sec-WebSocket-Version: 013\r\n"}), UpgradeFault::kVersion},
      {joined({kUpgrade, kKey, "Sec-WebSocket-Version:\r\n"}), UpgradeFault::kVersion},
      // Key.
      {begin, UpgradeFault::kKey},
      {with_key(""), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEA=="), UpgradeFault::kNone},
      {with_key("+/+/+/+/+/+/+/+/+/+/+w=="), UpgradeFault::kNone},
      {with_key("AAAAAAAAAAAAAAAAAAAAAB=="), UpgradeFault::kNone},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEA="), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEA"), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEBE="), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEBES"), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4P==EA"), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4-EA=="), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4 EA=="), UpgradeFault::kKey},
      {with_key("AQIDBAUGBwgJCgsMDQ4PEA==AQIDBAUGBwgJCgsMDQ4PEA=="), UpgradeFault::kKey},
  };
  for (const auto& [fields, fault] : rows) {
    INFO(fields);
    CHECK(fault_of(fields) == fault);
    CHECK(asks_for_websocket(request(fields)) == (fault != UpgradeFault::kNotAsked));
  }
  const auto all = joined({kUpgrade, kKey, kVersion});
  CHECK(fault_of(all, "HEAD /chat HTTP/1.1") == UpgradeFault::kMethod);
  CHECK(fault_of(all, "GET /chat HTTP/1.0") == UpgradeFault::kHttp10);
  CHECK_FALSE(asks_for_websocket(request(all, "GET /chat HTTP/1.0")));
}

TEST_CASE("upgrade: the first subprotocol that is known is chosen, or none", "[http][upgrade]") {
  struct Row {
    std::string_view offered;
    std::string_view chosen;
  };
  static constexpr auto kRows = std::to_array<Row>({
      {"", ""},
      {"Sec-WebSocket-Protocol: chat.chatd.v1\r\n", "chat.chatd.v1"},
      {"Sec-WebSocket-Protocol: a, other, chat.chatd.v1\r\n", "other"},
      {"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: chat.chatd.v1\r\n", "chat.chatd.v1"},
      {"Sec-WebSocket-Protocol: a, b\r\n", ""},
      {"Sec-WebSocket-Protocol: CHAT.CHATD.V1\r\n", ""},
      {"Sec-WebSocket-Protocol: chat.chatd.v11\r\n", ""},
      {"Sec-WebSocket-Protocol:\r\n", ""},
      {"Sec-WebSocket-Protocol: a,,other,\r\n", "other"},
  });
  for (const auto& [offered, chosen] : kRows) {
    INFO(offered);
    const auto head = request(joined({kUpgrade, kKey, kVersion, offered}));
    const auto upgrade = check_upgrade(head, kKnown);
    CHECK(upgrade.fault == UpgradeFault::kNone);
    CHECK(upgrade.protocol == chosen);
  }
  std::string many = "Sec-WebSocket-Protocol: other";
  for (int i = 1; i < 32; ++i) many += ", p" + std::to_string(i);
  CHECK(fault_of(joined({kUpgrade, kKey, kVersion, many, "\r\n"})) == UpgradeFault::kNone);
  for (const std::string& wrong :
       {std::string{"Sec-WebSocket-Protocol: a b"}, std::string{"Sec-WebSocket-Protocol: a, a"},
        std::string{"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b, a"},
        std::string{"Sec-WebSocket-Protocol: \"a\""}, many + ", p32"}) {
    INFO(wrong);
    CHECK(fault_of(joined({kUpgrade, kKey, kVersion, wrong, "\r\n"})) == UpgradeFault::kProtocol);
  }
}

TEST_CASE("upgrade: a refusal says what would be right", "[http][upgrade]") {
  const auto head = request(joined({kUpgrade, kKey, "Sec-WebSocket-Version: 8\r\n"}));
  const auto answer = answer_refused(check_upgrade(head, kKnown), false, kNow);
  CHECK(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
  CHECK(answer.find("\r\nSec-WebSocket-Version: 13\r\n") != std::string::npos);
  CHECK(answer.find("\r\nUpgrade: websocket\r\n") != std::string::npos);
  CHECK(answer.find("\r\nConnection: close, Upgrade\r\n") != std::string::npos);
  CHECK(
      answer.ends_with("\r\n\r\nThis request asks for a WebSocket of another version than 13.\n"));

  for (int i = 1; i <= static_cast<int>(UpgradeFault::kProtocol); ++i) {
    Upgrade upgrade;
    upgrade.fault = static_cast<UpgradeFault>(i);
    const int status = status_of(upgrade.fault);
    INFO(i);
    CHECK((status == 400 || status == 426));
    CHECK(answer_refused(upgrade, false, kNow).starts_with("HTTP/1.1 " + std::to_string(status)));
    CHECK(answer_refused(upgrade, true, kNow).ends_with("\r\n\r\n"));
  }
}

}  // namespace chatd::http
