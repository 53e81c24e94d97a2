// The records of TLS 1.3: what goes in and what comes out, against a second implementation and
// the traces of RFC 8448.
#include "tls/record_layer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/tls_records.hpp"
#include "tls/cleansed.hpp"

namespace chatd::tls {
namespace {

using namespace std::literals;
using test::from_hex;
using test::records_in;
using test::to_hex;
using State = RecordLayer::State;

constexpr int kAlert = 21;
constexpr int kHandshake = 22;
constexpr int kText = 23;
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

std::string zero_to_49() {
  std::string text;
  for (int i = 0; i < 50; ++i) text += static_cast<char>(i);
  return text;
}

// ---- RFC 8448 ----

/// What a trace of RFC 8448 has of a session under its application keys, all with
/// TLS_AES_128_GCM_SHA256. In hexadecimal.
struct Trace {
  const char* section;
  const char* client_secret;
  const char* server_secret;
  const char* client_key;
  const char* client_iv;
  const char* server_key;
  const char* server_iv;
  std::uint64_t tickets;  ///< records that the server has sent before
  const char* client_text;
  const char* server_text;
  const char* client_close;
  const char* server_close;
};

constexpr std::array kTraces{
    Trace{"3, simple 1-RTT", "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
          "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
          "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9",
          "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", 1,
          "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a"
          "20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
          "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb"
          "501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d",
          "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3",
          "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"},
    Trace{"4, resumed 0-RTT", "2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1",
          "cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691", nullptr, nullptr,
          "e857c690a34c5a9129d833619684f95e", "0685d6b561aab9ef1013faf9", 0,
          "1703030043b1cebce242aa201be9ae5e1cb2a9aa4b33d4e866af1edb068919237741aa031d7a74d491c99b9d"
          "4e232b74206bc6fbaa04fe78be44a9b4f54320a17eb76992afac3103",
          "1703030043275e9f20acff57bc000657d3867df039cccf79047884cf75771746f740b5a83f462a0954c35813"
          "93a203a25a7dd14141ef1a37900cdb62ff62dee1ba39ab2590cbf194",
          "17030300130facce3246bdfc6369838d6a82ae6de5d422dc",
          "17030300135b18af444e8e1eec7158fb62d8f2577d37ba5d"},
    Trace{"6, client authentication",
          "73c2e890fa8d067258d6d50fa92fe456b098cf00d9727eed91e8892ef4e6f860",
          "c49a91faf57f8c545d5048a015bf849ff63942e4a7edcd319f8b438a97c52e21",
          "cdc09c806aa8f86dfcd51efc44a0c039", "6ef852e78b46d913668e53e7",
          "88b3123ddecadf8c1ba298e2c18176b0", "4e0978513f9de8327c08e4f3", 0, nullptr, nullptr,
          "1703030013e4ad7d44c29245339d355962c779b89ef44c58",
          "17030300131decc5d6e64bba8a6f21b4fd077497da2a90cb"}};

/// The alert of the traces has the level "warning"; ours says "fatal", which means the same
/// (RFC 8446, 6), so its record differs and is read by the second implementation.
constexpr auto kWarning = "\x01\x00"sv;

TEST_CASE("record layer: the keys of RFC 8448 follow from its secrets", "[tls][records]") {
  constexpr auto kSuite = Suite::kAes128GcmSha256;
  const auto check = [](const char* secret, const char* key, const char* iv) {
    const TrafficKey made{kSuite, from_hex(secret), 0};
    if (key != nullptr) {
      CHECK(to_hex({reinterpret_cast<const char*>(made.key()), 16}) == key);
      CHECK(to_hex({reinterpret_cast<const char*>(made.iv()), 12}) == iv);
    }
  };
  for (const auto& trace : kTraces) {
    INFO(trace.section);
    check(trace.client_secret, trace.client_key, trace.client_iv);
    check(trace.server_secret, trace.server_key, trace.server_iv);
  }
  // Further secrets of section 3: the handshake's, and the keys of its finished messages.
  check("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f");
  check("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30");
  std::array<unsigned char, 32> finished{};
  expand_label(kSuite, from_hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
               "finished", finished.data(), finished.size());
  CHECK(to_hex({reinterpret_cast<const char*>(finished.data()), finished.size()}) ==
        "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8");
}

TEST_CASE("record layer: the conversations of RFC 8448", "[tls][records]") {
  for (const auto& trace : kTraces) {
    INFO(trace.section);
    constexpr auto kSuite = Suite::kAes128GcmSha256;
    const auto client = from_hex(trace.client_secret);
    const auto server = from_hex(trace.server_secret);
    RecordLayer layer{kSuite, {client, 0}, {server, trace.tickets}};
    test::RecordCipher reader{0x1301, server};
    reader.skip(trace.tickets);
    std::string text;
    std::string sent;
    if (trace.client_text != nullptr) {
      CHECK(layer.open(from_hex(trace.client_text), text, sent) == State::kOpen);
      CHECK(text == zero_to_49());
      CHECK(sent.empty());
      layer.seal(text, sent);
      CHECK(to_hex(sent) == trace.server_text);
      CHECK(reader.open(sent) == zero_to_49() + '\x17');
    }
    CHECK(to_hex(test::RecordCipher{reader}.seal(kAlert, kWarning)) == trace.server_close);
    sent.clear();
    text.clear();
    CHECK(layer.open(from_hex(trace.client_close), text, sent) == State::kEnded);
    CHECK(text.empty());
    CHECK(sent.empty());
    layer.close(sent);
    CHECK(reader.open(sent) == "\x02\x00\x15"s);
  }
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
         return joined({client.seal(kHandshake, "\x18\0"s), client.seal(kAlert, kWarning)});
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
      joined({session.client.seal(kText, "bye"), session.client.seal(kAlert, kWarning)});
  CHECK(session.in(bytes + "anything") == "bye");
  CHECK(session.layer.state() == State::kEnded);
  CHECK(session.in("anything").empty());
  CHECK(session.layer.state() == State::kEnded);
  CHECK(session.server.open(session.out("answer")) == "answer\x17");
  session.layer.close(session.reply);
  session.layer.close(session.reply);
  CHECK(session.said() == "21:0200");
  CHECK(!session.layer.can_seal());
}

TEST_CASE("record layer: after our close_notify the client is still heard", "[tls][records]") {
  Session session;
  session.layer.close(session.reply);
  CHECK(session.said() == "21:0200");
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
    bytes += plan.client.seal(kAlert, kWarning);
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

// ---- secrets ----

/// What stands where an object was, after it has gone.
template <class Object>
class Grave {
 public:
  template <class... Arguments>
  explicit Grave(Arguments&&... arguments)
      : object_{new (place_.data()) Object(std::forward<Arguments>(arguments)...)} {}
  Object& object() { return *object_; }
  [[nodiscard]] std::string bytes() const {
    std::string all(place_.size(), '\0');
    std::memcpy(all.data(), place_.data(), place_.size());
    return all;
  }
  void destroy() { object_->~Object(); }

 private:
  alignas(Object) std::array<unsigned char, sizeof(Object)> place_{};
  Object* object_;
};

TEST_CASE("cleansed: bytes are overwritten when they go and when they move", "[tls][cleansed]") {
  Grave<Cleansed<32>> first;
  first.object().assign("a secret that nobody may find...");
  CHECK(first.bytes() == "a secret that nobody may find...");
  Cleansed<32> second{std::move(first.object())};
  CHECK(first.bytes() == std::string(32, '\0'));
  first.object() = std::move(second);
  CHECK(second.view() == std::string(32, '\0'));  // NOLINT(bugprone-use-after-move): it is the test
  CHECK(first.bytes() == "a secret that nobody may find...");
  first.destroy();
  CHECK(first.bytes() == std::string(32, '\0'));
}

TEST_CASE("record layer: neither secrets nor keys stay where a session was", "[tls][cleansed]") {
  constexpr auto kSuite = Suite::kAes256GcmSha384;
  const auto secret = secret_of(kSuite, 'c');
  const test::RecordCipher same{0x1302, secret};
  const auto has_any = [&](const std::string& bytes) {
    return bytes.find(secret.substr(0, 8)) != std::string::npos ||
           bytes.find(same.key().substr(0, 8)) != std::string::npos ||
           bytes.find(same.iv().substr(0, 8)) != std::string::npos;
  };
  const RecordLayer::Secret both{secret, 0};
  Grave<RecordLayer> moved{kSuite, both, both};
  CHECK(has_any(moved.bytes()));
  auto next = std::move(moved.object());
  CHECK(!has_any(moved.bytes()));
  moved.destroy();
  Grave<RecordLayer> gone{kSuite, both, both};
  CHECK(has_any(gone.bytes()));
  gone.destroy();
  CHECK(!has_any(gone.bytes()));
}

/// How often the key of a trace stands in the heap of this process. Only its hexadecimal digits
/// are compared with, so that the search makes no copy of what it looks for.
int found_in_heap(std::string_view hex) {
  std::ifstream maps{"/proc/self/maps"};
  std::string line;
  while (std::getline(maps, line) && !line.ends_with("[heap]")) continue;
  const auto dash = line.find('-');
  if (dash == std::string::npos) return 0;
  const auto* at = reinterpret_cast<const unsigned char*>(std::stoull(line, nullptr, 16));
  const auto* end =
      reinterpret_cast<const unsigned char*>(std::stoull(line.substr(dash + 1), nullptr, 16));
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto matches = [&](const unsigned char* bytes) {
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      if (kDigits[bytes[i / 2] >> 4U] != hex[i] || kDigits[bytes[i / 2] & 15U] != hex[i + 1]) {
        return false;
      }
    }
    return true;
  };
  int found = 0;
  for (; at + hex.size() / 2 <= end; ++at) found += matches(at) ? 1 : 0;
  return found;
}

TEST_CASE("record layer: nor do they stay in the contexts of OpenSSL", "[tls][cleansed]") {
  const auto& trace = kTraces[0];
  std::string text;
  std::string sent;
  const auto secret = from_hex(trace.client_secret);
  const auto record = from_hex(trace.client_text);
  auto layer = std::make_unique<RecordLayer>(
      Suite::kAes128GcmSha256, RecordLayer::Secret{secret, 0}, RecordLayer::Secret{secret, 0});
  layer->open(record, text, sent);
  layer->seal(text, sent);
  const int alive = found_in_heap(trace.client_key);
  layer.reset();
  CHECK(found_in_heap(trace.client_key) == 0);
  // Under a sanitizer or valgrind the heap is elsewhere. The layer's two, OpenSSL's two.
  if (alive != 0) CHECK(alive >= 4);
}

TEST_CASE("record layer: a session takes few bytes", "[tls][records]") {
  CHECK(sizeof(RecordLayer) <= 256);
}

}  // namespace
}  // namespace chatd::tls
