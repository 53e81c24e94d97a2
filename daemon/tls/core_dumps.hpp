/// What has keys in its memory leaves no copy of it behind.
#pragma once

namespace chatd::tls {

/// From now on this process leaves no core file, whatever its limits and the machine's handler of
/// cores are, and no other process of its user may read its memory (prctl(2), PR_SET_DUMPABLE). It
/// is called before the first key is there, and may be called again. It holds until another program
/// takes the place of this one.
void keep_out_of_core_dumps() noexcept;

}  // namespace chatd::tls
