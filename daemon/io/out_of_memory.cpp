#include "io/out_of_memory.hpp"

#include <unistd.h>
#include <uv.h>

#include <cstdlib>
#include <new>
#include <string_view>

namespace chatd::io {
namespace {

/// Allocates nothing, and runs nothing that others registered for the end.
[[noreturn]] void end() {
  constexpr std::string_view kWhy = "chatd: cannot go on: there is no memory left\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kWhy.data(), kWhy.size());
  std::_Exit(EXIT_FAILURE);
}

// libuv asks for no bytes only to free.

void* allocate(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr && size > 0) end();
  return memory;
}

void* resize(void* old, std::size_t size) {
  void* memory = std::realloc(old, size);
  if (memory == nullptr && size > 0) end();
  return memory;
}

void* allocate_zeroed(std::size_t count, std::size_t size) {
  void* memory = std::calloc(count, size);
  if (memory == nullptr && count > 0 && size > 0) end();
  return memory;
}

}  // namespace

void end_when_out_of_memory() {
  std::set_new_handler(end);
  uv_replace_allocator(allocate, resize, allocate_zeroed, std::free);
}

}  // namespace chatd::io
