/// Who gives way where there is no place for another client, or no memory: first those whom it
/// hurts least, and then those of the origin that holds most, as Redis evicts clients.
///
/// Who needs its place less than somebody who comes, in this order:
///
/// | a session                                                   | that is                       |
/// | ------------------------------------------------------------ | ----------------------------- |
/// | which waits for one answer, its message having been heard    | the oldest                    |
/// | which has been silent since it came, for a second at least   | of the origin that has most   |
/// | of an origin that has more than twice as many as the newcomer's | idle for the longest time  |
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "clients/accounts.hpp"
#include "clients/connections.hpp"
#include "core/router.hpp"
#include "io/loop.hpp"

namespace chatd {

class Eviction {
 public:
  /// All must outlive this.
  Eviction(io::Loop& loop, core::Router& router, Accounts& accounts, Connections& connections)
      : loop_{loop}, router_{router}, accounts_{accounts}, connections_{connections} {}

  /// Ends a session so that one of `newcomer` may come in; with `full`, one of that account. False:
  /// there is none that needs its place less.
  bool make_room(Accounts::Number newcomer, Accounts::Number full);

  /// The most bytes that clients may take: what waits for anybody but as an answer to an operator,
  /// each message counted once, what they have begun to say, and what is remembered of what they
  /// said. 0: no limit.
  void set_limit(std::size_t memory);
  /// Ends sessions until no more is taken, of the origin that takes most, the one that takes most.
  /// To be called at the end of each turn; it looks at the sessions only where the limit may have
  /// been reached since it last did.
  void bound_memory();

  /// The bytes that wait for clients of each account, that they have begun to say, and that are
  /// remembered of what they said; what is shared with others is counted for each.
  [[nodiscard]] std::unordered_map<Accounts::Number, std::size_t> memory() const;

 private:
  [[nodiscard]] bool give_way(core::SessionId id, std::string_view why);
  [[nodiscard]] bool oldest_asking(Accounts::Number full);
  [[nodiscard]] bool silent_one();
  [[nodiscard]] bool one_of_the_many(Accounts::Number newcomer);
  [[nodiscard]] std::size_t kept_bytes(core::Slot slot) const;
  /// Of that, what is in no payload.
  [[nodiscard]] std::size_t kept_beside(const core::Session& session) const;
  [[nodiscard]] std::size_t taken() const;
  void evict();

  io::Loop& loop_;
  core::Router& router_;
  Accounts& accounts_;
  Connections& connections_;
  std::size_t limit_ = 0;
  std::size_t kept_ = 0;         ///< kept_beside() of all, when it was counted last
  std::uint64_t read_then_ = 0;  ///< bytes that had been read from clients by then
};

}  // namespace chatd
