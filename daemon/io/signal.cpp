#include "io/signal.hpp"

#include <csignal>
#include <utility>

namespace chatd::io {

Signal::Signal(Loop& loop, int number, std::function<void()> callback) {
  int status = 0;
  node_ =
      make_handle<Node>([&loop](Node* node) { return uv_signal_init(loop.raw(), node); }, status);
  require(status, "make a signal handle");
  node_->callback = std::move(callback);
  const auto on_signal = [](uv_signal_t* handle, int) { static_cast<Node*>(handle)->callback(); };
  require(uv_signal_start(node_.get(), on_signal, number), "watch a signal");
  uv_unref(reinterpret_cast<uv_handle_t*>(node_.get()));
}

void ignore_sigpipe() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace chatd::io
