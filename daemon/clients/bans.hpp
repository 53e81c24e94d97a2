/// Which networks are banned, each for good or for a while. Knows neither what a ban does to
/// clients nor where it is kept. Reads no clock: within a process a ban ends by the loop's
/// time, and between processes by the date.
///
/// Invariant: each network is banned once, and lengths_ counts them by the length of
/// their prefixes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "base/wall_time.hpp"
#include "io/network.hpp"
#include "store/ban.hpp"

namespace chatd {

class Bans {
 public:
  static constexpr std::size_t kMost = 10'000;
  /// A ban that is to last longer is for good.
  static constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

  struct Ban {
    Time until = kNever;
    WallTime until_date{};  ///< if it has an end
    WallTime since{};
    std::string operator_name;
  };

  /// Bans it anew, in the place of a ban of the same network. False, and nothing has
  /// changed, if there are kMost already.
  [[nodiscard]] bool add(const io::Network& network, Ban ban);
  /// False if exactly that network is not banned.
  [[nodiscard]] bool remove(const io::Network& network);

  /// The widest banned network in which `peer` is.
  [[nodiscard]] std::optional<io::Network> match(const io::Peer& peer) const;
  /// The widest banned network in which all of `network` is.
  [[nodiscard]] std::optional<io::Network> match(const io::Network& network) const;

  /// Removes what is over, and returns it.
  std::vector<io::Network> expire(Time now);
  /// When expire() has something to do.
  [[nodiscard]] Time deadline() const;

  /// All bans, or one, in the form in which they are kept.
  [[nodiscard]] std::vector<store::Ban> kept() const;
  [[nodiscard]] static store::Ban kept(const io::Network& network, const Ban& ban);
  /// Goes on with bans that were kept, and no others. A ban that cannot be understood, or is
  /// over, is left out.
  void replace(const std::vector<store::Ban>& kept, Time now, WallTime date);

  [[nodiscard]] const std::map<io::Network, Ban>& all() const { return all_; }

 private:
  std::map<io::Network, Ban> all_;
  std::map<std::pair<io::Network::Kind, unsigned>, std::size_t> lengths_;  ///< by kind and bits
};

}  // namespace chatd
