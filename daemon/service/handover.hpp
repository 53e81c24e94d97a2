/// The document that one process leaves to the next, and the descriptors that go with
/// it. An envelope of its own, whose form never changes, says which version the rest
/// has and proves that it is whole; it knows nothing of what is in it.
///
/// Invariant: what take() returned was written by put() of the same version, byte by
/// byte, or it is an error that says why not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

/// Counts up whenever a field is added to what a process saves, or changes its meaning.
inline constexpr std::uint32_t kHandoverVersion = 6;

/// `body` in its envelope.
[[nodiscard]] std::string enclose(std::string_view body, std::uint32_t version = kHandoverVersion);
/// The body of a document, as a part of it. Errors: it is none, it is not whole, or it
/// is of another version.
[[nodiscard]] Result<std::string_view> disclose(std::string_view document);

/// A file in memory that holds `document`.
[[nodiscard]] Result<UniqueFd> put(std::string_view document);
/// What is in such a file, which is empty afterwards: it is never used twice.
[[nodiscard]] Result<std::string> take(int fd);

/// Replaces this process by a new one of `program`, which is left `document` and
/// inherits `descriptors`, each under its number. Those that are in `kept`, too, it is
/// told of beside the document, for it may not be able to read that: sockets that are to
/// stay then, and what is to be closed, but is no socket. Returns only if
/// that failed, and then nothing has changed.
[[nodiscard]] Error replace_process(const std::string& program, char* const* arguments,
                                    int document, const std::vector<int>& descriptors,
                                    const std::vector<int>& kept);

/// Lets the signals in that came while the process was replaced. To be called when
/// somebody handles them.
void let_signals_in();
/// From now on the same signals wait, for ever if nobody lets them in: the process ends.
void keep_signals_out();

/// What this process was left by replace_process(), once; no document if it was not.
struct Left {
  UniqueFd document;
  std::vector<int> kept;
};
[[nodiscard]] Left take_left();
/// Makes a descriptor that was inherited by its number our own. Empty if it is not
/// open, or was not meant to be inherited.
[[nodiscard]] UniqueFd inherit(int number);
/// The sockets that were inherited and that nobody has made his own, which is the same
/// as: that would be inherited by another program.
[[nodiscard]] std::vector<UniqueFd> inherit_rest();

}  // namespace chatd::service
