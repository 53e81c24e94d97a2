/// What happens when there is no memory: the process ends, with a sentence and exit
/// code 1. Everything that a peer can make grow has a bound, so the machine fails then,
/// and not a request that could be refused; and nothing is left half done for want of a few
/// bytes. This holds for `new` and for libuv, which would abort; where another C library
/// cannot allocate, it returns an error, which is handled as one.
#pragma once

namespace chatd::io {

/// For a function that is run before anything static is made, with
/// [[gnu::constructor(kFirstOfAll)]].
inline constexpr int kFirstOfAll = 101;

void end_when_out_of_memory();

}  // namespace chatd::io
