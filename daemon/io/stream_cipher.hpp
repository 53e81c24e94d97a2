/// What stands between the text of a stream and the bytes on its socket, such as TLS. Bytes in,
/// bytes out: it knows no descriptor. Implemented by whoever knows the cipher.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chatd::io {

class StreamCipher {
 public:
  enum class State : std::uint8_t {
    kOpening,  ///< both sides are still agreeing; nothing can be sealed
    kOpen,
    kEnded,   ///< the peer says no more, and may still be told something
    kFailed,  ///< what is to be said of that has been appended to `reply`; no more is sealed
  };

  virtual ~StreamCipher() = default;
  /// Takes all of `bytes`, as they came. Appends the text that is in them to `text`, at most as
  /// long as they and what was kept of earlier ones are, and to `reply` what the peer has to get
  /// for it. Text before a fault in the same bytes counts.
  virtual State open(std::string_view bytes, std::string& text, std::string& reply) = 0;
  /// Whether seal() may be called. Once it was true and is not any more, it never is again.
  [[nodiscard]] virtual bool can_seal() const = 0;
  /// Appends what `text` becomes. What was appended by any of these calls goes out in that order,
  /// all of it or none.
  virtual void seal(std::string_view text, std::string& bytes) = 0;
  /// Appends what says that nothing more comes; nothing if that cannot be said.
  virtual void close(std::string& bytes) = 0;
  /// Why it has failed: a sentence without a full stop, for the log.
  [[nodiscard]] virtual std::string failure() const = 0;
  /// Bytes of memory that it takes.
  [[nodiscard]] virtual std::size_t memory() const = 0;
};

}  // namespace chatd::io
