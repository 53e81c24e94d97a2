/// An event as operators hear of it, of whatever made it: the core, bans, operators, the
/// daemon itself, or a transcript that has kept it. It is what the encoder, the log and the
/// transcript take; the numbers of events are the journal's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/event_kinds.hpp"
#include "core/outbox.hpp"
#include "store/record.hpp"

namespace chatd {

/// The number of an event, counting up by one over all events, from 1.
using Seq = std::uint64_t;

/// Each field is the member of its name in kEventWords; one that the kind does not have is
/// not looked at, an optional one is left out if it is empty, 0 or false. All texts are owned
/// elsewhere, and outlive this.
struct Event {
  EventKind kind{};
  core::SendState sent_state{};  ///< kSent: its `state`
  bool cut = false;
  bool automatic = false;
  std::uint32_t origin = store::kNoOrigin;        ///< whom it is charged to; see Accounts
  core::SessionId session = 0;                    ///< 0 where `sessions` is used
  std::span<const core::SessionId> sessions;      ///< kSent to several, or to all
  core::MessageNumber message = 0;                ///< as core::Event's
  std::span<const core::MessageNumber> messages;  ///< as core::Event's
  Seq ref = 0;                                    ///< kDelivered; the journal knows it
  std::uint64_t lost = 0;
  std::string_view text;
  std::string_view operator_name;
  std::string_view name;
  std::string_view state;    ///< kOperator
  std::string_view address;  ///< kDisconnected as well, for the log
  std::string_view listener;
  std::string_view verified;  ///< kConnected: as Connections::Way's; so are `via` and `tls`
  std::string_view via;
  std::string_view tls;
  std::string_view reason;
  std::string_view from;
  std::string_view by;
  std::string_view until;
};

/// `event` of `outbox`. The core does not know how its client came: `address`, `listener`,
/// `verified`, `via` and `tls` are left empty.
[[nodiscard]] Event event_of(const core::Event& event, const core::Outbox& outbox);

/// "sent", "held" or "lost".
[[nodiscard]] std::string_view to_string(core::SendState state);

}  // namespace chatd
