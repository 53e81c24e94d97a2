#include "io/async.hpp"

#include <utility>

namespace chatd::io {

Async::Async(Loop& loop, std::function<void()> callback) {
  int status = 0;
  node_ = make_handle<Node>(
      [&loop](Node* node) {
        return uv_async_init(loop.raw(), node,
                             [](uv_async_t* async) { static_cast<Node*>(async)->callback(); });
      },
      status);
  require(status, "make a call from another thread possible");
  node_->callback = std::move(callback);
  uv_unref(reinterpret_cast<uv_handle_t*>(node_.get()));
}

void Async::wake() {
  uv_async_send(node_.get());
}

}  // namespace chatd::io
