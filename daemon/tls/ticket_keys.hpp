/// The keys of session tickets (RFC 8446, 4.6.1): with them a server recognises, without keeping
/// anything, whom it has shaken hands with before, and need not show its certificate again.
///
/// One set for the whole process, which is given to every Credentials, so that a reload leaves
/// tickets good. Under TLS 1.2 whoever gets the keys can read what was said in sessions whose
/// tickets he has seen; so they must not grow old. What a hand-over does to resumption is the
/// caller's choice: the next process takes this along by save() and restore(), or makes a new one,
/// which costs each client that comes back a whole handshake and nothing else. A ticket is good for
/// two hours.
#pragma once

#include <cstddef>

#include "tls/cleansed.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;
}  // namespace chatd

namespace chatd::tls {

class TicketKeys {
 public:
  /// As OpenSSL has them: a name, a key that authenticates and a key that encrypts.
  using Bytes = Cleansed<80>;

  /// New random ones.
  TicketKeys();

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

  void save(ByteWriter& out) const;
  /// If the reader is not ok() they are new ones.
  [[nodiscard]] static TicketKeys restore(ByteReader& in);

 private:
  Bytes bytes_;
};

}  // namespace chatd::tls
