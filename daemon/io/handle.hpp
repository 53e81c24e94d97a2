/// Owning libuv handles. A handle lives in a heap node; letting go of it calls
/// uv_close, and the node is freed in the close callback by its true type. It is
/// adopted only after uv_*_init succeeded, so a handle that exists is open.
/// Invariant: nobody but the node's deleter calls uv_close.
#pragma once

#include <uv.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace chatd::io {

template <class H>
struct CloseHandle {
  void operator()(H* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
  }
};

/// Owns one libuv handle of type H (uv_timer_t, uv_poll_t, ...), or of a type
/// derived from one that keeps next to it what its callback needs.
template <class H>
using Handle = std::unique_ptr<H, CloseHandle<H>>;

/// Makes a handle with `init(H*)`, a call of one of libuv's uv_*_init functions.
/// Returns null, and `status` its error, if that refused.
template <class H, class Init>
Handle<H> make_handle(Init init, int& status) {
  auto node = std::make_unique<H>();
  status = init(node.get());
  if (status != 0) return {};
  return Handle<H>{node.release()};
}

/// Ends the process if libuv refused what the loop cannot be without: its own
/// parts, timers, signals. They fail at start or never. For want of memory or
/// descriptors that is an exit code; anything else is a bug.
inline void require(int status, const char* attempt) {
  if (status == 0) return;
  std::fprintf(stderr, "chatd: cannot %s: %s\n", attempt, uv_strerror(status));
  if (status == UV_ENOMEM || status == UV_EMFILE || status == UV_ENFILE) std::_Exit(EXIT_FAILURE);
  std::abort();
}

}  // namespace chatd::io
