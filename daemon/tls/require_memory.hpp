/// How a lack of memory within OpenSSL becomes the same as anywhere else.
#pragma once

#include <new>

namespace chatd::tls {

/// For a call of OpenSSL that can fail for want of memory alone: it says so by what it returns, as
/// it says of everything. Unless it was `good`, does what `new` does without memory.
inline void require_memory(bool good) {
  if (good) return;
  if (const auto handler = std::get_new_handler(); handler != nullptr) handler();
  throw std::bad_alloc{};
}

}  // namespace chatd::tls
