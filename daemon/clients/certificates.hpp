/// The certificates of the listeners, as they are in force: loaded from the files that the
/// configuration names, again at each reload. Says which of them expire soon. Knows no connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "config/config.hpp"
#include "tls/credentials.hpp"
#include "tls/ticket_keys.hpp"

namespace chatd {

class ByteReader;
class ByteWriter;

class Certificates {
 public:
  /// Whoever has to renew one hears of it so long before.
  static constexpr std::chrono::hours kWarning{24 * 14};

  using Loaded = std::vector<std::pair<Listener::Tls, std::shared_ptr<const tls::Credentials>>>;

  /// Reads what those listeners need that have a certificate. The error names the file. With
  /// `outdated`, one that has expired is no error.
  [[nodiscard]] Result<Loaded> load(const std::vector<Listener>& listeners, WallTime now,
                                    tls::Credentials::Outdated outdated) const;
  /// From now on they are used, for handshakes that begin.
  void use(Loaded loaded) { loaded_ = std::move(loaded); }

  /// Null if the listener has none.
  [[nodiscard]] std::shared_ptr<const tls::Credentials> of(const Listener& listener) const;

  /// What somebody should hear about them, each a sentence without a full stop: one that has
  /// expired, or does within kWarning, or whose key anybody may read. Each is said once.
  [[nodiscard]] static std::vector<std::string> warnings(const Loaded& loaded, WallTime now);
  [[nodiscard]] std::vector<std::string> warnings(WallTime now) const {
    return warnings(loaded_, now);
  }

  /// To be called from time to time: replaces the keys of tickets that are older than kTicketKeys.
  void renew_tickets(WallTime now);
  static constexpr std::chrono::hours kTicketKeys{24};

  // A ticket is as good in the next process.
  void save(ByteWriter& out) const;
  void restore(ByteReader& in);

 private:
  tls::TicketKeys tickets_;
  WallTime tickets_made_{};
  Loaded loaded_;
};

}  // namespace chatd
