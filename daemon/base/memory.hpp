/// When the memory of a buffer is given back: one policy for all buffers that are filled
/// and emptied again and again. Such a buffer keeps its memory, so that filling it costs no
/// allocation; but what only a burst needed goes, so that one such moment does not stay with
/// an idle daemon.
#pragma once

#include <malloc.h>

#include <cstddef>

namespace chatd {

/// A buffer that was emptied keeps at most so many bytes.
inline constexpr std::size_t kKeptBytes = 256UL * 1024;

/// The bytes that a string or vector holds, used or not.
template <class Buffer>
[[nodiscard]] std::size_t retained_bytes(const Buffer& buffer) {
  return buffer.capacity() * sizeof(typename Buffer::value_type);
}

/// Empties `buffer` and gives all its memory back. Assigning {} would keep it.
template <class Buffer>
void give_back(Buffer& buffer) {
  Buffer{}.swap(buffer);
}

/// Empties `buffer`, which keeps its memory up to `most` bytes.
template <class Buffer>
void empty_out(Buffer& buffer, std::size_t most = kKeptBytes) {
  buffer.clear();
  if (retained_bytes(buffer) > most) give_back(buffer);
}

/// Gives back what the C library keeps of memory that was freed. Takes a millisecond or so,
/// and longer where much is given back.
inline void give_back_heap() {
  ::malloc_trim(0);
}

}  // namespace chatd
