// bench_parts: the inner parts of the hot path by themselves, with Google Benchmark: from
// a client's bytes to the line that an operator gets, and back. Messages are the 63 bytes
// of bench_load.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "core/framer.hpp"
#include "core/outbox.hpp"
#include "core/outgoing.hpp"
#include "core/router.hpp"
#include "core/settings.hpp"
#include "events/event_json.hpp"
#include "events/journal.hpp"
#include "log/log.hpp"
#include "operators/send_request.hpp"
#include "store/index.hpp"
#include "store/recorder.hpp"
#include "store/schema.hpp"
#include "text.hpp"
#include "tls/record_layer.hpp"
#include "way.hpp"

namespace chatd::bench {
namespace {

constexpr Time kNow{Duration{1'000'000}};
const std::string kPlain{Text{{Kind::kQuestion, 12, 345}}.view()};
const std::string kLine = kPlain + "\n";
const std::string kForeign = "Grüße aus Köln, 世界: was kostet ein Brief nach Übersee? äöü";
const std::string kHostile = "\x1b[2J\x1b[H you never \xc2\x9b 31m \x07 saw \xff this";

core::Settings settings() {
  core::Settings all;
  all.messages_per_second = 1e9;
  all.messages_burst = 1e9;
  return all;
}

void count(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

/// From one read of `messages` lines to that many messages.
void framer(benchmark::State& state) {
  std::string bytes;
  for (std::int64_t i = 0; i < state.range(0); ++i) bytes += kLine;
  const auto rules = settings();
  core::Reading reading;
  core::Framer line{core::DialectSetting::kLine};
  while (state.KeepRunning()) {
    std::string_view input = bytes;
    while (line.next(input, kNow, rules, reading)) benchmark::DoNotOptimize(reading.text);
  }
  count(state, bytes.size());
}
BENCHMARK(framer)->Arg(1)->Arg(16);

void framer_original(benchmark::State& state) {
  const auto rules = settings();
  core::Reading reading;
  core::Framer original{core::DialectSetting::kOriginal};
  while (state.KeepRunning()) {
    std::string_view input = kPlain;
    while (original.next(input, kNow, rules, reading)) benchmark::DoNotOptimize(reading.text);
  }
  count(state, kPlain.size());
}
BENCHMARK(framer_original);

/// The same of the frames of a WebSocket.
void framer_websocket(benchmark::State& state) {
  std::string bytes;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const auto begin = bytes.size();
    bytes += kPlain;
    frame_text(bytes, begin);
  }
  const auto rules = settings();
  core::Reading reading;
  core::Framer websocket{core::DialectSetting::kWebSocket};
  websocket.written(kNow);
  while (state.KeepRunning()) {
    std::string_view input = bytes;
    while (websocket.next(input, kNow, rules, reading)) benchmark::DoNotOptimize(reading.text);
  }
  count(state, bytes.size());
}
BENCHMARK(framer_websocket)->Arg(1)->Arg(16);

/// A text as its client gets it.
void encode_text(benchmark::State& state, core::Dialect dialect) {
  while (state.KeepRunning()) benchmark::DoNotOptimize(core::encode(kPlain, dialect));
  count(state, kPlain.size());
}
BENCHMARK_CAPTURE(encode_text, line, core::Dialect::kLine);
BENCHMARK_CAPTURE(encode_text, websocket, core::Dialect::kWebSocket);

const std::string kSecret(tls::secret_bytes_of(tls::Suite::kAes256GcmSha384), 's');

/// A record is sealed, and one is opened: what a question and its answer need.
void seal_and_open(benchmark::State& state) {
  constexpr auto kSuite = tls::Suite::kAes256GcmSha384;
  const std::string other(kSecret.size(), 'o');
  tls::RecordLayer here{kSuite, {kSecret}, {other}};
  tls::RecordLayer there{kSuite, {other}, {kSecret}};
  std::string record;
  std::string text;
  std::string reply;
  while (state.KeepRunning()) {
    record.clear();
    text.clear();
    here.seal(kLine, record);
    there.open(record, text, reply);
    benchmark::DoNotOptimize(text.data());
  }
  if (text != kLine || !reply.empty()) state.SkipWithError("not opened");
  count(state, kLine.size());
}
BENCHMARK(seal_and_open);

/// The same with nothing but the cipher, whose keys were set once.
void cipher_alone(benchmark::State& state) {
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  using Bytes = std::array<unsigned char, 128>;
  const std::unique_ptr<EVP_CIPHER_CTX, Free> sealing{EVP_CIPHER_CTX_new()};
  const std::unique_ptr<EVP_CIPHER_CTX, Free> opening{EVP_CIPHER_CTX_new()};
  const Bytes key{};
  EVP_EncryptInit_ex2(sealing.get(), EVP_aes_256_gcm(), key.data(), key.data(), nullptr);
  EVP_DecryptInit_ex2(opening.get(), EVP_aes_256_gcm(), key.data(), key.data(), nullptr);
  const auto size = static_cast<int>(kLine.size()) + 1;  // with the type of the record
  std::array<unsigned char, 12> nonce{};
  const std::array<unsigned char, tls::kRecordHeader> header{};
  Bytes text{};
  Bytes sealed{};
  Bytes opened{};
  std::array<unsigned char, tls::kTagBytes> tag{};
  bool good = true;
  while (state.KeepRunning()) {
    ++nonce[0];
    int done = 0;
    EVP_EncryptInit_ex2(sealing.get(), nullptr, nullptr, nonce.data(), nullptr);
    EVP_EncryptUpdate(sealing.get(), nullptr, &done, header.data(), header.size());
    EVP_EncryptUpdate(sealing.get(), sealed.data(), &done, text.data(), size);
    EVP_EncryptFinal_ex(sealing.get(), sealed.data() + done, &done);
    EVP_CIPHER_CTX_ctrl(sealing.get(), EVP_CTRL_AEAD_GET_TAG, tls::kTagBytes, tag.data());
    EVP_DecryptInit_ex2(opening.get(), nullptr, nullptr, nonce.data(), nullptr);
    EVP_CIPHER_CTX_ctrl(opening.get(), EVP_CTRL_AEAD_SET_TAG, tls::kTagBytes, tag.data());
    EVP_DecryptUpdate(opening.get(), nullptr, &done, header.data(), header.size());
    EVP_DecryptUpdate(opening.get(), opened.data(), &done, sealed.data(), size);
    good = EVP_DecryptFinal_ex(opening.get(), opened.data() + done, &done) == 1 && good;
  }
  if (!good || opened != text) state.SkipWithError("not opened");
  count(state, kLine.size());
}
BENCHMARK(cipher_alone);

const std::string& sample(std::int64_t number) {
  return number == 0 ? kPlain : number == 1 ? kForeign : kHostile;
}

/// Escapes for a terminal or a log: plain ASCII, other scripts, deceptive characters.
void escape_for_terminal(benchmark::State& state) {
  const auto& text = sample(state.range(0));
  std::string out;
  while (state.KeepRunning()) {
    out.clear();
    append_escaped(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  count(state, text.size());
}
BENCHMARK(escape_for_terminal)->Arg(0)->Arg(1)->Arg(2);

void escape_for_json(benchmark::State& state) {
  const auto& text = sample(state.range(0));
  std::string out;
  while (state.KeepRunning()) {
    out.clear();
    append_json(out, text);
    benchmark::DoNotOptimize(out.data());
  }
  count(state, text.size());
}
BENCHMARK(escape_for_json)->Arg(0)->Arg(1)->Arg(2);

void encode_event(benchmark::State& state) {
  Event event;
  event.kind = EventKind::kMessage;
  event.session = 1234;
  event.text = kPlain;
  const auto time = wall_now();
  std::string out;
  while (state.KeepRunning()) {
    out.clear();
    append_event(out, 1, time, event);
    benchmark::DoNotOptimize(out.data());
  }
  count(state, out.size());
}
BENCHMARK(encode_event);

/// The same with its number, into the log of events; sealed as often as a busy loop does it.
void write_down_event(benchmark::State& state) {
  Log::set_level(LogLevel::kError);
  Journal journal{1UL << 20U};
  Event event;
  event.kind = EventKind::kMessage;
  event.session = 1234;
  event.text = kPlain;
  const auto time = wall_now();
  std::uint32_t count = 0;
  while (state.KeepRunning()) {
    journal.add(event, time);
    if (journal.last_seq() % 64 == 0) benchmark::DoNotOptimize(journal.seal(count));
  }
}
BENCHMARK(write_down_event);

void read_operators_line(benchmark::State& state) {
  const auto line =
      R"({"jsonrpc":"2.0","id":7,"method":"send","params":{"to":1234,"text":")" + kPlain + R"("}})";
  while (state.KeepRunning()) benchmark::DoNotOptimize(read_send_request(line));
  count(state, line.size());
}
BENCHMARK(read_operators_line);

/// A router with `sessions` of them, each of which has spoken.
struct House {
  explicit House(std::int64_t sessions) {
    for (core::Slot slot = 0; slot < static_cast<core::Slot>(sessions); ++slot) {
      router.connect(slot, core::DialectSetting::kLine, kNow, outbox);
      router.receive(slot, kLine, kNow, outbox);
      outbox.clear();
    }
  }

  core::Router router{settings()};
  core::Outbox outbox;
};

/// From a read of one message to its effects, one session after the other.
void route_message(benchmark::State& state) {
  House house{state.range(0)};
  core::Slot slot = 0;
  while (state.KeepRunning()) {
    house.router.receive(slot, kLine, kNow, house.outbox);
    benchmark::DoNotOptimize(house.outbox.events().data());
    house.outbox.clear();
    if (++slot == static_cast<core::Slot>(state.range(0))) slot = 0;
  }
}
BENCHMARK(route_message)->Arg(1)->Arg(1000)->Arg(10'000);

void route_answer(benchmark::State& state) {
  House house{state.range(0)};
  core::Recipients to{false, {0}};
  while (state.KeepRunning()) {
    to.sessions[0] = to.sessions[0] % static_cast<core::SessionId>(state.range(0)) + 1;
    benchmark::DoNotOptimize(house.router.send(to, kPlain, "bench", kNow, house.outbox));
    house.outbox.clear();
  }
}
BENCHMARK(route_answer)->Arg(1)->Arg(1000)->Arg(10'000);

/// The cost of one delivery.
void route_broadcast(benchmark::State& state) {
  House house{state.range(0)};
  const core::Recipients all{true, {}};
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(house.router.send(all, kPlain, "bench", kNow, house.outbox));
    house.outbox.clear();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(route_broadcast)->Arg(1000);

/// The cost of one event on the transcript's thread, with the index and SQLite's checkpoints:
/// questions of a thousand sessions and their answers, in transactions of the given size.
void record_event(benchmark::State& state) {
  std::string folder{"/tmp/chatd-parts-XXXXXX"};
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no folder");
  {
    auto database = store::Database::open(folder + "/transcript.db");
    if (!database || !store::prepare_schema(*database)) return state.SkipWithError("no database");
    auto recorder = store::Recorder::make(*database);
    auto index = store::Index::make(*database);
    if (!recorder || !index) return state.SkipWithError("no statements");
    store::Record record;
    store::Batch batch;
    while (state.KeepRunningBatch(state.range(0))) {
      for (std::int64_t i = 0; i < state.range(0); ++i) {
        ++record.seq;
        record.session = record.seq / 2 % 1000 + 1;
        record.kind = record.seq % 2 == 0 ? store::Kind::kMessage : store::Kind::kSent;
        record.operator_name = "bench";
        const Text text{{Kind::kQuestion, static_cast<std::uint32_t>(record.session),
                         static_cast<std::uint32_t>(record.seq)}};
        record.text = text.view();
        batch.add(record);
      }
      if (!recorder->write(batch)) return state.SkipWithError("not written");
      batch.clear();
      const auto before = record.seq - static_cast<std::uint64_t>(state.range(0));
      if (before / store::Index::kBehind != record.seq / store::Index::kBehind &&
          !index->catch_up()) {
        return state.SkipWithError("not indexed");
      }
    }
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(record_event)->Arg(1)->Arg(50)->Arg(500);

}  // namespace
}  // namespace chatd::bench

BENCHMARK_MAIN();
