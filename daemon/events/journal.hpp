/// What happens, written down: the journal alone numbers events. It encodes each once, into
/// the log of events that operators are sent from, records it in the transcript, and logs
/// it. It knows by which event a message is held, whatever number the core gives it.
///
/// Invariant: each event has the number of the one before it plus one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/payload.hpp"
#include "base/wall_time.hpp"
#include "core/session.hpp"
#include "events/event.hpp"
#include "events/event_log.hpp"
#include "events/held_messages.hpp"
#include "events/transcript.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Journal {
 public:
  /// Keeps `max_bytes` of events, see EventLog. `transcript` may be null: then nothing is
  /// recorded, and numbers begin anew.
  explicit Journal(std::size_t max_bytes, Transcript* transcript = nullptr);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Writes `event` down, which happened at `time`.
  void add(const Event& event, WallTime time = wall_now());
  /// Writes a `warning` down: something that every operator should know.
  void warn(std::string_view text);

  /// Whether there is a transcript.
  [[nodiscard]] bool is_recording() const { return transcript_ != nullptr; }

  // For those who are sent events; see EventLog.
  [[nodiscard]] std::size_t unsealed_bytes() const { return log_.unsealed_bytes(); }
  [[nodiscard]] Payload seal(std::uint32_t& count) { return log_.seal(count); }
  [[nodiscard]] Payload after(Seq& since) const { return log_.after(since); }
  [[nodiscard]] Seq first_seq() const { return log_.first_seq(); }
  [[nodiscard]] Seq sealed_seq() const { return log_.sealed_seq(); }
  [[nodiscard]] Seq last_seq() const { return log_.last_seq(); }

  // For another process that goes on with this; see EventLog.
  void save(ByteWriter& out) const { log_.save(out); }
  void restore(ByteReader& in) { log_.restore(in); }
  void go_on_after(Seq seq) { log_.go_on_after(seq); }
  /// The numbers under which messages that are held are written down, for Session::save().
  [[nodiscard]] const core::KnownNumbers& held_messages() const { return held_; }
  /// The session came from an earlier process: messages that are held for it have the
  /// numbers of their events there.
  void adopt(const core::Session& session);

  /// Gives back the memory that is kept for the next events, where none has begun.
  void release_memory();
  [[nodiscard]] std::size_t retained_bytes() const;

 private:
  void write_down(const Event& event, WallTime time);

  EventLog log_;
  HeldMessages held_;
  Transcript* transcript_;
  std::string line_;  ///< memory for one of the daemon's log
};

}  // namespace chatd
