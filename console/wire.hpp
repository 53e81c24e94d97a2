/// The control protocol's JSON objects as the console's plain values. Knows the form of
/// the objects and nothing of connections. A field of another type is taken as absent: a
/// newer daemon must not break an older console.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "console/event.hpp"

namespace chatd::console {

/// `method` and `params` of a notification.
[[nodiscard]] Event decode_event(std::string_view method, const nlohmann::json& params);

[[nodiscard]] HelloInfo decode_hello(const nlohmann::json& result);
[[nodiscard]] std::vector<OperatorInfo> decode_operators(const nlohmann::json& result);
[[nodiscard]] DeskInfo decode_desk(const nlohmann::json& result);
[[nodiscard]] std::uint64_t decode_subscribe(const nlohmann::json& result);
[[nodiscard]] std::vector<SessionInfo> decode_sessions(const nlohmann::json& result);
[[nodiscard]] std::vector<NoteInfo> decode_notes(const nlohmann::json& result);
[[nodiscard]] SendOutcome decode_send(const nlohmann::json& result);
/// The answer to `bye`: whether the session stays until its client has taken the bye.
[[nodiscard]] bool decode_parting(const nlohmann::json& result);
[[nodiscard]] PastPage decode_past(const nlohmann::json& result);
[[nodiscard]] std::vector<BanInfo> decode_bans(const nlohmann::json& result);
[[nodiscard]] std::vector<OriginInfo> decode_origins(const nlohmann::json& result);
[[nodiscard]] KickOutcome decode_kick(const nlohmann::json& result);
[[nodiscard]] BanOutcome decode_ban(const nlohmann::json& result);
[[nodiscard]] ReloadOutcome decode_reload(const nlohmann::json& result);
[[nodiscard]] Stats decode_stats(const nlohmann::json& result);

/// One line without LF, with all but printable ASCII as \uNNNN, so that it can be
/// shown in a terminal as it is.
[[nodiscard]] std::string to_plain_json(const nlohmann::json& document);

}  // namespace chatd::console
