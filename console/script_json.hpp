/// The one shape in which `chatctl --json` prints what was said and what happened, whether it
/// comes from tail, history, search or ask: an object with `event`, `seq`, `time` and the other
/// members that the event has in the control protocol.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace chatd::console {

/// Of a notification of the control protocol.
[[nodiscard]] nlohmann::json flat_event(const nlohmann::json& notification);

/// Of a message as `history` and `search` answer it: what a client said is a `message`, what an
/// operator said is `sent`, in the state that it has now.
[[nodiscard]] nlohmann::json flat_past(const nlohmann::json& message);

}  // namespace chatd::console
