/// One router takes over from another, as a new process does: all that it gets are bytes.
/// Held messages are known by the numbers that the core gave them, unless the test says
/// otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "core/router.hpp"

namespace chatd::test {

struct OwnNumbers : core::KnownNumbers {
  [[nodiscard]] std::uint64_t number_of(core::SessionId /*session*/,
                                        core::MessageNumber number) const override {
    return number;
  }
};

inline std::string written_down(const core::Router& router, Time now,
                                const core::KnownNumbers& known = OwnNumbers{}) {
  ByteWriter out;
  router.save(out);
  const auto sessions = router.sessions();
  out.number<std::uint64_t>(sessions.size());
  for (const auto* session : sessions) {
    out.number(session->slot());
    session->save(out, now, known);
  }
  return out.bytes();
}

/// False if the bytes are refused. `now` may be of another clock.
inline bool read_back(std::string_view bytes, core::Router& router, Time now,
                      std::uint32_t version = kSavedVersion) {
  ByteReader in{bytes, version};
  router.restore(in);
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    const auto slot = in.number<core::Slot>();
    in.require(slot < 1000 && !router.has(slot));
    auto session = core::Session::restore(in, now);
    if (!session || !router.adopt(slot, std::move(session))) return false;
  }
  return in.finished();
}

/// `router` becomes one that has read what it had written.
inline bool hand_over(core::Router& router, Time now,
                      const core::KnownNumbers& known = OwnNumbers{},
                      core::Capacity* capacity = nullptr) {
  const auto bytes = written_down(router, now, known);
  const auto settings = router.settings();
  std::destroy_at(&router);
  std::construct_at(&router, settings, core::SessionId{0}, capacity);
  return read_back(bytes, router, now);
}

}  // namespace chatd::test
