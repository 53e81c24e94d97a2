#include "process/shutdown.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace chatd {

Shutdown::Shutdown(const Parts& parts)
    : parts_{parts},
      soon_{parts.loop, [this] { end_sessions(); }},
      grace_{parts.loop, [this] {
               spdlog::warn("stops without waiting any longer for clients that do not read");
               finish();
             }} {}

void Shutdown::begin(const char* why) {
  if (std::exchange(has_begun_, true)) {
    // Asked twice: somebody does not want to wait.
    finish();
    return;
  }
  spdlog::info("stops: {}", why);
  parts_.manager.stopping();
  soon_.start(Duration{0});
  const Duration grace = parts_.config.service.stop_grace;
  if (grace > Duration{0}) grace_.start(grace);
}

void Shutdown::end_sessions() {
  // Operators hear the end of every session before theirs.
  parts_.clients.stop([this] { parts_.operators.stop([this] { finish(); }); });
}

void Shutdown::finish() {
  parts_.clients.crash_records().end();
  parts_.loop.stop();
}

}  // namespace chatd
