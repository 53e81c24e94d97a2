/// The tokens with which the page of one session comes back: 128 bits from the kernel each, good
/// for one session, and a new one with each welcome. The daemon keeps their digests alone, and
/// looks a session up by them: neither its memory nor the time that it takes says anything about
/// a token.
///
/// Invariant: at most two are good, the last one that is known to have arrived at the page and, as
/// long as that is not known of it, the newest; so a page whose welcome was lost comes back with
/// the former one, and nobody with one that was replaced.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tls/cleansed.hpp"
#include "tls/sha256.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class PageTokens {
 public:
  using Hash = tls::Sha256;

  /// What is known of a token that a page has brought.
  [[nodiscard]] static Hash hashed(std::string_view token) { return tls::sha256(token); }

  /// The page has brought this one, which is good: no other is.
  void used(const Hash& token);
  /// A new one, for a welcome: 32 hexadecimal digits.
  [[nodiscard]] tls::CleansedText offer();
  /// Whether the newest may not have arrived, and the former one is good, too.
  [[nodiscard]] bool newest_is_unsure() const { return former_ && newest_; }
  /// The page has said something after its welcome: the newest alone is good.
  void arrived() { former_.reset(); }

  /// Those that are good.
  [[nodiscard]] std::vector<Hash> good() const;

  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

  friend bool operator==(const PageTokens&, const PageTokens&) = default;

 private:
  std::optional<Hash> former_;
  std::optional<Hash> newest_;
};

}  // namespace chatd
