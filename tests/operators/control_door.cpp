/// Where operators come in, on real sockets in a folder of the test's own.
#include "operators/control_door.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/daemon.hpp"

namespace chatd::test {
namespace {

/// A daemon with a control socket, and processes that connect to it.
class House {
 public:
  explicit House(std::size_t max_operators = 8) : bench{config(max_operators)} {
    std::string name = (std::filesystem::temp_directory_path() / "chatd-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    path = name + "/control.sock";
    REQUIRE(bench.operators.listen(path, ""));
  }
  ~House() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  [[nodiscard]] UniqueFd dial() const {
    UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return UniqueFd{};
    }
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    return socket;
  }
  std::unique_ptr<Peer> visit() {
    auto socket = dial();
    REQUIRE(socket);
    auto peer = std::make_unique<Peer>(bench.loop, std::move(socket));
    peer->read();
    return peer;
  }
  /// The next answer to `peer`, which has subscribed to nothing that happens.
  json ask(const std::unique_ptr<Peer>& peer, const std::string& method,
           const json& params = json::object()) {
    const auto before = peer->received().size();
    peer->send(Operator::request(1, method, params));
    REQUIRE(run_until(
        bench.loop, [&] { return peer->received().find('\n', before) != std::string_view::npos; }));
    const auto rest = peer->received().substr(before);
    return json::parse(rest.substr(0, rest.find('\n')));
  }
  bool come(std::size_t count) {
    return run_until(bench.loop, [&] { return bench.operators.count() == count; });
  }

  Bench bench;
  std::string path;

 private:
  static Config config(std::size_t max_operators) {
    auto config = line_config();
    config.control.max_operators = max_operators;
    return config;
  }

  std::string folder_;
};

TEST_CASE(
    "control door: one operator more than the limit is told so, and a place that is free "
    "again is used",
    "[operators][control_door]") {
  House house{2};
  auto one = house.visit();
  CHECK(house.ask(one, "hello").contains("result"));
  auto two = house.visit();
  CHECK(house.ask(two, "subscribe").contains("result"));
  auto three = house.visit();
  for (const char* const method : {"hello", "subscribe"}) {
    const auto answer = house.ask(three, method);
    CHECK(answer["error"]["code"] == rpc::kLimit);
    CHECK(answer["error"]["message"] ==
          "the limit of operators is reached (control.max_operators)");
  }
  // It may do what commands do, and look on.
  CHECK(house.ask(three, "hello", {{"quiet", true}}).contains("result"));
  CHECK(house.ask(three, "subscribe", {{"watch", true}}).contains("result"));
  CHECK(house.ask(three, "sessions").contains("result"));

  two->leave();
  REQUIRE(house.come(2));
  CHECK(house.ask(three, "hello").contains("result"));

  auto five = house.visit();
  CHECK(house.ask(five, "hello").contains("error"));
  house.bench.operators.set_max_operators(3);
  CHECK(house.ask(five, "hello").contains("result"));
}

TEST_CASE(
    "control door: connections beyond what commands need are refused, and a place that is free "
    "again is used",
    "[operators][control_door]") {
  House house{2};
  house.bench.operators.set_spare_connections(1, 2);
  auto one = house.visit();
  auto two = house.visit();
  auto three = house.visit();
  REQUIRE(house.come(3));
  auto four = house.visit();
  REQUIRE(run_until(house.bench.loop, [&] { return four->ended(); }));
  const auto answer = json::parse(four->received());
  CHECK(answer["id"] == nullptr);
  CHECK(answer["error"]["code"] == rpc::kLimit);
  CHECK(answer["error"]["message"] ==
        "the limit of connections of operators is reached (control.max_operators)");
  CHECK(house.bench.operators.count() == 3);

  two->leave();
  REQUIRE(house.come(2));
  auto five = house.visit();
  CHECK(house.come(3));

  house.bench.operators.set_max_operators(3);
  auto six = house.visit();
  CHECK(house.come(4));
}

TEST_CASE("control door: a socket whose file was removed is opened again, and nobody has to leave",
          "[operators][control_door]") {
  House house;
  auto one = house.visit();
  REQUIRE(house.come(1));
  CHECK(house.bench.operators.reopen());  // nothing happens
  REQUIRE(::unlink(house.path.c_str()) == 0);
  CHECK_FALSE(house.dial());
  CHECK(house.bench.operators.reopen());
  auto two = house.visit();
  CHECK(house.come(2));
}

TEST_CASE("control door: where something else stands in its place it is not opened again",
          "[operators][control_door]") {
  House house;
  REQUIRE(::unlink(house.path.c_str()) == 0);
  REQUIRE(std::filesystem::create_directory(house.path));
  CHECK_FALSE(house.bench.operators.reopen());
  CHECK_FALSE(house.bench.operators.reopen());  // it is as it was: not in its place
  REQUIRE(std::filesystem::remove(house.path));
  CHECK(house.bench.operators.reopen());
  auto one = house.visit();
  CHECK(house.come(1));
}

TEST_CASE("control door: a group that does not exist is an error that names it",
          "[operators][control_door]") {
  Bench bench;
  auto opened = bench.operators.listen("/nowhere/control.sock", "no-such-group-here");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("control.group") != std::string::npos);
  CHECK(opened.error().message.find("no-such-group-here") != std::string::npos);
}

TEST_CASE("control door: nobody comes in once the operators' side stops",
          "[operators][control_door]") {
  House house;
  house.bench.operators.stop([] {});
  CHECK_FALSE(house.dial());
}

}  // namespace
}  // namespace chatd::test
