#include "tls/core_dumps.hpp"

#include <sys/prctl.h>

namespace chatd::tls {

void keep_out_of_core_dumps() noexcept {
  // Each time, for a change of the user takes it back; ten thousand calls are a few ms.
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace chatd::tls
