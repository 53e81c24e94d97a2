/// What is kept outside of this process so that its first sessions outlive a crash: of
/// each session a descriptor in the service manager's store and a record of its state.
/// Knows the places where they are kept, and nothing of what is in a record.
///
/// Invariant: each place holds at most one session, and a descriptor that is in the service
/// manager's store belongs to a place, or is still to be taken out.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
  struct Records {
    std::string head;
    std::vector<std::pair<Place, std::string>> sessions;
  };
  /// Reads them and clears their places: a record that makes a process crash does so once.
  [[nodiscard]] Records take_records();
  /// Whether this goes on with the file of an earlier process.
  [[nodiscard]] bool goes_on() const { return goes_on_; }
  /// Goes on with a session that an earlier process had put there. False: the place is
  /// taken, or the file is another; then the session is taken out of the store.
  [[nodiscard]] bool adopt(Place place, core::SessionId session);

  [[nodiscard]] bool has(core::SessionId session) const;
  [[nodiscard]] bool has_room() const { return !free_.empty(); }
  /// Puts a session there. 0: there is no room, or the service manager takes nothing now.
  Place add(core::SessionId session, int socket, std::string_view record);
  void remove(Place place);
  /// Tries again to take out what the service manager did not.
  void remove_rest();
  /// Whether nothing is left for remove_rest().
  [[nodiscard]] bool is_clean() const { return to_forget_.empty(); }

  /// Writes the record of the session at `place` anew. If it is too long, there is none.
  void write(Place place, std::string_view record);
  void write_head(std::string_view record) { records_.write(kHead, record); }

  /// The descriptor of the records.
  [[nodiscard]] int descriptor() const { return records_.descriptor(); }
  /// Takes everything out: this process ends as it should.
  void clear();

 private:
  static constexpr Place kHead = 0;  ///< no session's

  CrashStore(const service::DescriptorStore& store, service::RecordFile records, bool goes_on);
  void forget(core::SessionId session);

  const service::DescriptorStore& store_;
  service::RecordFile records_;
  std::vector<core::SessionId> sessions_;   ///< by place; 0: none
  std::vector<Place> free_;                 ///< the lowest last
  std::vector<core::SessionId> to_forget_;  ///< still in the service manager's store
  bool goes_on_;
};

}  // namespace chatd
