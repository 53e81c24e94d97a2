/// What the process before this one has left to it, until it is used. There are four cases:
///
/// | the process before this one | left                                    | sessions            |
/// | --------------------------- | --------------------------------------- | ------------------- |
/// | became this one (SIGUSR2)   | a document, and descriptors by number   | go on               |
/// | was restarted (SIGTERM)     | the same in the store, by place         | go on               |
/// | ended without warning       | crash records and connections           | go on if both exist |
/// | left nothing                | at most the sockets of socket units     | there are none      |
///
/// A document that cannot be used costs the sessions, which get an end of file, and not the
/// service.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "clients/clients.hpp"
#include "clients/crash_store.hpp"
#include "events/journal.hpp"
#include "operators/operators.hpp"
#include "process/handover_document.hpp"
#include "service/descriptor_store.hpp"
#include "service/document_file.hpp"

namespace chatd {

class Inheritance {
 public:
  /// Takes all that there is. To be made once, before this process opens anything that could
  /// be mistaken for a part of it.
  Inheritance();

  // In this order:

  /// Opens the crash records, and reads them if there is no document. Null as
  /// CrashStore::open() has it.
  [[nodiscard]] std::unique_ptr<CrashStore> open_crash_store(const service::DescriptorStore& store);
  /// Whether some sessions of the process before this one may go on.
  [[nodiscard]] bool has_sessions() const;
  /// Events go on where they had stopped, or at least their numbers do.
  void restore_events(Journal& journal) const;
  /// Descriptors that are open now and came from an earlier process, all but a few of them
  /// connections.
  [[nodiscard]] std::size_t connections() const;
  /// Sessions and operators go on, or are dismissed. What the service manager keeps and nobody
  /// needs any more is thrown away.
  void restore(Clients& clients, Operators& operators, const service::DescriptorStore& store,
               const CrashStore* crash_store);
  /// The sockets of socket units.
  [[nodiscard]] std::vector<UniqueFd> take_listening();
  /// The epoll set of the process before this one; empty if that left none. Closing it takes
  /// long.
  [[nodiscard]] UniqueFd take_watched();

 private:
  /// What came with a document.
  struct Left {
    std::optional<service::MappedDocument> mapped;  ///< what `document` is read from
    HandoverDocument document;
    std::uint32_t version = kSavedVersion;  ///< of the document
    std::vector<UniqueFd> descriptors;      ///< at the places that the document says
    std::vector<int> kept;                  ///< numbers that this process is told of beside it
    bool stored = false;                    ///< it came from the service manager's store
    std::string why;                        ///< it cannot be used; empty: it can
  };

  void read_document(int file);
  void restore_parts(Clients& clients, Operators& operators);
  void dismiss_all(Clients& clients);
  void restore_after_crash(Clients& clients);
  void forget_kept(const service::DescriptorStore& store, const CrashStore* crash_store);

  std::unique_ptr<Left> left_;
  std::vector<UniqueFd> listening_;
  UniqueFd records_;                                 ///< of the crash store
  std::vector<service::KeptSession> kept_sessions_;  ///< by the service manager, one by one
  CrashStore::Records crash_records_;                ///< until they are used
  UniqueFd watched_;
};

}  // namespace chatd
