#include "http/upgrade.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <vector>

#include "http/answer.hpp"
#include "http/request_head.hpp"
#include "http/syntax.hpp"

namespace chatd::http {
namespace {

/// What the key of a handshake is hashed with (RFC 6455, section 1.3).
constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

struct Sentence {
  int status;
  std::string_view text;
};

Sentence sentence_of(UpgradeFault fault) {
  switch (fault) {
    case UpgradeFault::kNone:
      return {101, "is right"};
    case UpgradeFault::kNotAsked:
      return {426, "asks for no WebSocket, and here is nothing else"};
    case UpgradeFault::kMethod:
      return {400, "asks for a WebSocket, and is not GET"};
    case UpgradeFault::kHttp10:
      return {400, "asks for a WebSocket, and is not HTTP/1.1"};
    case UpgradeFault::kConnection:
      return {400, "asks for a WebSocket without Connection: Upgrade"};
    case UpgradeFault::kVersion:
      return {426, "asks for a WebSocket of another version than 13"};
    case UpgradeFault::kKey:
      return {400, "has a Sec-WebSocket-Key that is not 16 bytes in base64"};
    case UpgradeFault::kProtocol:
      return {400, "has a Sec-WebSocket-Protocol that is no list of at most 32 different tokens"};
  }
  return {400, "is wrong"};
}

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/// 16 bytes are 22 characters and two of padding. The four bits of the last character that belong
/// to no byte may be anything: RFC 4648, section 3.5, leaves it to us, and some clients draw the
/// characters.
bool is_key(std::string_view key) {
  constexpr std::size_t kSize = 24;
  return key.size() == kSize && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, is_base64);
}

/// More subprotocols than anybody offers: each is compared with all others.
constexpr std::size_t kMostProtocols = 32;

/// Chooses among what the client offers; false if that is malformed.
bool choose(std::string_view offered, std::span<const std::string_view> known,
            std::string_view& chosen) {
  std::vector<std::string_view> seen;
  for (auto each = take_element(offered); !each.empty(); each = take_element(offered)) {
    if (!is_token(each) || seen.size() == kMostProtocols) return false;
    if (std::find(seen.begin(), seen.end(), each) != seen.end()) return false;
    seen.push_back(each);
    const auto found = std::find(known.begin(), known.end(), each);
    if (chosen.empty() && found != known.end()) chosen = *found;
  }
  return true;
}

UpgradeFault fault_of(const RequestHead& head) {
  if (!list_has(head.list("Upgrade"), "websocket")) return UpgradeFault::kNotAsked;
  if (!head.is_1_1()) return UpgradeFault::kHttp10;
  if (head.is_head()) return UpgradeFault::kMethod;
  if (!list_has(head.list("Connection"), "Upgrade")) return UpgradeFault::kConnection;
  if (head.field("Sec-WebSocket-Version") != "13") return UpgradeFault::kVersion;
  const auto key = head.field("Sec-WebSocket-Key");
  return key && is_key(*key) ? UpgradeFault::kNone : UpgradeFault::kKey;
}

}  // namespace

int status_of(UpgradeFault fault) {
  return sentence_of(fault).status;
}

std::string_view to_string(UpgradeFault fault) {
  return sentence_of(fault).text;
}

bool asks_for_websocket(const RequestHead& head) {
  return head.is_1_1() && list_has(head.list("Upgrade"), "websocket");
}

Upgrade check_upgrade(const RequestHead& head, std::span<const std::string_view> known) {
  assert(head.state() == RequestHead::State::kWhole);
  Upgrade upgrade;
  upgrade.fault = fault_of(head);
  if (upgrade.fault != UpgradeFault::kNone) return upgrade;
  upgrade.key = *head.field("Sec-WebSocket-Key");
  if (!choose(head.list("Sec-WebSocket-Protocol"), known, upgrade.protocol)) {
    upgrade.fault = UpgradeFault::kProtocol;
  }
  return upgrade;
}

std::string answer_upgrade(const Upgrade& upgrade, Sha1Base64 sha1_base64) {
  assert(upgrade.fault == UpgradeFault::kNone);
  std::string out =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      sha1_base64(std::string{upgrade.key}.append(kAcceptGuid)) + "\r\n";
  if (!upgrade.protocol.empty()) {
    out += "Sec-WebSocket-Protocol: ";
    out += upgrade.protocol;
    out += "\r\n";
  }
  return out + "\r\n";
}

std::string answer_refused(const Upgrade& upgrade, bool is_head, WallTime now) {
  assert(upgrade.fault != UpgradeFault::kNone);
  static constexpr std::array<AnswerField, 2> kWanted = {
      {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}}};
  const int status = status_of(upgrade.fault);
  const auto text = "This request " + std::string{to_string(upgrade.fault)} + '.';
  std::span<const AnswerField> more;
  if (status == 426) more = kWanted;
  return answer_without_page(status, text, is_head, now, more);
}

}  // namespace chatd::http
