#include "tls/out_of_memory.hpp"

#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

namespace chatd::tls {
namespace {

void* handled(void* memory, std::size_t size) {
  if (memory != nullptr || size == 0) return memory;
  if (const auto handler = std::get_new_handler(); handler != nullptr) handler();
  return nullptr;
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  return handled(std::malloc(size), size);
}

void* resize(void* old, std::size_t size, const char* /*file*/, int /*line*/) {
  return handled(std::realloc(old, size), size);
}

void release(void* memory, const char* /*file*/, int /*line*/) {
  std::free(memory);
}

}  // namespace

void end_when_out_of_memory() {
  // It fails if something was allocated before; then errors are what there is.
  (void)CRYPTO_set_mem_functions(allocate, resize, release);
}

}  // namespace chatd::tls
