/// The header that a proxy sends in front of a connection, to say who is behind it: the PROXY
/// protocol, versions 1 and 2, as haproxy's proxy-protocol.txt has it. Bytes in, a header or a
/// fault out: it knows no connection and no clock.
///
/// Whether there must be one is for the caller to know, by the address of whoever connects, and
/// never to guess: what nobody may say of himself must not be believed. Everything that is not
/// said in exactly one way is refused.
///
/// Invariants: at most kMostProxyHeader bytes are kept; any way of cutting the bytes gives the
/// same; nothing is ever taken that stands behind the header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/endpoint.hpp"
#include "io/peer.hpp"

namespace chatd {
class ByteReader;
class ByteWriter;

/// The longest line of version 1, with its CRLF (section 2.1).
inline constexpr std::size_t kMostProxyLine = 107;
/// The longest header of version 2: the fixed part, the longest addresses (of unix sockets), and
/// 4 KiB of further facts. The protocol would allow 64 KiB.
inline constexpr std::size_t kMostProxyHeader = 16 + 216 + 4096;

/// What a proxy says.
struct ProxyHeader {
  /// What the proxy knows of TLS between the client and itself (PP2_TYPE_SSL).
  struct Tls {
    std::string version;  ///< "TLSv1.3", of printable ASCII; empty if it was not said
    /// The common name of the client's certificate; empty without one, or if it is not UTF-8. The
    /// client may have chosen it: it may hold any other character, and up to 4 KiB.
    std::string name;
    bool verified = false;  ///< the client has a certificate, and the proxy has verified it
  };

  std::uint8_t version = 0;  ///< of the protocol, 1 or 2
  /// LOCAL: the proxy speaks for itself, as a check of health does. Nothing else is said then.
  bool local = false;
  /// Whose connection it is. A client of a unix socket of the proxy is a user nobody knows.
  /// Nothing if the proxy does not say (LOCAL, UNKNOWN, UNSPEC): then it is who has connected.
  std::optional<io::Peer> source;
  /// What the client connected to; there whenever `source` is.
  std::optional<io::Endpoint> destination;
  std::string
      authority;     ///< the name of the server that the client asked for (SNI); UTF-8 or empty
  std::string alpn;  ///< the protocol agreed upon within TLS; any bytes
  std::optional<Tls> tls;  ///< nothing if the client has no TLS, or the proxy does not say
};

/// What is wrong with a header.
enum class ProxyFault : std::uint8_t {
  kNone,
  kNotOne,    ///< the first bytes are no signature of either version
  kLine,      ///< version 1: not exactly what the protocol says
  kTooLong,   ///< version 1: no CRLF in 107 bytes; version 2: more than kMostProxyHeader
  kCommand,   ///< another version than 2 behind its signature, or neither LOCAL nor PROXY
  kFamily,    ///< unknown, or of datagrams
  kLength,    ///< it has no room for the addresses
  kFacts,     ///< the further facts (TLV) do not fill exactly what is left, or one is malformed
  kRepeated,  ///< a fact that is used here stands twice
  kChecksum,  ///< CRC32c
};

/// What is wrong, as the end of a sentence about the header, for a log: "has a wrong checksum".
[[nodiscard]] std::string_view to_string(ProxyFault fault);

class ProxyReader {
 public:
  enum class State : std::uint8_t {
    kPerhaps,  ///< what has come may be the beginning of a signature
    kBegun,    ///< it is a header, and not whole
    kWhole,
    kRefused,
  };

  /// Takes what belongs to the header off the front of `input`. What is left when it is whole is
  /// the client's. Once it is whole or refused, nothing more is taken.
  State take(std::string_view& input);

  [[nodiscard]] State state() const { return state_; }
  /// kNone unless it was refused.
  [[nodiscard]] ProxyFault fault() const { return fault_; }
  /// Right when it is whole.
  [[nodiscard]] const ProxyHeader& header() const { return header_; }

  /// Writes down a header that is not whole yet, and reads it back into a reader that was just
  /// made, which refuses what cannot be.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  [[nodiscard]] bool is_over() const { return state_ >= State::kWhole; }
  [[nodiscard]] std::size_t next_size(std::string_view input) const;
  ProxyFault look();
  ProxyFault look_at_signature();
  ProxyFault look_at_line();
  ProxyFault look_at_binary();
  State refuse(ProxyFault fault);

  std::string bytes_;
  ProxyHeader header_;
  State state_ = State::kPerhaps;
  ProxyFault fault_ = ProxyFault::kNone;
};

}  // namespace chatd
