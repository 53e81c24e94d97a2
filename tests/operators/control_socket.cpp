/// The connections of operators, with a listener that the test holds.
#include "operators/control_socket.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/protocol.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

/// Notes what it hears. A line is answered by itself, but "later" by a promise, and "leave" by
/// the end of the connection; "long" takes longer than a turn may last.
class Notes : public ConnectionListener {
 public:
  void on_connected(OperatorId id, const std::string& user, bool is_own) override {
    heard += "connected " + std::to_string(id) + ' ' + user + (is_own ? " own\n" : "\n");
  }
  void on_line(OperatorId id, std::string_view line, std::string& answers) override {
    heard += "line " + std::to_string(id) + '\n';
    if (line == "long") {
      const auto end = std::chrono::steady_clock::now() + 2 * io::Loop::kBudget;
      while (std::chrono::steady_clock::now() < end) {
      }
    }
    if (line == "later") {
      promised.push_back(socket->defer(id, "7"));
    } else {
      answers += std::string{line} + '\n';
    }
    if (line == "leave") socket->leave(id, "asked for it");
  }
  void on_drained(OperatorId id) override { heard += "drained " + std::to_string(id) + '\n'; }
  void on_left(OperatorId id, std::string_view why) override {
    heard += "left " + std::to_string(id) + ' ' + std::string{why} + '\n';
  }

  ControlSocket* socket = nullptr;
  std::string heard;
  std::vector<std::optional<ControlSocket::Deferred>> promised;
};

class Sockets {
 public:
  Sockets() { notes.socket = &socket; }

  /// The other end of a connection that was admitted.
  std::unique_ptr<Peer> connect() {
    auto pair = unix_pair();
    REQUIRE(socket.admit(std::move(pair.ours), "ann", false));
    auto peer = std::make_unique<Peer>(loop, std::move(pair.theirs));
    peer->read();
    return peer;
  }
  bool until(const std::function<bool()>& done) { return run_until(loop, done); }

  io::Loop loop;
  Journal journal{1024};
  Clients clients{loop, line_config(), 10, journal};
  Notes notes;
  ControlSocket socket{loop, clients.connections(), notes};
  io::TurnEnd turn_end{loop, [this] {
                         socket.go_on();
                         socket.flush();
                       }};
};

TEST_CASE("control socket: answers to lines that came together go out together",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  peer->send("one\ntwo\nthr");
  REQUIRE(sockets.until([&] { return peer->received() == "one\ntwo\n"; }));
  CHECK(peer->reads() == 1);
  peer->send("ee\n");
  REQUIRE(sockets.until([&] { return peer->received() == "one\ntwo\nthree\n"; }));
  CHECK(sockets.notes.heard == "connected 0 ann\nline 0\nline 0\nline 0\n");
}

TEST_CASE("control socket: when a connection leaves, the listener hears it once and nothing more",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  peer->send("leave\nanother\n");
  REQUIRE(sockets.until([&] { return peer->ended(); }));
  CHECK(sockets.notes.heard == "connected 0 ann\nline 0\nleft 0 asked for it\n");
  CHECK(sockets.socket.count() == 0);
  CHECK_FALSE(sockets.socket.has(0));
}

TEST_CASE("control socket: a connection that is refused gets the answer and the end",
          "[operators][control_socket]") {
  Sockets sockets;
  auto pair = unix_pair();
  sockets.socket.refuse(std::move(pair.ours), "no\n");
  Peer peer{sockets.loop, std::move(pair.theirs)};
  peer.read();
  peer.send("let me in\n");
  REQUIRE(sockets.until([&] { return peer.ended(); }));
  CHECK(peer.received() == "no\n");
  CHECK(sockets.notes.heard.empty());
  CHECK(sockets.socket.count() == 0);
}

TEST_CASE("control socket: requests that take long are done one by one, and others between them",
          "[operators][control_socket]") {
  Sockets sockets;
  auto first = sockets.connect();
  auto second = sockets.connect();
  first->send("long\nlong\nlong\nlong\n");
  first->end();
  second->send("short\n");
  REQUIRE(sockets.until([&] { return first->ended() && !second->received().empty(); }));
  CHECK(first->received() == "long\nlong\nlong\nlong\n");
  const auto& heard = sockets.notes.heard;
  CHECK(heard.find("line 1") < heard.rfind("line 0"));
}

TEST_CASE("control socket: other requests go on while an answer is due later",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  peer->send("later\nnow\n");
  REQUIRE(sockets.until([&] { return peer->received() == "now\n"; }));
  REQUIRE(sockets.notes.promised.size() == 1);
  CHECK(sockets.notes.promised[0]->request == "7");
  CHECK(sockets.socket.finish_requests());
  sockets.socket.answer(*sockets.notes.promised[0], "then\n");
  REQUIRE(sockets.until([&] { return peer->received() == "now\nthen\n"; }));
  CHECK_FALSE(sockets.socket.finish_requests());
}

TEST_CASE("control socket: an answer that is due later is dropped if its operator has gone",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  peer->send("later\n");
  REQUIRE(sockets.until([&] { return sockets.notes.promised.size() == 1; }));
  peer->leave();
  REQUIRE(sockets.until([&] { return sockets.notes.heard.ends_with("left 0 \n"); }));
  sockets.socket.answer(*sockets.notes.promised[0], "then\n");
  run_pending(sockets.loop);

  auto next = sockets.connect();  // under the same id
  sockets.socket.answer(*sockets.notes.promised[0], "then\n");
  next->send("now\n");
  REQUIRE(sockets.until([&] { return !next->received().empty(); }));
  CHECK(next->received() == "now\n");
  CHECK(sockets.notes.heard == "connected 0 ann\nline 0\nleft 0 \nconnected 0 ann\nline 0\n");
}

TEST_CASE("control socket: one connection has a limit of answers that are due later",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  auto other = sockets.connect();
  auto& promised = sockets.notes.promised;
  for (std::size_t i = 0; i <= ControlSocket::kMaxDeferred; ++i) peer->send("later\n");
  REQUIRE(sockets.until([&] { return promised.size() == ControlSocket::kMaxDeferred + 1; }));
  CHECK(promised.front());
  CHECK_FALSE(promised.back());
  sockets.socket.answer(*promised.front(), "one\n");
  peer->send("later\n");
  other->send("later\n");
  REQUIRE(sockets.until([&] { return promised.size() == ControlSocket::kMaxDeferred + 3; }));
  CHECK(promised[ControlSocket::kMaxDeferred + 1]);
  CHECK(promised[ControlSocket::kMaxDeferred + 2]);
}

TEST_CASE("control socket: one that closes its sending side stays until its last answer is there",
          "[operators][control_socket]") {
  Sockets sockets;
  auto peer = sockets.connect();
  peer->send("later\n");
  peer->end();
  REQUIRE(sockets.until([&] { return sockets.notes.promised.size() == 1; }));
  run_pending(sockets.loop);
  CHECK(sockets.socket.has(0));
  sockets.socket.answer(*sockets.notes.promised[0], "then\n");
  CHECK_FALSE(sockets.socket.has(0));
  REQUIRE(sockets.until([&] { return peer->ended(); }));
  CHECK(peer->received() == "then\n");
}

TEST_CASE("control socket: when it stops, everybody leaves, and it says when they have gone",
          "[operators][control_socket]") {
  Sockets sockets;
  bool done = false;
  SECTION("with nobody there that is at once") {
    sockets.socket.stop([&] { done = true; });
    CHECK(done);
  }
  SECTION("else when the last one has read what it gets") {
    auto one = sockets.connect();
    auto two = sockets.connect();
    sockets.socket.write(1, "bye\n");
    sockets.socket.stop([&] { done = true; });
    CHECK_FALSE(done);
    CHECK(sockets.socket.count() == 0);
    REQUIRE(sockets.until([&] { return one->ended() && two->ended(); }));
    CHECK(two->received() == "bye\n");
    one->leave();
    two->leave();
    CHECK(sockets.until([&] { return done; }));
  }
}

}  // namespace
}  // namespace chatd::test
