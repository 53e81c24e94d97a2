/// A ban as it is kept: an address that is refused. What it matches is not known here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace chatd::store {

struct Ban {
  std::string address;         ///< with its bits: "192.0.2.0/24"
  std::int64_t until_ms = -1;  ///< since 1970, UTC; -1: for ever
  std::int64_t since_ms = 0;
  std::string operator_name;

  friend bool operator==(const Ban&, const Ban&) = default;
};

/// What changes of the bans that are kept.
struct BanChanges {
  bool forget_all = false;                         ///< first
  std::map<std::string, std::optional<Ban>> bans;  ///< by address; nothing: it is not banned

  [[nodiscard]] bool empty() const { return !forget_all && bans.empty(); }
  /// These come after `older` ones.
  void come_after(BanChanges older) {
    if (forget_all) return;
    bans.merge(older.bans);
    forget_all = older.forget_all;
  }
};

}  // namespace chatd::store
