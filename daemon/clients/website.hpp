/// What is answered over HTTP: the visitor's page with its files, and the WebSocket at /chat. A
/// request in, an answer out: it knows no connection.
///
/// Nothing of it is for one visitor alone, so there is no cookie, no login and nothing that a page
/// of another site could do in somebody's name; but a WebSocket is opened only by who may
/// (http/site.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/wall_time.hpp"
#include "config/config.hpp"
#include "http/request_head.hpp"

namespace chatd {

/// The subprotocol that the page speaks (doc/protocol.md).
inline constexpr std::string_view kPageProtocol = "chat.chatd.v1";

class Website {
 public:
  explicit Website(const Config::Web& web) { set(web); }
  void set(const Config::Web& web);

  enum class Kind : std::uint8_t {
    kAnswered,   ///< that was all: the connection is closed
    kWebSocket,  ///< from now on there are frames, one text a message
    kPage,       ///< the same, of kPageProtocol
  };
  struct Answer {
    Kind kind = Kind::kAnswered;
    std::string bytes;
  };
  /// To a request that is whole, or was refused.
  [[nodiscard]] Answer answer(const http::RequestHead& head, WallTime now) const;

 private:
  [[nodiscard]] Answer connect(const http::RequestHead& head, WallTime now) const;
  [[nodiscard]] std::string serve(const http::RequestHead& head, WallTime now) const;
  [[nodiscard]] std::string policy(const http::RequestHead& head) const;

  std::vector<http::WebOrigin> origins_;
  std::vector<http::Site> hosts_;
  std::string frame_ancestors_;
  std::string settings_;  ///< /settings.json
};

}  // namespace chatd
