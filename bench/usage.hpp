/// What a process costs, by the kernel's own accounting.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace chatd::bench {

/// Nanoseconds that the threads of `pid` have run so far, in user space and in the kernel.
/// Ends this process if there is no such process.
std::uint64_t cpu_ns(pid_t pid);

/// The memory of `pid` in bytes, shared pages in proportion (PSS).
std::uint64_t memory_bytes(pid_t pid);

/// Nanoseconds of the monotonic clock.
std::uint64_t clock_ns();

}  // namespace chatd::bench
