/// What is kept outside of this process so that its first sessions outlive a crash: of
/// each session a record of its state and a descriptor in the service manager's store or, where
/// it has none, a log.
/// Knows the places where they are kept, and nothing of what is in a record or a log.
///
/// Invariant: each place holds at most one session, and a descriptor that is in the service
/// manager's store belongs to a place, or is still to be taken out.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbox.hpp"
#include "service/descriptor_store.hpp"
#include "service/record_file.hpp"

namespace chatd {

class CrashStore {
 public:
  /// Where a session is. 0 is none.
  using Place = std::uint16_t;

  /// Null if `store` has no room, or, after saying so in the log, if it is of no use.
  /// `records` are those of an earlier process, if there are any; this goes on with their
  /// file, or logs why it cannot and makes another.
  static std::unique_ptr<CrashStore> open(const service::DescriptorStore& store, UniqueFd records);

  /// The records of an earlier process.
  struct Kept {
    Place place;
    std::string record;
    std::optional<std::string> log;  ///< nothing: it has none, or that is damaged
  };
  struct Records {
    std::string head;
    std::vector<Kept> sessions;
  };
  /// There is no descriptor.
  static constexpr int kNoSocket = -1;
  /// Reads them and clears their places: a record that makes a process crash does so once.
  [[nodiscard]] Records take_records();
  /// Whether this goes on with the file of an earlier process.
  [[nodiscard]] bool goes_on() const { return goes_on_; }
  /// Goes on with a session that an earlier process had put there. False: the place is
  /// taken, or the file is another; then the session is taken out of the store.
  [[nodiscard]] bool adopt(Place place, core::SessionId session, bool has_socket = true);

  [[nodiscard]] bool has(core::SessionId session) const;
  [[nodiscard]] bool has_room() const { return !free_.empty(); }
  /// Puts a session there; `socket` may be kNoSocket. 0: there is no room, or the service manager
  /// takes nothing now.
  Place add(core::SessionId session, int socket, std::string_view record);
  void remove(Place place);
  /// Tries again to take out what the service manager did not.
  void remove_rest();
  /// Whether nothing is left for remove_rest().
  [[nodiscard]] bool is_clean() const { return to_forget_.empty(); }

  /// Writes the record of the session at `place` anew. If it is too long, there is none.
  void write(Place place, std::string_view record);
  /// The log of the session at `place`; see service::RecordFile. What it begins with must fit.
  static constexpr std::size_t kMostToBegin =
      service::RecordFile::kMaxLog - service::RecordFile::kPartHead;
  void begin_log(Place place, std::string_view bytes);
  [[nodiscard]] bool append_log(Place place, std::string_view bytes);
  [[nodiscard]] std::size_t log_size(Place place) const { return records_.log_size(place); }
  void write_head(std::string_view record) { records_.write(kHead, record); }

  /// The descriptor of the records.
  [[nodiscard]] int descriptor() const { return records_.descriptor(); }
  /// Takes everything out: this process ends as it should.
  void clear();

 private:
  static constexpr Place kHead = 0;  ///< no session's

  CrashStore(const service::DescriptorStore& store, service::RecordFile records, bool goes_on);
  void forget(core::SessionId session);
  [[nodiscard]] bool is_used(Place place) const {
    return place != kHead && sessions_[place].id != 0;
  }

  struct Session {
    core::SessionId id = 0;  ///< 0: none
    bool has_socket = true;
  };

  const service::DescriptorStore& store_;
  service::RecordFile records_;
  std::vector<Session> sessions_;           ///< by place
  std::vector<Place> free_;                 ///< the lowest last
  std::vector<core::SessionId> to_forget_;  ///< still in the service manager's store
  bool goes_on_;
};

}  // namespace chatd
