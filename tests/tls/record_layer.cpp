// The records of TLS 1.3: what goes in and what comes out, against a second implementation.
#include "tls/record_layer.hpp"

#include <array>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/tls_records.hpp"

namespace chatd::tls {
namespace {

using namespace std::literals;
using test::records_in;
using test::to_hex;
using State = RecordLayer::State;

constexpr int kAlert = 21;
constexpr int kHandshake = 22;
constexpr int kText = 23;
constexpr auto kCloseNotify = "\x01\x00"sv;
constexpr std::array kEverySuite{Suite::kAes128GcmSha256, Suite::kAes256GcmSha384,
                                 Suite::kChacha20Poly1305Sha256};

std::string secret_of(Suite suite, char fill) {
  std::string secret;
  secret.assign(secret_bytes_of(suite), fill);
  return secret;
}

/// A session: ours, and what the client has of it.
struct Session {
  explicit Session(Suite suite = Suite::kAes128GcmSha256, std::uint64_t received = 0,
                   std::uint64_t sent = 0)
      : layer{suite, {secret_of(suite, 'c'), received}, {secret_of(suite, 's'), sent}},
        client{static_cast<int>(suite), secret_of(suite, 'c')},
        server{static_cast<int>(suite), secret_of(suite, 's')} {
    client.skip(received);
    server.skip(sent);
  }

  /// What comes of it: the text.
  std::string in(std::string_view bytes) {
    std::string text;
    layer.open(bytes, text, reply);
    return text;
  }
  /// What was said in return, as "TYPE:hex" each, in the order of records.
  std::string said() {
    std::string all;
    for (const auto record : records_in(reply)) {
      const auto inner = server.open(record);
      if (!all.empty()) all += ' ';
      all += std::to_string(inner.back()) + ':' +
             to_hex(std::string_view{inner}.substr(0, inner.size() - 1));
      if (inner.back() == kHandshake) server.update();
    }
    reply.clear();
    return all;
  }
  std::string out(std::string_view text) {
    std::string bytes;
    layer.seal(text, bytes);
    return bytes;
  }
  void hand_over() {
    ByteWriter writer;
    layer.save(writer);
    ByteReader reader{writer.bytes()};
    auto next = RecordLayer::restore(reader);
    REQUIRE(next);
    REQUIRE(reader.finished());
    layer = std::move(*next);
  }

  RecordLayer layer;
  test::RecordCipher client;
  test::RecordCipher server;
  std::string reply;
};

/// Braces keep the order in which records are sealed; + would not.
std::string joined(std::initializer_list<std::string> records) {
  std::string all;
  for (const auto& record : records) all += record;
  return all;
}

std::string key_update(bool requested) {
  return {"\x18\x00\x00\x01"s + (requested ? '\1' : '\0')};
}

// ---- text ----

TEST_CASE("record layer: text goes both ways with every suite", "[tls][records]") {
  for (const auto suite : kEverySuite) {
    Session session{suite};
    for (const auto& text : {"a"s, "hello\n"s, std::string(16384, 'x')}) {
      CHECK(session.in(session.client.seal(kText, text)) == text);
      const auto sealed = session.out(text);
      CHECK(sealed.size() == text.size() + kRecordOverhead);
      CHECK(session.server.open(sealed) == text + '\x17');
    }
  }
}

TEST_CASE("record layer: a long text becomes records of at most 16384", "[tls][records]") {
  Session session;
  const std::string text(40000, 'x');
  std::vector<std::size_t> sizes;
  std::string read;
  const auto sealed = session.out(text);
  for (const auto record : records_in(sealed)) {
    auto inner = session.server.open(record);
    CHECK(inner.back() == kText);
    inner.pop_back();
    sizes.push_back(inner.size());
    read += inner;
  }
  CHECK(sizes == std::vector<std::size_t>{16384, 16384, 7232});
  CHECK(read == text);
  CHECK(session.out("").empty());
}

TEST_CASE("record layer: records split at every byte give the same text", "[tls][records]") {
  for (const auto suite : kEverySuite) {
    Session whole{suite};
    std::string bytes;
    for (const auto* text : {"one\n", "two\n", "three\n"}) bytes += whole.client.seal(kText, text);
    bytes += whole.client.seal(kHandshake, key_update(true));
    whole.client.update();
    bytes += whole.client.seal(kText, "four\n", 100);
    CHECK(whole.in(bytes) == "one\ntwo\nthree\nfour\n");
    CHECK(whole.said() == "22:1800000100");
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
      Session session{suite};
      const auto first = session.in(std::string_view{bytes}.substr(0, at));
      REQUIRE(first + session.in(std::string_view{bytes}.substr(at)) == "one\ntwo\nthree\nfour\n");
    }
    Session session{suite};
    std::string text;
    for (const char byte : bytes) text += session.in({&byte, 1});
    CHECK(text == "one\ntwo\nthree\nfour\n");
    CHECK(session.layer.memory() == 0);
  }
}

TEST_CASE("record layer: of a record that has begun no more is kept than came", "[tls][records]") {
  Session session;
  const auto record = session.client.seal(kText, std::string(16384, 'x'));
  CHECK(session.in(std::string_view{record}.substr(0, 100)).empty());
  CHECK(session.layer.memory() >= 100);
  CHECK(session.layer.memory() < 300);
  CHECK(session.in(std::string_view{record}.substr(100, 16000)).empty());
  CHECK(session.layer.memory() < 2 * kMostRecordBytes);
  CHECK(session.in(std::string_view{record}.substr(16100)).size() == 16384);
  CHECK(session.layer.memory() == 0);
}

TEST_CASE("record layer: padding is taken off", "[tls][records]") {
  Session session;
  CHECK(session.in(session.client.seal(kText, "text", 1)) == "text");
  CHECK(session.in(session.client.seal(kText, "text\0\0"s, 5000)) == "text\0\0"s);
  CHECK(session.in(session.client.seal(kText, "x", 16383)) == "x");
  CHECK(session.in(session.client.seal(kText, "", 16384)).empty());
  CHECK(session.layer.state() == State::kOpen);
}

TEST_CASE("record layer: the version of a record means nothing", "[tls][records]") {
  Session session;
  CHECK(session.in(session.client.seal(kText, "text", 0, 1)) == "text");
  CHECK(session.layer.state() == State::kOpen);
}

// ---- what is wrong ----

struct Wrong {
  const char* what;
  std::string bytes;
  RecordFault fault;
  const char* said;
};

std::vector<Wrong> everything_wrong() {
  const auto make = [](auto what) {
    Session session;
    return what(session.client);
  };
  const auto sealed = [&](int type, std::string_view content, std::size_t padding = 0) {
    return make([&](auto& client) { return client.seal(type, content, padding); });
  };
  std::vector<Wrong> all{
      {"plain HTTP", "GET / HTTP/1.1\r\n", RecordFault::kNotEncrypted, "21:020a"},
      {"change_cipher_spec", "\x14\x03\x03\x00\x01\x01"s, RecordFault::kNotEncrypted, "21:020a"},
      {"a plaintext alert", "\x15\x03\x03\x00\x02\x02\x00"s, RecordFault::kNotEncrypted, "21:020a"},
      {"a second ClientHello", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"s,
       RecordFault::kNotEncrypted, "21:020a"},
      {"2^14 + 257 bytes", "\x17\x03\x03\x41\x01"s, RecordFault::kTooLong, "21:0216"},
      {"no bytes", "\x17\x03\x03\x00\x00"s, RecordFault::kWrongMac, "21:0214"},
      {"a tag alone", "\x17\x03\x03\x00\x10"s + std::string(16, 'x'), RecordFault::kWrongMac,
       "21:0214"},
      {"text of 2^14 + 1 bytes", sealed(kText, std::string(16385, 'x')), RecordFault::kTooLong,
       "21:0216"},
      {"2^14 + 1 bytes with the padding", sealed(kText, "x", 16384), RecordFault::kTooLong,
       "21:0216"},
      {"the longest record", sealed(kText, std::string(16639 - 16, 'x')), RecordFault::kTooLong,
       "21:0216"},
      {"padding alone", make([](auto& client) { return client.seal_inner(std::string(9, '\0')); }),
       RecordFault::kNoType, "21:020a"},
      {"an unknown type", sealed(24, "x"), RecordFault::kUnexpectedType, "21:020a"},
      {"change_cipher_spec, encrypted", sealed(20, "\1"), RecordFault::kUnexpectedType, "21:020a"},
      {"an empty alert", sealed(kAlert, ""), RecordFault::kBrokenMessage, "21:020a"},
      {"half an alert", sealed(kAlert, "\1"), RecordFault::kBrokenMessage, "21:0232"},
      {"two alerts", sealed(kAlert, "\1\0\1\0"s), RecordFault::kBrokenMessage, "21:0232"},
      {"an empty handshake record", sealed(kHandshake, ""), RecordFault::kUnexpectedMessage,
       "21:020a"},
      {"a ClientHello", sealed(kHandshake, "\1\0\0\1\0"s), RecordFault::kUnexpectedMessage,
       "21:020a"},
      {"a NewSessionTicket", sealed(kHandshake, "\4\0\0\1\0"s), RecordFault::kUnexpectedMessage,
       "21:020a"},
      {"a Certificate", sealed(kHandshake, "\x0b\0\0\1\0"s), RecordFault::kUnexpectedMessage,
       "21:020a"},
      {"a long KeyUpdate", sealed(kHandshake, "\x18\0\0\2\0"s), RecordFault::kBrokenMessage,
       "21:0232"},
      {"a KeyUpdate with 2", sealed(kHandshake, "\x18\0\0\1\2"s), RecordFault::kBrokenMessage,
       "21:022f"},
      {"two KeyUpdates in a record", sealed(kHandshake, key_update(false) + key_update(false)),
       RecordFault::kUnexpectedMessage, "21:020a"},
      {"text within a KeyUpdate", make([](auto& client) {
         return joined({client.seal(kHandshake, "\x18\0"s), client.seal(kText, "x")});
       }),
       RecordFault::kUnexpectedType, "21:020a"},
      {"an alert within a KeyUpdate", make([](auto& client) {
         return joined({client.seal(kHandshake, "\x18\0"s), client.seal(kAlert, kCloseNotify)});
       }),
       RecordFault::kUnexpectedType, "21:020a"},
      {"a second record that is the first", make([](auto& client) {
         const auto record = client.seal(kText, "");
         return record + record;
       }),
       RecordFault::kWrongMac, "21:0214"},
      {"a missing record", make([](auto& client) {
         client.skip(1);
         return client.seal(kText, "x");
       }),
       RecordFault::kWrongMac, "21:0214"},
      {"the old key after a KeyUpdate", make([](auto& client) {
         return joined({client.seal(kHandshake, key_update(false)), client.seal(kText, "x")});
       }),
       RecordFault::kWrongMac, "21:0214"}};
  return all;
}

TEST_CASE("record layer: what is wrong ends the session with the right alert", "[tls][records]") {
  for (const auto& wrong : everything_wrong()) {
    INFO(wrong.what);
    Session session;
    CHECK(session.in(wrong.bytes).empty());
    CHECK(session.layer.state() == State::kFailed);
    CHECK(session.layer.fault() == wrong.fault);
    CHECK(session.said() == wrong.said);
    CHECK(!words_of(session.layer.fault()).empty());
    CHECK(!session.layer.can_seal());
    session.layer.close(session.reply);
    CHECK(session.said().empty());
    CHECK(session.in(session.client.seal(kText, "x")).empty());
    CHECK(session.layer.memory() == 0);

    Session bytewise;
    for (const char byte : wrong.bytes) CHECK(bytewise.in({&byte, 1}).empty());
    CHECK(bytewise.layer.fault() == wrong.fault);
    CHECK(bytewise.said() == wrong.said);
  }
}

TEST_CASE("record layer: the first byte that is wrong is enough", "[tls][records]") {
  Session session;
  CHECK(session.in("G").empty());
  CHECK(session.layer.fault() == RecordFault::kNotEncrypted);
}

TEST_CASE("record layer: each bit of a record counts", "[tls][records]") {
  for (const auto suite : kEverySuite) {
    const auto record = Session{suite}.client.seal(kText, "hello");
    for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
      auto changed = record;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      Session session{suite};
      CHECK(session.in(changed).empty());
      if (bit / 8 == 3 || (bit / 8 == 4 && (record[4] >> (bit % 8) & 1) == 0))
        continue;  // it waits for more
      CHECK(session.layer.state() == State::kFailed);
    }
  }
}

TEST_CASE("record layer: text before a fault is text", "[tls][records]") {
  Session session;
  CHECK(session.in(session.client.seal(kText, "text") + "GET") == "text");
  CHECK(session.layer.state() == State::kFailed);
}

TEST_CASE("record layer: at most 32 records in a row bring no text", "[tls][records]") {
  const auto nothings = std::vector<std::string>{""s, "\1\x5a"s, key_update(true)};
  const auto types = std::array{kText, kAlert, kHandshake};
  for (std::size_t kind = 0; kind < types.size(); ++kind) {
    Session session;
    const auto send_nothing = [&] {
      session.in(session.client.seal(types[kind], nothings[kind]));
      if (types[kind] == kHandshake) session.client.update();
    };
    for (int round = 0; round < 2; ++round) {
      for (unsigned i = 0; i < kMostWithoutText; ++i) send_nothing();
      CHECK(session.in(session.client.seal(kText, "x")) == "x");
    }
    for (unsigned i = 0; i < kMostWithoutText; ++i) send_nothing();
    CHECK(session.layer.state() == State::kOpen);
    (void)session.said();
    send_nothing();
    CHECK(session.layer.fault() == RecordFault::kTooManyWithoutText);
    CHECK(session.said() == "21:020a");
  }
}

// ---- ends ----

TEST_CASE("record layer: after close_notify the client hears what is said", "[tls][records]") {
  Session session;
  const auto bytes =
      joined({session.client.seal(kText, "bye"), session.client.seal(kAlert, kCloseNotify)});
  CHECK(session.in(bytes + "anything") == "bye");
  CHECK(session.layer.state() == State::kEnded);
  CHECK(session.in("anything").empty());
  CHECK(session.layer.state() == State::kEnded);
  CHECK(session.server.open(session.out("answer")) == "answer\x17");
  session.layer.close(session.reply);
  session.layer.close(session.reply);
  CHECK(session.said() == "21:0100");
  CHECK(!session.layer.can_seal());
}

TEST_CASE("record layer: after our close_notify the client is still heard", "[tls][records]") {
  Session session;
  session.layer.close(session.reply);
  CHECK(session.said() == "21:0100");
  CHECK(session.in(session.client.seal(kText, "late")) == "late");
  CHECK(session.in(session.client.seal(kHandshake, key_update(true))).empty());
  session.client.update();
  CHECK(session.in(session.client.seal(kText, "later")) == "later");
  CHECK(session.said().empty());
}

TEST_CASE("record layer: an alert ends the session and is not answered", "[tls][records]") {
  for (const char level : {'\1', '\2'}) {
    Session session;
    CHECK(session.in(session.client.seal(kAlert, std::string{level, '\x2a'})).empty());
    CHECK(session.layer.fault() == RecordFault::kAlert);
    CHECK(session.layer.peer_alert() == 42);
    session.layer.close(session.reply);
    CHECK(session.said().empty());
  }
}

// ---- keys ----

TEST_CASE("record layer: KeyUpdate is followed, and answered if asked to", "[tls][records]") {
  for (const auto suite : kEverySuite) {
    Session session{suite};
    CHECK(session.in(session.client.seal(kHandshake, key_update(false))).empty());
    session.client.update();
    CHECK(session.said().empty());
    CHECK(session.in(session.client.seal(kText, "one")) == "one");
    CHECK(session.server.open(session.out("old")) == "old\x17");

    CHECK(session.in(session.client.seal(kHandshake, key_update(true))).empty());
    session.client.update();
    CHECK(session.said() == "22:1800000100");
    CHECK(session.in(session.client.seal(kText, "two")) == "two");
    CHECK(session.server.open(session.out("new")) == "new\x17");
  }
}

TEST_CASE("record layer: a KeyUpdate may come in pieces", "[tls][records]") {
  Session session;
  for (const char byte : key_update(true)) {
    CHECK(session.in(session.client.seal(kHandshake, {&byte, 1})).empty());
    session.hand_over();
  }
  session.client.update();
  CHECK(session.said() == "22:1800000100");
  CHECK(session.in(session.client.seal(kText, "text")) == "text");
}

TEST_CASE("record layer: a key of ours seals fewer than 2^24 records", "[tls][records]") {
  Session session{Suite::kAes128GcmSha256, 0, kMostRecordsOfKey - 3};
  CHECK(session.server.open(session.out("one")) == "one\x17");
  CHECK(session.server.open(session.out("two")) == "two\x17");
  session.reply = session.out("three");
  CHECK(session.said() == "22:1800000100 23:7468726565");
  CHECK(session.server.open(session.out("four")) == "four\x17");
}

TEST_CASE("record layer: a client whose key is old is asked once to change it", "[tls][records]") {
  Session session{Suite::kAes128GcmSha256, kMostRecordsOfKey - 1, 0};
  CHECK(session.in(session.client.seal(kText, "one")) == "one");
  CHECK(session.said() == "22:1800000101");
  CHECK(session.in(session.client.seal(kText, "two")) == "two");
  CHECK(session.said().empty());
  CHECK(session.in(session.client.seal(kHandshake, key_update(false))).empty());
  session.client.update();
  CHECK(session.in(session.client.seal(kText, "three")) == "three");
}

// ---- written down ----

TEST_CASE("record layer: a conversation goes on in another process at any byte",
          "[tls][records][saved]") {
  for (const auto suite : kEverySuite) {
    Session plan{suite};
    auto bytes =
        joined({plan.client.seal(kText, "one\n"), plan.client.seal(kHandshake, key_update(true))});
    plan.client.update();
    bytes += plan.client.seal(kText, "two\n");
    bytes += plan.client.seal(kAlert, kCloseNotify);
    Session session{suite};
    std::string text;
    for (const char byte : bytes) {
      text += session.in({&byte, 1});
      session.hand_over();
    }
    CHECK(text == "one\ntwo\n");
    CHECK(session.layer.state() == State::kEnded);
    CHECK(session.said() == "22:1800000100");
    CHECK(session.server.open(session.out("answer")) == "answer\x17");
    session.hand_over();
    CHECK(session.server.open(session.out("more")) == "more\x17");
    session.layer.close(session.reply);
    session.hand_over();
    CHECK(!session.layer.can_seal());
  }
}

TEST_CASE("record layer: how many records brought no text is not forgotten",
          "[tls][records][saved]") {
  Session session;
  for (unsigned i = 0; i < kMostWithoutText; ++i) {
    session.in(session.client.seal(kText, ""));
    session.hand_over();
  }
  session.in(session.client.seal(kText, ""));
  CHECK(session.layer.fault() == RecordFault::kTooManyWithoutText);
}

TEST_CASE("record layer: wrong bytes are refused, or become some session",
          "[tls][records][saved]") {
  Session session;
  session.in(session.client.seal(kHandshake, "\x18\0"s));
  session.in(std::string_view{session.client.seal(kText, "text")}.substr(0, 20));
  ByteWriter writer;
  session.layer.save(writer);
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    ByteReader reader{std::string_view{writer.bytes()}.substr(0, size)};
    CHECK(!RecordLayer::restore(reader));
  }
  std::mt19937 random{1};
  for (int i = 0; i < 20000; ++i) {
    auto bytes = writer.bytes();
    bytes[random() % bytes.size()] = static_cast<char>(random());
    ByteReader reader{bytes};
    auto layer = RecordLayer::restore(reader);
    CHECK(layer.has_value() == reader.ok());
    if (!layer) continue;
    std::string text;
    std::string sent;
    if (layer->can_seal()) layer->seal("text", sent);
    layer->open(std::string(500, '\x17'), text, sent);
    CHECK(text.empty());
  }
}

TEST_CASE("record layer: a whole record is not left over", "[tls][records][saved]") {
  Session session;
  const auto record = session.client.seal(kText, "text");
  session.in(std::string_view{record}.substr(0, record.size() - 1));
  ByteWriter writer;
  session.layer.save(writer);
  auto bytes = writer.bytes();
  const auto at = bytes.find("\x17\x03\x03\x00\x15"s);
  REQUIRE(at != std::string::npos);
  bytes[at + 4] = '\x14';
  ByteReader reader{bytes};
  CHECK(!RecordLayer::restore(reader));
}

TEST_CASE("record layer: a session takes few bytes", "[tls][records]") {
  CHECK(sizeof(RecordLayer) <= 256);
}

}  // namespace
}  // namespace chatd::tls
