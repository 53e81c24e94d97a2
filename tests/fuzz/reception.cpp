// The first bytes of a connection, told to Reception. The first byte of the input is what the
// listener is for, the second how long passes between two pieces; the rest is what comes. Any way
// of cutting it in one moment gives the same finding; where another process goes on in between, and
// the clock moves, it is the same as without; no byte is lost; once it is decided it stays so; and
// whoever says no more is found out in time.
#include "clients/reception.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "fuzz/fuzz.hpp"
#include "http/request_line.hpp"
#include "tls/client_hello.hpp"

namespace {

using chatd::ByteReader;
using chatd::ByteWriter;
using chatd::Duration;
using chatd::kNever;
using chatd::Reception;
using chatd::Time;
using chatd::fuzz::Input;
using chatd::fuzz::must;
using Finding = Reception::Finding;

constexpr Time kStart{Duration{1'000'000}};

Reception::Rules rules_of(std::uint8_t choice) {
  Reception::Rules rules;
  rules.tls = (choice & 1U) != 0;
  rules.tls_required = rules.tls && (choice & 2U) != 0;
  rules.web = (choice & 4U) != 0;
  rules.web_only = rules.web && (choice & 8U) != 0;
  rules.proxy = (choice & 16U) != 0;
  rules.known = (choice & 32U) != 0;
  rules.browser = rules.web && (choice & 64U) != 0;
  return rules;
}

/// Goes on in another process.
void hand_over(Reception& reception, Reception::Rules rules, Time now) {
  ByteWriter out;
  reception.save(out, now);
  rules.proxy = reception.awaits_proxy();
  Reception next{rules, now};
  if (next.finding() != Finding::kNone) return;  // nothing is to be found out behind the header
  ByteReader in{out.bytes()};
  next.restore(in, now);
  must(in.finished(), "what it wrote down is refused");
  must(next.finding() == Finding::kNone, "the next one finds something in it");
  must(next.deadline() == reception.deadline(), "the next one waits for another moment");
  must(next.bytes() == reception.bytes(), "the next one has other bytes");
  reception = std::move(next);
}

/// Tells it all, `size` bytes at a time, with so much time in between.
Reception told(Reception::Rules rules, std::string_view bytes, std::size_t size, Duration step,
               bool handed_over) {
  Reception reception{rules, kStart};
  Time now = kStart;
  while (!bytes.empty()) {
    if (reception.deadline() <= now) (void)reception.tick(now);
    const auto before = reception.finding();
    const auto kept = std::string{reception.bytes()};
    const auto piece = bytes.substr(0, size);
    bytes.remove_prefix(piece.size());
    const auto found = reception.take(piece, now);
    must(before == Finding::kNone || found == before, "it has changed its mind");
    must(found == Finding::kNone || reception.deadline() == kNever, "it waits for nothing");
    must(found != Finding::kNone || reception.deadline() != kNever, "it waits for ever");
    must(found != Finding::kNone || reception.bytes().size() < Reception::kMostBytes, "too much");
    must(reception.bytes().starts_with(kept), "bytes are lost");
    if (handed_over && found == Finding::kNone) hand_over(reception, rules, now);
    now += step;
  }
  return reception;
}

/// What is found has to be in the bytes.
void check(const Reception& reception, Reception::Rules rules) {
  const auto bytes = reception.bytes();
  switch (reception.finding()) {
    case Finding::kTls:
      must(rules.tls, "TLS where there is none");
      must(chatd::tls::looks_like_client_hello(bytes) == chatd::tls::LooksLikeClientHello::kYes,
           "TLS without its sign");
      break;
    case Finding::kHttp:
      must(rules.web && !rules.tls_required, "HTTP where it is not answered");
      must(chatd::http::look_for_request(bytes) == chatd::http::FirstLine::kRequest,
           "HTTP without a request");
      break;
    case Finding::kChat:
      must(!rules.tls_required && !rules.web_only, "chat where it is refused");
      break;
    case Finding::kNoProxy:
      must(rules.proxy, "a header is missed that is not asked for");
      break;
    default:
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{data, size};
  const auto rules = rules_of(input.byte());
  const Duration step{input.byte() * 20};
  const auto bytes = input.rest();
  const auto most = std::max<std::size_t>(bytes.size(), 1);

  // All at once, and in pieces, in one moment.
  auto whole = told(rules, bytes, most, Duration{0}, false);
  check(whole, rules);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, most / 2 + 1}) {
    const auto cut = told(rules, bytes, piece, Duration{0}, true);
    must(cut.finding() == whole.finding(), "it depends on how it is cut");
    // Behind a header with which it is over nothing counts.
    const bool is_over = cut.finding() == Finding::kNoProxy || cut.finding() == Finding::kHealth;
    must(is_over || cut.bytes() == whole.bytes(), "its bytes depend on how it is cut");
  }
  // Over time.
  auto slow = told(rules, bytes, 1, step, false);
  const auto slow_handed = told(rules, bytes, 1, step, true);
  must(slow.finding() == slow_handed.finding(), "a hand-over changes what it is");
  must(slow.bytes() == slow_handed.bytes(), "a hand-over changes what came");
  check(slow, rules);

  // What is not decided is, when time passes or its end comes.
  if (whole.finding() == Finding::kNone) {
    const Time due = whole.deadline();
    must(due > kStart && due <= kStart + Reception::kBrowserSilence, "it waits too long");
    auto late = told(rules, bytes, most, Duration{0}, false);
    must(late.tick(due - Duration{1}) == Finding::kNone, "it is decided too early");
    must(late.tick(due) != Finding::kNone, "it is not decided in time");
    check(late, rules);
    must(whole.end(kStart) != Finding::kNone, "it is not decided at the end");
    check(whole, rules);
  }
  return 0;
}
