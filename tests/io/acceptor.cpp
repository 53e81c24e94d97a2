#include "io/acceptor.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/io.hpp"

using chatd::Error;
using chatd::Result;
using chatd::UniqueFd;
using chatd::io::Acceptor;
using chatd::io::Endpoint;
using chatd::io::Loop;
using chatd::test::is_quiet;
using chatd::test::open_descriptors;
using chatd::test::run_pending;
using chatd::test::run_until;

namespace {

constexpr int kBacklog = 128;

struct Bench {
  Result<std::unique_ptr<Acceptor>> try_listen(const Endpoint& endpoint, unsigned mode = 0666) {
    return Acceptor::listen(
        loop, endpoint, kBacklog,
        [this](UniqueFd socket, const sockaddr_storage& peer, socklen_t length) {
          accepted.push_back(std::move(socket));
          peers.push_back(Endpoint::of(peer, length));
        },
        [this](const Error& error) { failures.push_back(error.message); }, mode);
  }
  std::unique_ptr<Acceptor> listen(const Endpoint& endpoint, unsigned mode = 0666) {
    auto acceptor = try_listen(endpoint, mode);
    if (!acceptor) FAIL(acceptor.error().message);
    return std::move(*acceptor);
  }
  bool until_accepted(std::size_t count) {
    return run_until(loop, [&] { return accepted.size() >= count; });
  }

  Loop loop;
  std::vector<UniqueFd> accepted;
  std::vector<Endpoint> peers;
  std::vector<std::string> failures;
};

UniqueFd make_socket(int family) {
  return UniqueFd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

/// Returns errno, 0 if connected.
int connect_to(const UniqueFd& socket, const Endpoint& endpoint) {
  sockaddr_storage address{};
  auto length = endpoint.to_socket_address(address);
  REQUIRE(length);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(socket.get(), name, *length) == 0 ? 0 : errno;
}

UniqueFd connected(const Endpoint& endpoint) {
  sockaddr_storage address{};
  REQUIRE(endpoint.to_socket_address(address));
  UniqueFd socket = make_socket(address.ss_family);
  REQUIRE(connect_to(socket, endpoint) == 0);
  return socket;
}

int option(const UniqueFd& socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  ::getsockopt(socket.get(), level, name, &value, &length);
  return value;
}

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chatd-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    const std::filesystem::directory_iterator all{path_};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::filesystem::path path_;
};

UniqueFd bound_unix(const std::string& path, int type = SOCK_STREAM) {
  UniqueFd socket{::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)};
  sockaddr_storage address{};
  auto length = Endpoint{"unix:" + path, 0}.to_socket_address(address);
  REQUIRE(length);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) == 0);
  return socket;
}

/// Lets this process open no further descriptor, until it is gone.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // The kernel gives the lowest free number; below it all are taken.
    const UniqueFd lowest{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    const rlimit none{static_cast<rlim_t>(lowest.get()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("acceptor: accepts over TCP and knows the port that it got", "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  CHECK(acceptor->endpoint().address == "127.0.0.1");
  REQUIRE(acceptor->endpoint().port != 0);
  const UniqueFd first = connected(acceptor->endpoint());
  const UniqueFd second = connected(acceptor->endpoint());
  REQUIRE(bench.until_accepted(2));
  CHECK(bench.peers[0].address == "127.0.0.1");
  CHECK(bench.peers[0] != bench.peers[1]);

  const UniqueFd& socket = bench.accepted[0];
  CHECK((::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(option(socket, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == 20);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPCNT) == 3);
  CHECK(option(socket, SOL_SOCKET, SO_OOBINLINE) == 1);
}

TEST_CASE("acceptor: the kernel keeps little for a peer that does not read", "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  const UniqueFd client = connected(acceptor->endpoint());
  REQUIRE(bench.until_accepted(1));
  const std::string bytes(16 * 1024, 'x');
  while (::send(bench.accepted[0].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) {
  }
  // The peer has the rest; it is the peer's memory.
  int unsent = 0;
  REQUIRE(::ioctl(bench.accepted[0].get(), SIOCOUTQNSD, &unsent) == 0);
  CHECK(unsent > 0);
  CHECK(unsent <= 80 * 1024);
}

TEST_CASE("acceptor: urgent data stays in its place, as telnet's IAC DM needs", "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  const UniqueFd client = connected(acceptor->endpoint());
  REQUIRE(bench.until_accepted(1));
  REQUIRE(::send(client.get(), "\xff", 1, MSG_OOB) == 1);
  REQUIRE(::send(client.get(), "\xf2x", 2, 0) == 2);
  REQUIRE(::shutdown(client.get(), SHUT_WR) == 0);
  ::fcntl(bench.accepted[0].get(), F_SETFL, 0);
  std::string bytes;
  char buffer[16];
  for (ssize_t count = 1; count > 0;) {
    count = ::recv(bench.accepted[0].get(), buffer, sizeof buffer, 0);
    if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  }
  CHECK(bytes == "\xff\xf2x");
}

TEST_CASE("acceptor: an address in use is refused in one sentence", "[io][acceptor]") {
  Bench bench;
  const std::size_t before = open_descriptors();
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  auto second = bench.try_listen(acceptor->endpoint());
  REQUIRE_FALSE(second);
  CHECK(second.error().message ==
        "listen on " + acceptor->endpoint().to_string() + ": Address already in use");
  CHECK(second.error().code == EADDRINUSE);
  CHECK(open_descriptors() == before + 1);
}

TEST_CASE("acceptor: what is not an address is refused in one sentence", "[io][acceptor]") {
  Bench bench;
  auto named = bench.try_listen({"localhost", 80});
  REQUIRE_FALSE(named);
  CHECK(named.error().message ==
        "listen on localhost:80: 'localhost' is not an IPv4 or IPv6 address");
  auto foreign = bench.try_listen({"192.0.2.1", 0});
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().message == "listen on 192.0.2.1:0: Cannot assign requested address");
}

TEST_CASE("acceptor: IPv4 and IPv6 stand side by side on one port", "[io][acceptor]") {
  Bench bench;
  constexpr int kTries = 20;  // a port free for IPv6 may be taken for IPv4
  std::unique_ptr<Acceptor> v6;
  std::unique_ptr<Acceptor> v4;
  for (int i = 0; i < kTries && v4 == nullptr; ++i) {
    auto tried = bench.try_listen({"::", 0});
    if (!tried) {
      WARN("there is no IPv6 here: " << tried.error().message);
      return;
    }
    v6 = std::move(*tried);
    if (auto same = bench.try_listen({"0.0.0.0", v6->endpoint().port})) v4 = std::move(*same);
  }
  REQUIRE(v4 != nullptr);
  const std::uint16_t port = v4->endpoint().port;
  const UniqueFd client = connected({"::1", port});
  REQUIRE(bench.until_accepted(1));
  CHECK(bench.peers[0].address == "::1");
  const UniqueFd other = connected({"127.0.0.1", port});
  REQUIRE(bench.until_accepted(2));
  CHECK(bench.peers[1].address == "127.0.0.1");
}

TEST_CASE("acceptor: when it is gone nobody is accepted any more", "[io][acceptor]") {
  Bench bench;
  auto acceptor = bench.listen({"127.0.0.1", 0});
  const Endpoint endpoint = acceptor->endpoint();
  SECTION("destroyed between turns") {
    acceptor.reset();
  }
  SECTION("destroyed inside its own callback, with more waiting") {
    const std::size_t before = open_descriptors();
    auto victim = Acceptor::listen(
        bench.loop, {"127.0.0.1", 0}, kBacklog,
        [&](UniqueFd socket, const sockaddr_storage&, socklen_t) {
          bench.accepted.push_back(std::move(socket));
          acceptor.reset();
        },
        [](const Error&) {});
    REQUIRE(victim);
    acceptor = std::move(*victim);
    const UniqueFd first = connected(acceptor->endpoint());
    const UniqueFd second = connected(acceptor->endpoint());
    REQUIRE(bench.until_accepted(1));
    run_pending(bench.loop);
    CHECK(bench.accepted.size() == 1);
    bench.accepted.clear();
    CHECK(open_descriptors() == before - 1 + 2);  // a listener less, the two clients
  }
  CHECK(connect_to(make_socket(AF_INET), endpoint) == ECONNREFUSED);
}

TEST_CASE("acceptor: a crowd is accepted whole", "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connected(acceptor->endpoint()));
  const auto before = bench.loop.turn();
  REQUIRE(bench.until_accepted(100));
  CHECK(bench.loop.turn() - before <= 8);  // 1, 2, 4 and so on in a turn
  CHECK(bench.failures.empty());
}

TEST_CASE("acceptor: without descriptors it says so once, does not spin, and recovers",
          "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  for (std::size_t episode = 1; episode <= 2; ++episode) {
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(connected(acceptor->endpoint()));
    {
      const NoMoreDescriptors limit;
      REQUIRE(run_until(bench.loop, [&] { return bench.failures.size() == episode; }));
      CHECK(bench.failures.back() ==
            "accept on " + acceptor->endpoint().to_string() + ": Too many open files");
      CHECK(is_quiet(bench.loop));
      // It tries again and again, and is still told once.
      int turns = 0;
      REQUIRE(run_until(bench.loop, [&] { return ++turns == 6; }));
      CHECK(bench.failures.size() == episode);
      CHECK(bench.accepted.size() == 3 * (episode - 1));
    }
    REQUIRE(bench.until_accepted(3 * episode));
  }
  CHECK(bench.failures.size() == 2);
}

TEST_CASE("acceptor: without descriptors it still keeps the loop running", "[io][acceptor]") {
  Bench bench;
  const auto acceptor = bench.listen({"127.0.0.1", 0});
  std::vector<UniqueFd> clients;
  {
    clients.push_back(connected(acceptor->endpoint()));
    const NoMoreDescriptors limit;
    REQUIRE(run_until(bench.loop, [&] { return !bench.failures.empty(); }));
  }
  // valgrind, which enforces the limit itself, has accepted the first one and closed it.
  clients.push_back(connected(acceptor->endpoint()));
  // Not run_until(), which keeps the loop running by itself.
  bench.loop.at_turn_end([&] {
    if (!bench.accepted.empty()) bench.loop.stop();
  });
  bench.loop.run();
  CHECK_FALSE(bench.accepted.empty());
}

TEST_CASE("acceptor: a unix socket has its mode, and its file goes with it", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string path = folder / "chat.sock";
  const mode_t mask = ::umask(GENERATE(0U, 077U));
  const unsigned mode = GENERATE(0666U, 0660U, 0600U);
  auto acceptor = bench.listen({"unix:" + path, 0}, mode);
  CHECK(acceptor->endpoint().to_string() == "unix:" + path);
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == mode);
  const UniqueFd client = connected(acceptor->endpoint());
  REQUIRE(bench.until_accepted(1));
  CHECK(bench.peers[0].to_string() == "unix:");
  acceptor.reset();
  CHECK(folder.entries() == 0);
  ::umask(mask);
}

TEST_CASE("acceptor: a unix socket that was left behind is taken over", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string path = folder / "chat.sock";
  {
    const UniqueFd dead = bound_unix(path);
    ::listen(dead.get(), 1);
  }
  REQUIRE(folder.entries() == 1);
  auto acceptor = bench.listen({"unix:" + path, 0});
  const UniqueFd client = connected(acceptor->endpoint());
  REQUIRE(bench.until_accepted(1));
  CHECK(folder.entries() == 1);
  acceptor.reset();
  CHECK(folder.entries() == 0);
}

TEST_CASE("acceptor: a unix socket that somebody listens on is left alone", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string path = folder / "chat.sock";
  UniqueFd live;
  UniqueFd waiting;
  SECTION("one that accepts") {
    live = bound_unix(path);
    ::listen(live.get(), 8);
  }
  SECTION("one whose backlog is full") {
    live = bound_unix(path);
    ::listen(live.get(), 0);
    waiting = connected({"unix:" + path, 0});
  }
  SECTION("one of another type") {
    live = bound_unix(path, SOCK_DGRAM);
  }
  auto second = bench.try_listen({"unix:" + path, 0});
  REQUIRE_FALSE(second);
  CHECK(second.error().message ==
        "listen on unix:" + path + ": the path is in use by another process");
  CHECK(folder.entries() == 1);
  CHECK(std::filesystem::is_socket(path));
}

TEST_CASE("acceptor: what is not a socket is never removed", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string path = folder / "chat.sock";
  SECTION("a file") {
    std::ofstream{path} << "precious";
  }
  SECTION("a folder") {
    std::filesystem::create_directory(path);
  }
  SECTION("a link to nowhere") {
    std::filesystem::create_symlink("nowhere", path);
  }
  auto acceptor = bench.try_listen({"unix:" + path, 0});
  REQUIRE_FALSE(acceptor);
  CHECK(acceptor.error().message ==
        "listen on unix:" + path + ": the path exists and is not a socket");
  CHECK(folder.entries() == 1);
}

TEST_CASE("acceptor: an impossible unix path is refused in one sentence", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string nowhere = folder / "no/such/folder";
  auto missing = bench.try_listen({"unix:" + nowhere, 0});
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "listen on unix:" + nowhere + ": No such file or directory");
  const std::string endless = folder / std::string(107, 'p').c_str();
  auto long_one = bench.try_listen({"unix:" + endless, 0});
  REQUIRE_FALSE(long_one);
  CHECK(long_one.error().message == "listen on unix:" + endless +
                                        ": the path of a unix socket has at most 107 bytes, "
                                        "this one has " +
                                        std::to_string(endless.size()));
  CHECK(folder.entries() == 0);
}

TEST_CASE("acceptor: a file that took the place of ours stays", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const std::string path = folder / "chat.sock";
  auto acceptor = bench.listen({"unix:" + path, 0});
  std::filesystem::remove(path);
  const UniqueFd another = bound_unix(path);
  acceptor.reset();
  CHECK(folder.entries() == 1);
}

TEST_CASE("acceptor: takes a listening socket that somebody else made", "[io][acceptor]") {
  Bench bench;
  const Folder folder;
  const auto adopt = [&](UniqueFd socket) {
    return Acceptor::adopt(
        bench.loop, std::move(socket),
        [&](UniqueFd accepted, const sockaddr_storage&, socklen_t) {
          bench.accepted.push_back(std::move(accepted));
        },
        [](const Error&) {});
  };
  SECTION("TCP, with the options that its connections need") {
    UniqueFd socket = make_socket(AF_INET);
    REQUIRE(::listen(socket.get(), kBacklog) == 0);  // binds it to any free port
    auto acceptor = adopt(std::move(socket));
    REQUIRE(acceptor);
    CHECK((*acceptor)->endpoint().address == "0.0.0.0");
    const UniqueFd client = connected({"127.0.0.1", (*acceptor)->endpoint().port});
    REQUIRE(bench.until_accepted(1));
    CHECK(option(bench.accepted[0], IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option(bench.accepted[0], SOL_SOCKET, SO_KEEPALIVE) == 1);
  }
  SECTION("unix, and leaves its file") {
    UniqueFd socket = bound_unix(folder / "given.sock");
    REQUIRE(::listen(socket.get(), kBacklog) == 0);
    auto acceptor = adopt(std::move(socket));
    REQUIRE(acceptor);
    CHECK((*acceptor)->endpoint().to_string() == "unix:" + (folder / "given.sock"));
    const UniqueFd client = connected((*acceptor)->endpoint());
    REQUIRE(bench.until_accepted(1));
    (*acceptor).reset();
    CHECK(folder.entries() == 1);
  }
  SECTION("but nothing else") {
    const std::size_t before = open_descriptors();
    UniqueFd socket = make_socket(AF_INET);
    const std::string name = "listen on descriptor " + std::to_string(socket.get());
    auto idle = adopt(std::move(socket));
    REQUIRE_FALSE(idle);
    CHECK(idle.error().message == name + ": it is not a listening stream socket");
    auto file = adopt(UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)});
    REQUIRE_FALSE(file);
    CHECK(file.error().message == name + ": Socket operation on non-socket");
    CHECK(open_descriptors() == before);
  }
}
