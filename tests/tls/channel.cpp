// Whole connections: OpenSSL's client against a channel, in one process.
#include "tls/channel.hpp"

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/tls_client.hpp"
#include "support/tls_pair.hpp"
#include "support/tls_records.hpp"

namespace chatd::tls {
namespace {

using namespace std::literals;
using test::CredentialFolder;
using test::issue;
using test::TlsPair;
using State = Channel::State;

constexpr std::array kEverySuite{"TLS_AES_128_GCM_SHA256"sv, "TLS_AES_256_GCM_SHA384"sv,
                                 "TLS_CHACHA20_POLY1305_SHA256"sv};

const test::Issued& server() {
  static const auto kIssued =
      issue({.common_name = "chat.example", .alternative_names = "DNS:chat.example"});
  return kIssued;
}

std::shared_ptr<const Credentials> plain() {
  return CredentialFolder{}.with(server()).load();
}

std::shared_ptr<const Credentials> with_tls12() {
  return CredentialFolder{}.with(server()).with_tls12().load();
}

// ---- TLS 1.3 ----

TEST_CASE("channel: a conversation with every suite of TLS 1.3", "[tls][channel]") {
  for (const auto suite : kEverySuite) {
    const std::string name{suite};
    TlsPair pair{plain(), {.suites = name.c_str(), .server_name = "Chat.Example"}};
    CHECK(pair.channel.state() == State::kHandshake);
    CHECK(!pair.channel.can_send());
    pair.talk();
    REQUIRE(pair.channel.is_established());
    CHECK(pair.client.is_established());
    CHECK(pair.channel.state() == State::kOpen);
    CHECK(pair.channel.peer().version == Version::kTls13);
    CHECK(pair.channel.peer().cipher == suite);
    CHECK(pair.channel.peer().server_name == "chat.example");
    CHECK(pair.channel.peer().client_name.empty());
    CHECK(!pair.channel.peer().speaks_http);
    CHECK(!pair.channel.peer().resumed);
    CHECK(pair.client.tickets() == 1);
    CHECK(pair.said("hello\n") == "hello\n");
    CHECK(pair.heard("hi\n") == "hi\n");
    const std::string much(100'000, 'x');
    CHECK(pair.said(much) == much);
    CHECK(pair.heard(much) == much);
  }
}

TEST_CASE("channel: without a wish of the client AES-128 is taken", "[tls][channel]") {
  TlsPair pair{plain()};
  pair.talk();
  CHECK(pair.channel.peer().cipher == kEverySuite[0]);
  TlsPair other{plain(), {.suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"}};
  other.talk();
  CHECK(other.channel.peer().cipher == kEverySuite[2]);
}

TEST_CASE("channel: bytes that come one by one give the same", "[tls][channel]") {
  for (const auto suite : kEverySuite) {
    const std::string name{suite};
    TlsPair pair{plain(), {.suites = name.c_str()}};
    pair.talk({}, 1);
    REQUIRE(pair.channel.is_established());
    pair.talk(pair.client.say("hello\n"), 1);
    CHECK(pair.text == "hello\n");
    CHECK(pair.heard("hi\n") == "hi\n");
  }
}

TEST_CASE("channel: text that comes with the end of the handshake is heard", "[tls][channel]") {
  for (const auto& [credentials, version] :
       {std::pair{plain(), TLS1_3_VERSION}, std::pair{with_tls12(), TLS1_2_VERSION}}) {
    TlsPair pair{credentials, {.highest = version}};
    std::string last = pair.client.receive({});
    std::string text;
    std::string sent;
    while (!pair.client.is_established()) {
      sent.clear();
      pair.channel.receive(last, text, sent);
      last = pair.client.receive(sent);
    }
    last += pair.client.say("at once\n");
    last += pair.client.close();
    sent.clear();
    CHECK(pair.channel.receive(last, text, sent) == State::kEnded);
    CHECK(text == "at once\n");
    pair.channel.send("answer\n", sent);
    pair.channel.close(sent);
    pair.client.receive(sent);
    CHECK(pair.client.heard() == "answer\n");
    CHECK(pair.client.got_close_notify());
  }
}

TEST_CASE("channel: a client that has to ask twice is served", "[tls][channel]") {
  TlsPair pair{plain()};
  // It guesses a group that the server has not: HelloRetryRequest (RFC 8446, 4.1.4).
  SSL_set1_groups_list(pair.client.ssl(), "ffdhe2048:P-256");
  pair.talk();
  REQUIRE(pair.channel.is_established());
  CHECK(pair.said("hello") == "hello");
  CHECK(pair.heard("hi") == "hi");
}

TEST_CASE("channel: keys change when the client says so", "[tls][channel]") {
  for (const auto suite : kEverySuite) {
    const std::string name{suite};
    TlsPair pair{plain(), {.suites = name.c_str()}};
    pair.talk();
    for (const bool server_too : {false, true, false, true}) {
      pair.talk(pair.client.update_key(server_too));
      CHECK(pair.said("hello") == "hello");
      CHECK(pair.heard("hi") == "hi");
    }
    CHECK(!pair.client.has_failed());
  }
}

TEST_CASE("channel: http/1.1 is chosen where it is offered, and nothing else", "[tls][channel]") {
  TlsPair browser{plain(), {.protocols = "\x02h2\x08http/1.1"}};
  browser.talk();
  CHECK(browser.channel.peer().speaks_http);
  TlsPair other{plain(), {.protocols = "\x02h2\x04imap"}};
  other.talk();
  REQUIRE(other.channel.is_established());
  CHECK(!other.channel.peer().speaks_http);
}

TEST_CASE("channel: close_notify of either side", "[tls][channel]") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPair pair{with_tls12(), {.highest = version}};
    pair.talk();
    REQUIRE(pair.channel.is_established());
    pair.talk(pair.client.close());
    CHECK(pair.channel.state() == State::kEnded);
    CHECK(pair.channel.can_send());
    CHECK(pair.heard("answer") == "answer");
    pair.channel.close(pair.waiting);
    CHECK(!pair.channel.can_send());
    const auto once = pair.waiting.size();
    pair.channel.close(pair.waiting);
    CHECK(pair.waiting.size() == once);
    pair.client.receive(pair.waiting);
    CHECK(pair.client.got_close_notify());
  }
}

TEST_CASE("channel: an alert of the client ends it", "[tls][channel]") {
  TlsPair pair{plain()};
  pair.talk();
  // A record that means nothing to the client makes it say bad_record_mac.
  auto alert = pair.client.receive("\x17\x03\x03\x00\x20"s + std::string(32, 'x'));
  CHECK(pair.client.has_failed());
  std::string sent;
  CHECK(pair.channel.receive(alert, pair.text, sent) == State::kFailed);
  CHECK(pair.channel.failure() == "the client ended the session with an alert (bad record mac)");
  CHECK(sent.empty());
  CHECK(!pair.channel.is_saveable());
}

TEST_CASE("channel: a record that was changed on the way ends it", "[tls][channel]") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPair pair{with_tls12(), {.highest = version}};
    pair.talk();
    REQUIRE(pair.channel.is_established());
    auto record = pair.client.say("hello");
    record.back() = static_cast<char>(record.back() ^ 1);
    std::string sent;
    CHECK(pair.channel.receive(record, pair.text, sent) == State::kFailed);
    CHECK(pair.text.empty());
    CHECK(!pair.channel.can_send());
    pair.client.receive(sent);
    CHECK(pair.client.has_failed());
    CHECK(pair.client.reason().find("bad record mac") != std::string::npos);
    CHECK(pair.channel.receive("more", pair.text, sent) == State::kFailed);
  }
}

// ---- resumption ----

TEST_CASE("channel: a ticket resumes, after a reload and in the next process too",
          "[tls][channel]") {
  const TicketKeys tickets;
  CredentialFolder folder;
  folder.with(server());
  TlsPair first{folder.load(tickets), {.server_name = "chat.example"}};
  first.talk();
  first.talk(first.client.close());
  const auto resumed_with = [&](const TicketKeys& keys) {
    TlsPair second{folder.load(keys),
                   {.server_name = "chat.example", .session = first.client.session()}};
    second.talk();
    REQUIRE(second.channel.is_established());
    CHECK(second.said("hello") == "hello");
    CHECK(second.heard("hi") == "hi");
    CHECK(second.channel.peer().server_name == "chat.example");
    CHECK(SSL_session_reused(second.client.ssl()) == (second.channel.peer().resumed ? 1 : 0));
    second.talk(second.client.close());
    return second.channel.peer().resumed;
  };
  CHECK(resumed_with(tickets));
  ByteWriter out;
  tickets.save(out);
  ByteReader in{out.bytes()};
  CHECK(resumed_with(TicketKeys::restore(in)));
  CHECK(in.finished());
  CHECK(!resumed_with(TicketKeys{}));
  const auto credentials = folder.load(tickets);
  credentials->use(TicketKeys{});
  TlsPair renewed{credentials, {.server_name = "chat.example", .session = first.client.session()}};
  renewed.talk();
  CHECK(renewed.channel.is_established());
  CHECK(!renewed.channel.peer().resumed);
}

TEST_CASE("ticket keys: wrong bytes are refused", "[tls][channel]") {
  ByteWriter out;
  out.text("short");
  ByteReader in{out.bytes()};
  (void)TicketKeys::restore(in);
  CHECK(!in.ok());
}

// ---- TLS 1.2 ----

TEST_CASE("channel: TLS 1.2 is refused unless it is allowed", "[tls][channel]") {
  TlsPair refused{plain(), {.highest = TLS1_2_VERSION}};
  refused.talk();
  CHECK(refused.channel.state() == State::kFailed);
  CHECK(!refused.channel.is_established());
  CHECK(refused.channel.failure().starts_with("the TLS handshake failed: "));
  CHECK(refused.client.reason().find("protocol version") != std::string::npos);

  for (const auto* cipher : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                             "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    TlsPair pair{with_tls12(), {.highest = TLS1_2_VERSION, .ciphers = cipher}};
    pair.talk({}, 1);
    REQUIRE(pair.channel.is_established());
    CHECK(pair.channel.peer().version == Version::kTls12);
    CHECK(pair.channel.peer().cipher.starts_with("TLS_ECDHE_ECDSA_WITH_"));
    CHECK(pair.said("hello") == "hello");
    CHECK(pair.heard("hi") == "hi");
    const std::string much(100'000, 'x');
    CHECK(pair.said(much) == much);
    CHECK(pair.heard(much) == much);
    CHECK(!pair.channel.is_saveable());
    pair.channel.close(pair.waiting);
    pair.client.receive(pair.waiting);
    CHECK(pair.client.got_close_notify());
  }
}

TEST_CASE("channel: of TLS 1.2 nothing is taken that is weak", "[tls][channel]") {
  for (const auto* cipher :
       {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256"}) {
    TlsPair pair{with_tls12(), {.highest = TLS1_2_VERSION, .ciphers = cipher}};
    pair.talk();
    CHECK(pair.channel.state() == State::kFailed);
  }
  TlsPair old{with_tls12(),
              {.lowest = TLS1_VERSION, .highest = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}};
  old.talk();
  CHECK(old.channel.state() == State::kFailed);
}

TEST_CASE("channel: TLS 1.2 does not shake hands a second time", "[tls][channel]") {
  TlsPair pair{with_tls12(), {.highest = TLS1_2_VERSION}};
  pair.talk();
  SSL_renegotiate(pair.client.ssl());
  SSL_do_handshake(pair.client.ssl());
  pair.talk(pair.client.output());
  CHECK(pair.client.has_failed());
  CHECK(pair.client.reason() == "no renegotiation");
}

// ---- what is no handshake ----

TEST_CASE("channel: what is no handshake fails, however it begins", "[tls][channel]") {
  for (const auto& bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"s, "\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff"s,
        "\x16\x03\x01\x00\x04\x02\x00\x00\x00"s,
        "\x16\x03\x01\xff\xff\x01"s + std::string(70'000, 'x'), "\x15\x03\x01\x00\x02\x02\x28"s,
        "\x17\x03\x03\x00\x20"s + std::string(32, 'x')}) {
    for (const bool bytewise : {false, true}) {
      Channel channel{plain()};
      std::string text;
      std::string sent;
      for (std::string_view rest = bytes; !rest.empty();) {
        const auto size = bytewise ? 1 : rest.size();
        channel.receive(rest.substr(0, size), text, sent);
        rest.remove_prefix(size);
      }
      CHECK(channel.state() == State::kFailed);
      CHECK(text.empty());
      CHECK(channel.failure().starts_with("the TLS handshake failed: "));
      CHECK(channel.failure().size() > 28);
      CHECK(channel.receive("more", text, sent) == State::kFailed);
      channel.close(sent);
      CHECK(channel.memory() < 2000);
    }
  }
}

TEST_CASE("channel: a client may give its handshake up", "[tls][channel]") {
  TlsPair pair{plain()};
  std::string sent;
  pair.channel.receive(pair.client.receive({}), pair.text, sent);
  CHECK(pair.channel.receive("\x15\x03\x03\x00\x02\x01\x00"sv, pair.text, sent) == State::kFailed);
  CHECK(pair.channel.failure().starts_with("the TLS handshake failed: "));
}

TEST_CASE("channel: of a handshake that has begun the rest is waited for", "[tls][channel]") {
  Channel channel{plain()};
  std::string text;
  std::string sent;
  CHECK(channel.receive("\x16\x03\x01\x02\x00\x01"sv, text, sent) == State::kHandshake);
  CHECK(channel.memory() > kOpenSslBytes);
  CHECK(sent.empty());
}

TEST_CASE("channel: a handshake takes at most 64 KiB", "[tls][channel]") {
  // A ClientHello that never ends: records of 16 KiB of a message of 128 KiB.
  std::string bytes;
  std::string message = "\x01\x01\xff\xfc"s + std::string(100'000, '\0');
  for (std::string_view rest = message; !rest.empty();) {
    const auto piece = rest.substr(0, 16'000);
    rest.remove_prefix(piece.size());
    bytes += "\x16\x03\x01"s + static_cast<char>(piece.size() >> 8U) +
             static_cast<char>(piece.size()) + std::string{piece};
  }
  Channel channel{plain()};
  std::string text;
  std::string sent;
  CHECK(channel.receive(std::string_view{bytes}.substr(0, kMostHandshakeBytes), text, sent) ==
        State::kHandshake);
  CHECK(channel.receive(std::string_view{bytes}.substr(kMostHandshakeBytes, 1), text, sent) ==
        State::kFailed);
  CHECK(channel.failure() == "the TLS handshake failed: it is longer than 64 KiB");
}

TEST_CASE("channel: much text behind a handshake is no long handshake", "[tls][channel]") {
  TlsPair pair{plain()};
  std::string sent;
  pair.channel.receive(pair.client.receive({}), pair.text, sent);
  auto last = pair.client.receive(sent);
  const std::string much(200'000, 'x');
  last += pair.client.say(much);
  sent.clear();
  CHECK(pair.channel.receive(last, pair.text, sent) == State::kOpen);
  CHECK(pair.text == much);
}

TEST_CASE("channel: a client that will not trust the certificate ends it", "[tls][channel]") {
  TlsPair pair{plain()};
  SSL_set_verify(pair.client.ssl(), SSL_VERIFY_PEER, nullptr);
  pair.talk();
  CHECK(pair.channel.state() == State::kFailed);
  CHECK(pair.channel.failure().find("alert") != std::string::npos);
}

// ---- written down ----

TEST_CASE("channel: a conversation outlives any number of processes", "[tls][channel][saved]") {
  for (const auto suite : kEverySuite) {
    const std::string name{suite};
    TlsPair pair{
        plain(),
        {.suites = name.c_str(), .server_name = "chat.example", .protocols = "\x08http/1.1"}};
    pair.talk();
    for (int i = 0; i < 3; ++i) {
      pair.hand_over();
      CHECK(pair.said("hello") == "hello");
      CHECK(pair.heard("hi") == "hi");
      pair.talk(pair.client.update_key(i % 2 == 0));
      const auto record = pair.client.say("in two pieces");
      std::string sent;
      pair.channel.receive(std::string_view{record}.substr(0, 7), pair.text, sent);
      pair.hand_over();
      pair.channel.receive(std::string_view{record}.substr(7), pair.text, sent);
      CHECK(std::exchange(pair.text, {}) == "in two pieces");
    }
    CHECK(pair.channel.peer().cipher == suite);
    CHECK(pair.channel.peer().server_name == "chat.example");
    CHECK(pair.channel.peer().speaks_http);
    CHECK(pair.channel.peer().version == Version::kTls13);
    pair.talk(pair.client.close());
    pair.hand_over();
    CHECK(pair.channel.state() == State::kEnded);
    CHECK(pair.heard("answer") == "answer");
    pair.channel.close(pair.waiting);
    pair.client.receive(pair.waiting);
    CHECK(pair.client.got_close_notify());
  }
}

TEST_CASE("channel: whoever the peer was may be forgotten, and all goes on",
          "[tls][channel][saved]") {
  TlsPair pair{plain(), {.server_name = "a.long.name.of.a.host.chat.example"}};
  pair.talk();
  const auto before = pair.channel.memory();
  pair.channel.forget_peer();
  CHECK(pair.channel.memory() + sizeof(PeerFacts) <= before);
  CHECK(pair.channel.is_established());
  CHECK(pair.said("hello") == "hello");
  CHECK(pair.channel.is_saveable());
  pair.hand_over();
  CHECK(pair.channel.is_established());
  CHECK(pair.said("hello") == "hello");
  CHECK(pair.heard("hi") == "hi");
}

TEST_CASE("channel: neither a handshake nor a failed session is written down",
          "[tls][channel][saved]") {
  TlsPair pair{plain()};
  CHECK(!pair.channel.is_saveable());
  std::string sent;
  pair.channel.receive(pair.client.receive({}), pair.text, sent);
  CHECK(!pair.channel.is_saveable());
  sent += "";
  pair.talk(pair.client.receive(sent));
  CHECK(pair.channel.is_saveable());
  pair.channel.receive("GET /", pair.text, sent);
  CHECK(!pair.channel.is_saveable());
}

TEST_CASE("channel: facts that cannot be are refused", "[tls][channel][saved]") {
  TlsPair pair{plain(), {.server_name = "chat.example"}};
  pair.talk();
  ByteWriter out;
  pair.channel.save(out);
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    ByteReader in{std::string_view{out.bytes()}.substr(0, size)};
    CHECK(!Channel::restore(in));
    CHECK(!in.ok());
  }
  auto bytes = out.bytes();
  bytes[bytes.find("chat.example")] = '\xff';
  ByteReader in{bytes};
  CHECK(!Channel::restore(in));
}

// ---- memory ----

TEST_CASE("channel: a session of TLS 1.3 takes less than a KiB", "[tls][channel]") {
  TlsPair pair{plain(), {.server_name = "chat.example"}};
  pair.talk();
  CHECK(pair.channel.memory() < 512);
  std::string sent;
  const auto record = pair.client.say(std::string(10'000, 'x'));
  pair.channel.receive(std::string_view{record}.substr(0, 9'000), pair.text, sent);
  CHECK(pair.channel.memory() > 9'000);
}

}  // namespace
}  // namespace chatd::tls
