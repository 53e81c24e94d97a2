/// What is kept outside of this process so that its first sessions outlive a crash: of
/// each a descriptor in the service manager's store and a record of its state. Knows how
/// they are kept; what is in a record is the server's affair.
///
/// Invariant: each place holds at most one session, and a descriptor that is in the
/// store belongs to a place, or is still to be taken out.
#pragma once

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

class Lifeboat {
 public:
  /// 0 is none.
  using Place = std::uint16_t;

  /// Null if `store` does not exist, or, after saying so in the log, if it is of no use.
  /// `records` are those of an earlier process, if there are any: what cannot be read of
  /// them is logged, and then they begin anew.
  static std::unique_ptr<Lifeboat> open(const service::DescriptorStore& store, UniqueFd records);

  /// Those of the records that lie where the earlier process had left them; they are not
  /// there any more afterwards: whoever trips over one trips once.
  struct Saved {
    std::string head;
    std::vector<std::pair<Place, std::string>> sessions;
  };
  [[nodiscard]] Saved take_saved();
  /// Whether there were any, and this goes on with their file.
  [[nodiscard]] bool goes_on() const { return goes_on_; }
  /// Goes on with what another process had put there. False: the place is taken, or the
  /// file is another; then the session is taken out of the store.
  bool goes_on_with(Place place, core::SessionId session);

  [[nodiscard]] bool has(core::SessionId session) const;
  [[nodiscard]] bool has_room() const { return !free_.empty(); }
  /// Takes a session in. 0: there is no room, or the store takes nothing now.
  Place board(core::SessionId session, int socket, std::string_view record);
  void leave(Place place);
  /// What the store did not take when it was to be taken out is tried again.
  void tidy();
  [[nodiscard]] bool is_tidy() const { return to_forget_.empty(); }

  void write(Place place, std::string_view record) { records_.write(place, record); }
  void write_head(std::string_view record) { records_.write(0, record); }

  /// The descriptor of the records.
  [[nodiscard]] int descriptor() const { return records_.descriptor(); }
  /// Nobody will need any of it.
  void sink();

 private:
  Lifeboat(const service::DescriptorStore& store, service::RecordFile records, bool goes_on);
  void forget(core::SessionId session);

  const service::DescriptorStore& store_;
  service::RecordFile records_;
  std::vector<core::SessionId> sessions_;   ///< by place; 0: none
  std::vector<Place> free_;                 ///< the lowest last
  std::vector<core::SessionId> to_forget_;  ///< still in the store
  bool goes_on_;
};

}  // namespace chatd
