/// A call from another thread to the loop's. The only thing in io that any thread
/// may touch. Does not keep the loop alive.
#pragma once

#include <functional>

#include "io/handle.hpp"
#include "io/loop.hpp"

namespace chatd::io {

class Async {
 public:
  /// `callback` runs on the loop's thread.
  Async(Loop& loop, std::function<void()> callback);
  Async(const Async&) = delete;
  Async& operator=(const Async&) = delete;
  ~Async() = default;

  /// Any thread, while this exists: the callback will run. Several calls may be one.
  void wake();

 private:
  struct Node : uv_async_t {
    std::function<void()> callback;
  };

  Handle<Node> node_;
};

}  // namespace chatd::io
