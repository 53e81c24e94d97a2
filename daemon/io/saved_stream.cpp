#include "io/saved_stream.hpp"

#include <cstdint>

#include "base/bytes.hpp"

namespace chatd::io {

SavedStream SavedStream::read(ByteReader& in) {
  SavedStream saved;
  for (auto count = in.count(); count > 0 && in.ok(); --count) saved.queue.push_back(in.payload());
  saved.linger_left = Duration{in.number<std::uint32_t>()};
  saved.closing = in.flag();
  saved.end_sent = in.flag();
  saved.paused = in.flag();
  saved.ended = in.flag();
  if (in.version() >= 8) {
    const bool weighty = in.flag();
    const auto behind = in.number<std::uint32_t>();
    if (weighty) saved.behind_weighty = behind;
  }
  in.require(saved.closing || !saved.end_sent);
  in.require(saved.queue.empty() || !saved.end_sent);
  return saved;
}

}  // namespace chatd::io
