/// The system calls that the kernel lets this process make: what the daemon needs to start, to
/// run and to hand over, and no others (seccomp(2)). Whoever takes the process over has no use
/// of the rest of the kernel: no tracing, mounting, namespaces, modules, raw sockets, no code
/// that was written at run time. A call that is not in the list fails with ENOSYS, as in a
/// kernel that does not have it, so that libraries take the way that they have for that.
///
/// Invariant: a filter holds for all threads, for all that this process starts, and for ever:
/// also for the process that takes over from this one (process/succession.hpp).
#pragma once

#include "base/result.hpp"

namespace chatd {

/// Whether this program has a list for this machine: on x86-64, and not with a sanitizer, which
/// makes calls of its own.
[[nodiscard]] bool has_call_filter();

/// Whether this very list holds already, put there by a process that this one took over from.
[[nodiscard]] bool is_call_filter_on();

/// Puts it on every thread, and takes from the process what set-user-ID programs would give it
/// (PR_SET_NO_NEW_PRIVS). Where it holds already nothing is done, so that a thousand hand-overs
/// leave one filter. Only to be called if has_call_filter(). Error: the kernel, a container or a
/// filter of theirs does not allow it; then nothing is filtered.
[[nodiscard]] Result<> put_call_filter_on();

}  // namespace chatd
