/// What carries messages between the nodes of a cluster: subjects, and whoever has subscribed to
/// one. It may lose messages and bring them late; it never brings one twice by itself. The one that
/// there is speaks to NATS servers, and is a library that is loaded when a cluster is configured
/// (daemon/nats/).
///
/// A wire has threads of its own and may block: nothing here is for the loop (see Link).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::cluster {

struct WireOptions {
  std::string name;                   ///< of this end, as the servers list it
  std::vector<std::string> servers;   ///< nats://HOST:PORT or tls://HOST:PORT; at least one
  std::vector<std::string> subjects;  ///< that are subscribed to; "*" stands for one part
  std::string credentials;            ///< a file of NATS (JWT and seed); empty: none
  std::string user, password;         ///< instead of it; empty: none
  std::string ca;                ///< a file in PEM, whose servers are trusted; empty: the system's
  std::string certificate, key;  ///< files in PEM, to be shown to the servers; empty: none
};

struct WireMessage {
  std::string subject;
  std::string reply;  ///< the subject to which an answer goes; empty: none is wanted
  std::string bytes;
  /// It is the wire's own answer: nobody has subscribed to what was asked.
  bool nobody_there = false;
};

/// Hears what comes, on threads of the wire, several at once. Must not block for long.
class WireListener {
 public:
  virtual ~WireListener() = default;
  virtual void on_message(WireMessage message) = 0;
  /// There is a connection, the first or another one. `most` bytes is the largest message.
  virtual void on_up(const std::string& server, std::size_t most) = 0;
  /// There is none any more, and another one is being tried for; also when the first cannot be
  /// made. `why` is a sentence without a full stop.
  virtual void on_down(const std::string& why) = 0;
};

class Wire {
 public:
  virtual ~Wire() = default;
  /// Sends, or hands over to be sent. False: there is no connection, or it is broken now; nobody
  /// will get it, or perhaps somebody has. May block for some seconds.
  virtual bool publish(const std::string& subject, const std::string& reply,
                       std::string_view bytes) = 0;
};

/// What the library gives. `listener` must outlive the wire. Null: `why` says why not; what servers
/// do is no reason, for they may come later.
using MakeWire = Wire* (*)(const WireOptions& options, WireListener& listener, std::string& why);

/// The names of that function and of the version that it is made for, in the library.
inline constexpr const char* kMakeWire = "chatd_make_wire";
inline constexpr const char* kWireVersion = "chatd_wire_version";

}  // namespace chatd::cluster
