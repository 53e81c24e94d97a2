/// How clients came. Each way is kept once, however many came so: nearly all who come by TLS come
/// alike, and there may be tens of thousands.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chatd {

/// How a client came, where that was not by a bare socket; each is empty where there is nothing to
/// say. All of it is well-formed UTF-8.
struct Way {
  std::string verified;  ///< the name of a certificate that was verified
  std::string via;       ///< the proxy's address, as peers are written
  std::string tls;       ///< the version, and the suite if it is known: "TLSv1.3 ..."

  [[nodiscard]] bool empty() const { return verified.empty() && via.empty() && tls.empty(); }
  friend auto operator<=>(const Way&, const Way&) = default;
};

class Ways {
 public:
  using Number = std::uint32_t;
  /// By a bare socket: the number of an empty way, which nobody has to give back.
  static constexpr Number kBare = 0;

  /// Its number, which is to be given back once for each time that it was taken.
  [[nodiscard]] Number take(Way way);
  void give_back(Number number);
  /// Valid as long as its number is taken.
  [[nodiscard]] const Way& at(Number number) const;
  /// How many are kept.
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  using Numbers = std::map<Way, Number>;
  struct Use {
    Numbers::const_iterator place;
    std::uint32_t count = 0;
  };

  Numbers numbers_;
  std::vector<Use> uses_;  ///< by number, from 1 on
  std::vector<Number> free_;
};

}  // namespace chatd
