/// What happens when there is no memory: the process ends, with a sentence and exit
/// code 1. All that a peer can make grow has a bound, so what fails then is the machine,
/// not a request that could be refused; and nothing is left half done for want of a few
/// bytes. That goes for `new` and for libuv, which would abort; what other C libraries
/// cannot allocate is an error of theirs, and handled as one.
#pragma once

namespace chatd::io {

/// For a function that is run before anything static is made, with
/// [[gnu::constructor(kFirstOfAll)]].
inline constexpr int kFirstOfAll = 101;

void end_when_out_of_memory();

}  // namespace chatd::io
