/// The service manager's descriptor store: descriptors that are put there survive this
/// process, and are passed to the next one under their names. Knows the names, and no chat.
///
/// Invariant: a name is used for one kind of thing alone, so that a process which cannot
/// read the things can still have all of them thrown away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/unique_fd.hpp"
#include "service/notify.hpp"

namespace chatd::service {

class DescriptorStore {
 public:
  /// $FDSTORE says how many descriptors it has room for; newer managers set it by
  /// themselves, and a unit sets it for others. Without it, or without a manager, there is no
  /// store.
  explicit DescriptorStore(const Notify& notify);

  [[nodiscard]] bool exists() const { return room_ > 0; }
  [[nodiscard]] std::size_t room() const { return room_; }

  /// Leaves a document and copies of `descriptors` to the next process. Only if the store
  /// exists(). Errors: the manager does not confirm that it keeps them; nothing of it is left
  /// there then.
  [[nodiscard]] Result<> leave(int document, const std::vector<int>& descriptors) const;
  /// Throws away what leave() has left.
  void forget_left() const;

  // Kept there while this process lives, for the case that it ends without warning. False:
  // the manager does not take it.
  /// A file of records; there is one. Both may wait for the manager.
  [[nodiscard]] bool keep_records(int file) const;
  void forget_records() const;
  /// The connection of a session. Neither waits.
  [[nodiscard]] bool keep_session(std::uint64_t session, int socket) const;
  [[nodiscard]] bool forget_session(std::uint64_t session) const;

 private:
  const Notify& notify_;
  std::size_t room_ = 0;
};

/// A connection that was kept.
struct KeptSession {
  std::uint64_t session;
  UniqueFd socket;
};

/// The contents of the store, which an earlier process had put there.
struct Stored {
  UniqueFd document;
  std::vector<UniqueFd> descriptors;  ///< each at its place; empty where it is missing
  UniqueFd records;
  std::vector<KeptSession> sessions;
};

/// Everything that the service manager has passed to this process.
struct Passed {
  Stored stored;
  std::vector<UniqueFd> listening;  ///< of socket units
};

/// Takes all of it, once.
[[nodiscard]] Passed take_passed();

}  // namespace chatd::service
