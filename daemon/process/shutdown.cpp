#include "process/shutdown.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace chatd {

namespace {

/// For operators to hear of what was lost.
constexpr Duration kLastWords{500};

}  // namespace

Shutdown::Shutdown(const Parts& parts)
    : parts_{parts},
      soon_{parts.loop, [this] { end_sessions(); }},
      grace_{parts.loop, [this] { stop_waiting(); }},
      last_words_{parts.loop, [this] { finish(); }} {}

void Shutdown::begin(const char* why) {
  if (std::exchange(has_begun_, true)) {
    // Asked twice: somebody does not want to wait. Unless nobody can have waited yet: signals
    // that came one after the other may be taken at once.
    if (sessions_end_) finish();
    return;
  }
  spdlog::info("stops: {}", why);
  parts_.manager.stopping();
  soon_.start(Duration{0});
  const Duration grace = parts_.config.service.stop_grace;
  if (grace > Duration{0}) grace_.start(grace);
}

void Shutdown::end_sessions() {
  sessions_end_ = true;
  // Operators hear the end of every session before theirs.
  parts_.clients.stop([this] { parts_.operators.stop([this] { finish(); }); });
}

void Shutdown::stop_waiting() {
  spdlog::warn("stops without waiting any longer for clients that do not read");
  last_words_.start(kLastWords);
  parts_.clients.stop_waiting();
}

void Shutdown::finish() {
  parts_.clients.crash_records().end();
  parts_.loop.stop();
}

}  // namespace chatd
