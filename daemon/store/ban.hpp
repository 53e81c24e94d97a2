/// A ban as it is kept: an address that is refused. What it matches is not known here.
#pragma once

#include <cstdint>
#include <string>

namespace chatd::store {

struct Ban {
  std::string address;         ///< with its bits: "192.0.2.0/24"
  std::int64_t until_ms = -1;  ///< since 1970, UTC; -1: for ever
  std::int64_t since_ms = 0;
  std::string operator_name;

  friend bool operator==(const Ban&, const Ban&) = default;
};

}  // namespace chatd::store
