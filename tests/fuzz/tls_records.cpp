// The record layer of TLS 1.3. After a first byte 0 the rest is what comes, as it is; after 1 it
// is what one process left to the next. After any other it is a plan of records, most of which
// the client encrypts as it should: type, content, padding, and in which pieces they come.
// Any bytes end the session with an alert or become text; how they are split, and whether another
// process goes on in between, changes nothing.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "fuzz/fuzz.hpp"
#include "support/tls_records.hpp"
#include "tls/record_layer.hpp"

namespace {

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::fuzz::Input;
using chatd::fuzz::must;
using chatd::test::RecordCipher;
using chatd::tls::RecordLayer;
using chatd::tls::Suite;

/// A long conversation comes in no more pieces than these, or it would take a second.
constexpr std::size_t kMostPieces = 300;

std::string secret_of(Suite suite, char fill) {
  std::string secret;
  secret.assign(chatd::tls::secret_bytes_of(suite), fill);
  return secret;
}

/// Our end, and the client's keys.
struct Session {
  explicit Session(Suite suite)
      : layer{suite, {secret_of(suite, 'c')}, {secret_of(suite, 's')}},
        reader{static_cast<int>(suite), secret_of(suite, 's')} {}

  void in(std::string_view bytes) {
    const bool was_open = layer.state() == RecordLayer::State::kOpen;
    const auto begin = text.size();
    layer.open(bytes, text, sent);
    must(was_open || text.size() == begin, "it heard something after the end");
    must(text.size() - begin <= bytes.size() + chatd::tls::kMostRecordBytes, "text out of nothing");
    must(layer.memory() <= 2 * chatd::tls::kMostRecordBytes, "it keeps too much");
  }
  void hand_over() {
    if (layer.state() == RecordLayer::State::kFailed) return;
    ByteWriter out;
    layer.save(out);
    ByteReader in{out.bytes()};
    auto next = RecordLayer::restore(in);
    must(next && in.finished(), "what it wrote down is refused");
    ByteWriter again;
    next->save(again);
    must(again.bytes() == out.bytes(), "the next one is another");
    layer = std::move(*next);
  }
  /// Everything that was said can be read, in order.
  void check_sent() {
    for (const auto record : chatd::test::records_in(sent)) {
      const auto inner = reader.open(record);
      must(!inner.empty(), "an empty record was sent");
      if (inner.back() == 22) reader.update();
    }
    sent.clear();
  }

  RecordLayer layer;
  RecordCipher reader;
  std::string text;
  std::string sent;
};

/// What the client sends by the plan.
std::string planned(Input& input, RecordCipher client) {
  std::string bytes;
  while (!input.empty() && bytes.size() < 20'000) {
    const auto what = input.byte();
    const auto size = input.number();
    switch (what % 8) {
      case 0:
        bytes += client.seal(23, std::string(size, 'x'));
        break;
      case 1:
        bytes += client.seal(23, std::string(size % 64, 'x'), input.number());
        break;
      case 2:
        bytes += client.seal(22, std::string{"\x18\0\0\1", 4} + static_cast<char>(size % 3));
        client.update();
        break;
      case 3: {
        const std::string update{"\x18\0\0\1\1", 5};
        bytes += client.seal(22, update.substr(0, size % 5));
        bytes += client.seal(22, update.substr(size % 5));
        client.update();
        break;
      }
      case 4:
        bytes += client.seal(21, std::string{"\1", 1} + static_cast<char>(size));
        break;
      case 5: {
        std::string inner(size % 20, '\0');
        for (char& byte : inner) byte = static_cast<char>(input.byte());
        bytes += client.seal_inner(inner);
        break;
      }
      case 6:
        bytes += std::string(size % 20, static_cast<char>(input.byte()));
        break;
      default:
        if (!bytes.empty()) bytes[size % bytes.size()] ^= static_cast<char>(1U << (what >> 5U));
        break;
    }
  }
  return bytes;
}

void converse(Input input) {
  const auto suite = static_cast<Suite>(0x1301 + input.byte() % 3);
  const std::size_t wished = 1 + input.number() % 4096;
  const bool hands_over = input.byte() % 2 == 1;
  const auto bytes = planned(input, RecordCipher{static_cast<int>(suite), secret_of(suite, 'c')});
  const auto step = std::max(wished, bytes.size() / kMostPieces);
  Session whole{suite};
  whole.in(bytes);
  Session split{suite};
  for (std::string_view rest = bytes; !rest.empty();) {
    split.in(rest.substr(0, step));
    rest.remove_prefix(std::min(step, rest.size()));
    if (hands_over) split.hand_over();
  }
  must(split.text == whole.text, "split it heard another text");
  must(split.sent == whole.sent, "split it said something else");
  must(split.layer.state() == whole.layer.state(), "split it ended in another way");
  must(split.layer.fault() == whole.layer.fault(), "split it had another fault");
  for (Session* each : {&whole, &split}) {
    if (each->layer.can_seal()) each->layer.seal("answer", each->sent);
    each->layer.close(each->sent);
    each->check_sent();
  }
}

/// Bytes that nobody encrypted: there is no text in them.
void listen(std::string_view bytes) {
  Session session{Suite::kChacha20Poly1305Sha256};
  session.in(bytes);
  must(session.text.empty(), "it heard what nobody said");
  session.check_sent();
}

void restore(std::string_view bytes) {
  ByteReader in{bytes};
  auto layer = RecordLayer::restore(in);
  must(layer.has_value() == in.ok(), "it is there, and it is wrong");
  if (!layer) return;
  ByteWriter out;
  layer->save(out);
  must(bytes.starts_with(out.bytes()), "it is written down otherwise");
  std::string text;
  std::string sent;
  layer->open(std::string(100, '\x17'), text, sent);
  if (layer->can_seal()) layer->seal("text", sent);
  layer->close(sent);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  switch (input.byte()) {
    case 0:
      listen(input.rest());
      break;
    case 1:
      restore(input.rest());
      break;
    default:
      converse(input);
      break;
  }
  return 0;
}
