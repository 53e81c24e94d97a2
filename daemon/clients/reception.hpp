/// What a connection turns out to be, by its first bytes and by the time that passes: a proxy's
/// header stands in front, or TLS begins, or HTTP, or somebody is here to chat. Told the time; it
/// knows no socket.
///
/// In this order: the header of a proxy, only where there has to be one; TLS; HTTP; whatever else
/// is chat, and the core finds out its dialect. Inside of TLS another one of these looks at the
/// text, without the first two.
///
/// Invariants: at most kMostBytes are kept; once it is decided it stays so; no byte is lost: what
/// is not the proxy's is in bytes().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "clients/proxy_header.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Reception {
 public:
  /// How long somebody is silent who is a person; a browser's spare connection is longer.
  static constexpr Duration kSilence{1000};
  static constexpr Duration kBrowserSilence{90'000};
  /// Where nothing but TLS is spoken: a network may lose the first bytes.
  static constexpr Duration kTlsSilence{10'000};
  /// How long bytes may look like the beginning of TLS or of a request.
  static constexpr Duration kSettle{2000};
  /// How long the header of a proxy may take.
  static constexpr Duration kProxyPatience{5000};
  static constexpr std::size_t kMostBytes = 64UL * 1024;

  /// What a listener is configured for, and who connects.
  struct Rules {
    bool proxy = false;         ///< a header has to come first
    bool tls = false;           ///< there is a certificate
    bool tls_required = false;  ///< plain text is refused
    bool web = false;           ///< HTTP is answered
    bool web_only = false;      ///< and nothing else
    bool known = false;         ///< whoever chats here does it in one known way
    bool browser = false;       ///< the address has spoken HTTP here not long ago
  };

  enum class Finding : std::uint8_t {
    kNone,  ///< not decided yet
    kChat,
    kTls,
    kHttp,
    kOldTls,   ///< SSL 2.0, which nobody speaks any more: it is closed, without a word
    kHttp2,    ///< the preface of HTTP/2, in clear: it is refused
    kHealth,   ///< a proxy that looks whether anybody is here: it is closed, without a word
    kNoProxy,  ///< no header, or one that is wrong; proxy() says what
    kNoTls,    ///< plain text where TLS has to be
    kNoHttp,   ///< something else where only HTTP is answered
  };

  Reception(Rules rules, Time now);

  /// `bytes` have come.
  Finding take(std::string_view bytes, Time now);
  /// The address has spoken HTTP here meanwhile: see Rules::browser.
  void learn_browser() { rules_.browser = true; }
  /// The peer says no more. Afterwards it is decided.
  Finding end(Time now);
  /// Time has passed.
  Finding tick(Time now);
  /// When tick() is to be called; kNever once it is decided.
  [[nodiscard]] Time deadline() const;

  [[nodiscard]] Finding finding() const { return finding_; }
  /// What has come and belongs to whatever it is.
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// What the proxy has said, or what is wrong with it; null where there has to be none.
  [[nodiscard]] const ProxyReader* proxy() const { return proxy_.get(); }
  /// Whether the header of a proxy is still to come, in whole or in part.
  [[nodiscard]] bool awaits_proxy() const { return rules_.proxy && !proxied_; }

  /// Writes down what is not decided, and reads it back into one that was just made, with a rule
  /// `proxy` as awaits_proxy() was. The reader refuses what cannot be.
  void save(ByteWriter& out, Time now) const;
  void restore(ByteReader& in, Time now);

 private:
  Finding look(Time now);
  Finding look_for_proxy(std::string_view& bytes);
  [[nodiscard]] Finding chat() const;
  [[nodiscard]] bool is_chat_anyway() const { return !rules_.tls && !rules_.web && rules_.known; }
  Finding decide(Finding finding) { return finding_ = finding; }

  Rules rules_;
  Time began_;                          ///< or the end of the proxy's header
  Time first_ = kNever;                 ///< when the first byte behind that came
  std::unique_ptr<ProxyReader> proxy_;  ///< it is large, and few come by one
  bool proxied_ = false;                ///< the header is whole
  std::string bytes_;
  Finding finding_ = Finding::kNone;
};

/// What is said of a finding that ends the connection, for the log: "speaks no TLS". Empty for the
/// others.
[[nodiscard]] std::string_view refusal_of(Reception::Finding finding);

}  // namespace chatd
