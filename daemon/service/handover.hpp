/// The document that one process leaves to the next, and the descriptors that go with
/// it. Its envelope, whose form never changes, says which version the rest has and
/// proves that it is whole. Knows nothing of the rest.
///
/// Invariant: a body that disclose() returns was enclosed by a process of the same version,
/// byte by byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

/// What stands in front of a body, so many bytes.
inline constexpr std::size_t kEnvelopeBytes = 28;
[[nodiscard]] std::string envelope(std::string_view body, std::uint32_t version = kSavedVersion);
/// `body` in its envelope.
[[nodiscard]] std::string enclose(std::string_view body, std::uint32_t version = kSavedVersion);
struct Disclosed {
  std::string_view body;  ///< a part of the document
  std::uint32_t version;
};
/// The body of a document. Errors: it is not a document, it is not whole, or it is of a
/// version that cannot be read: older than kOldestSavedVersion, or newer than this program.
[[nodiscard]] Result<Disclosed> disclose(std::string_view document);

/// A file in memory that holds `document`.
[[nodiscard]] Result<UniqueFd> make_memory_file(std::string_view document);
/// The contents of such a file, which is empty afterwards: a document is never used twice.
[[nodiscard]] Result<std::string> read_once(int fd);

/// What a program inherits that takes the place of this process: open descriptors, each under
/// its number.
struct Inherited {
  int document;
  int config;  ///< the configuration with which it is to begin, in an envelope of its own
  std::vector<int> descriptors;
  /// Some of these, of which it is told beside the document, which it may be unable to read:
  /// the sockets among them are to stay open then, and all else is to be closed.
  std::vector<int> kept;
};

/// Replaces this process by `program`. Returns only if it failed, and then nothing has
/// changed. A signal that is held (io/held_signals.hpp) waits for the new process.
[[nodiscard]] Error replace_process(const std::string& program, char* const* arguments,
                                    const Inherited& inherited);

/// What replace_process() has left to this process. There is no document if it was started
/// in another way.
struct Left {
  UniqueFd document;
  std::vector<int> kept;
};
/// Once: a second call finds nothing.
[[nodiscard]] Left take_left();
/// The configuration that the process before this one has had checked, without its envelope;
/// nothing if there is none. Once: a second call finds nothing.
[[nodiscard]] std::optional<std::string> take_checked_config();
/// The variable, as "NAME=VALUE", by which a program finds it as that descriptor.
[[nodiscard]] std::string checked_config_variable(int descriptor);
/// Makes a descriptor that was inherited by its number our own. Empty if it is not
/// open, or was not meant to be inherited.
[[nodiscard]] UniqueFd inherit(int number);
/// The sockets that were inherited and that nobody has made their own: those that another
/// program would inherit.
[[nodiscard]] std::vector<UniqueFd> inherit_rest();

}  // namespace chatd::service
