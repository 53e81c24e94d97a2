// What the whole daemon leaves to the next: the envelope, the events, listeners and
// connections. Any bytes are refused, or become a server that serves, stops and leaves no
// descriptor open; what a server wrote down is read back as the same. The input is as in
// saved.cpp; the first of the lengths in it parts events from clients.
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <algorithm>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/most_number.hpp"
#include "clients/clients.hpp"
#include "events/journal.hpp"
#include "fuzz/fuzz.hpp"
#include "service/handover.hpp"
#include "support/io.hpp"

namespace chatd {
namespace {

using fuzz::must;

constexpr std::size_t kConnections = 5;
constexpr std::size_t kKeptEvents = 2048;

Config quiet_config() {
  Config config;
  config.listen.clear();
  config.session.greeting = "welcome";
  config.session.farewell = "farewell";
  return config;
}

/// A listening socket, of which every run gets a copy.
int listener() {
  static const UniqueFd kSocket = [] {
    UniqueFd made{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    must(::listen(made.get(), 1) == 0, "listen");
    return made;
  }();
  return ::dup(kSocket.get());
}

/// The other ends of the connections that a server has.
using Ends = std::array<UniqueFd, kConnections>;

std::vector<UniqueFd> descriptors(Ends& ends) {
  std::vector<UniqueFd> all;
  all.emplace_back(listener());
  for (auto& end : ends) {
    auto pair = test::unix_pair();
    const int least = 1;
    ::setsockopt(pair.ours.get(), SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    all.push_back(std::move(pair.ours));
    end = std::move(pair.theirs);
  }
  return all;
}

void say(const UniqueFd& end, std::string_view bytes) {
  (void)::send(end.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

/// Stops, and waits until all is over.
void stop(io::Loop& loop, Clients& server, Ends& ends) {
  for (auto& end : ends) end.reset();
  bool done = false;
  server.stop([&] { done = true; });
  loop.run();
  must(done, "it does not stop");
  must(server.stats().sessions == 0, "a session outlived the daemon");
}

std::string written_down(Clients& server, Journal& events, std::vector<UniqueFd>& copies) {
  ByteWriter clients;
  std::vector<int> numbers;
  server.save(clients, numbers);
  std::uint32_t count = 0;
  (void)events.seal(count);
  ByteWriter out;
  ByteWriter log;
  events.save(log);
  out.text(log.bytes());
  copies.clear();
  for (const int number : numbers) copies.emplace_back(::dup(number));
  return out.bytes() + clients.bytes();
}

/// Checks that a subscriber gets every event that is kept.
void check_events(const Journal& events) {
  must(events.first_seq() >= 1 && events.first_seq() <= events.sealed_seq() + 1, "events");
  Seq since = events.first_seq() > 2 ? events.first_seq() - 2 : 0;
  while (since < events.sealed_seq()) {
    const auto before = since;
    const auto lines = events.after(since);
    if (lines.empty()) return must(events.first_seq() == events.sealed_seq() + 1, "one is missing");
    must(since > before, "events come again and again");
  }
}

/// The next process: it reads the events before it makes a server.
struct Next {
  Next(io::Loop& loop, std::string_view bytes, std::vector<UniqueFd>& with) {
    ByteReader in{bytes};
    ByteReader log{in.text()};
    events.restore(log);
    server = std::make_unique<Clients>(loop, quiet_config(), 100, events);
    flush = std::make_unique<io::TurnEnd>(loop, [this] {
      server->connections().read_waiting(false);
      server->connections().flush();
    });
    taken = server->restore(in, with);
    must(static_cast<bool>(server->listen()), "listen");
  }
  Journal events{kKeptEvents};
  std::unique_ptr<Clients> server;
  std::unique_ptr<io::TurnEnd> flush;
  bool taken = false;
};

/// A client of a server that listens.
UniqueFd connect(Clients& server) {
  sockaddr_storage address{};
  auto endpoint = io::Endpoint::parse(server.doors().addresses().at(0));
  auto length = endpoint->to_socket_address(address);
  UniqueFd socket{::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  must(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) == 0,
       "connect");
  return socket;
}

/// Written down by a server with clients in several states.
std::string make_first() {
  io::Loop loop;
  Journal events{kKeptEvents};
  auto config = quiet_config();
  config.listen = {{{"127.0.0.1", 0}, core::DialectSetting::kAuto, 64}};
  Clients server{loop, config, 100, events};
  const io::TurnEnd flush{loop, [&server] {
                            server.connections().read_waiting(false);
                            server.connections().flush();
                          }};
  must(static_cast<bool>(server.listen()), "listen");
  Ends ends;
  for (auto& end : ends) end = connect(server);
  say(ends[0], "a line\nand the beginning of one");
  say(ends[1], "\xff\xfd\x01telnet\r\n");
  say(ends[2], "original");
  say(ends[3], "question\n");
  const auto heard = [&] {  // and one is silent, so that it is a session after a second
    return server.stats().messages_in >= 4 && server.stats().sessions == kConnections;
  };
  must(test::run_until(loop, heard), "what is said is not heard");
  ::shutdown(ends[3].get(), SHUT_WR);
  const auto asks = [&] {
    const auto all = server.sessions().list();
    return std::any_of(all.begin(), all.end(),
                       [](const auto& each) { return each.state == "asking"; });
  };
  must(test::run_until(loop, asks), "a question is none");
  (void)server.sessions().name(1, "ann", "bob");
  (void)server.sessions().send({true, {}}, "to all", "bob");
  (void)server.sessions().send({false, {5}}, "held", "bob");
  std::vector<UniqueFd> copies;
  return written_down(server, events, copies);
}

/// The same, with output that waits because the kernel takes little, and with a session that
/// is over.
std::string make_good() {
  const auto first = make_first();
  io::Loop loop;
  Ends ends;
  auto with = descriptors(ends);
  Next next{loop, first, with};
  must(next.taken, "what a server wrote down is refused");
  for (int i = 0; i < 4; ++i) {
    (void)next.server->sessions().send({false, {1}}, std::string(3000, 'x'), "bob");
  }
  (void)next.server->sessions().kick(2, "enough", "bob");
  return written_down(*next.server, next.events, with);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kGood = [] {
    spdlog::set_level(spdlog::level::off);
    return make_good();
  }();
  const std::string bytes = fuzz::changed({data, size}, kGood);

  const auto enclosed = service::enclose(bytes);
  auto disclosed = service::disclose(enclosed);
  must(disclosed && disclosed->body == bytes, "an envelope holds something else");
  if (size < 64 || size % 16 == 0) {
    must(!service::disclose(bytes) || bytes.starts_with("chatd\r\n"), "any bytes are a document");
    for (std::size_t i = 0; i < size && i < 4; ++i) {
      auto damaged = enclosed;
      damaged[(data[i] * 257U) % damaged.size()] ^= 1;
      must(!service::disclose(damaged), "a damaged document is taken");
    }
  }

  const auto before = size % 64 == 0 ? test::open_descriptors() : 0;
  {
    io::Loop loop;
    Ends ends;
    auto with = descriptors(ends);
    std::string written;
    {
      Next first{loop, bytes, with};
      check_events(first.events);
      must(first.taken || bytes != kGood, "what is good is refused");
      must(first.taken || first.server->stats().sessions == 0, "refused, and there are sessions");
      if (first.taken) written = written_down(*first.server, first.events, with);
      // Counted on from the highest number of all: nobody comes there but by a document.
      if (first.events.sealed_seq() > kMostNumber) return 0;
    }
    if (written.empty()) return 0;
    Next next{loop, written, with};
    must(next.taken, "what it wrote down is refused");
    with.clear();
    Clients& server = *next.server;
    const auto again = written_down(server, next.events, with);
    if (again != written) {
      // Once: the name of a listener that only a connection had which broke meanwhile is left
      // out, and those of listeners come before those that connections alone have.
      must(again.size() <= written.size(), "the next one is another");
      Next third{loop, again, with};
      must(third.taken, "what the next one wrote down is refused");
      with.clear();
      must(written_down(*third.server, third.events, with) == again, "the third one is another");
    }
    with.clear();

    for (const auto& end : ends) say(end, "\xff\xf1 a line\nbye\n");
    test::run_pending(loop);
    (void)server.sessions().send({true, {}}, "to all", "ann");
    test::run_pending(loop);
    const auto stats = server.stats();
    must(stats.messages_out == stats.delivered + stats.held + stats.lost, "the sum is wrong");
    must(server.sessions().list().size() == stats.sessions, "a list that is not all");
    stop(loop, server, ends);
  }
  if (before != 0) must(test::open_descriptors() == before, "a descriptor is left open");
  return 0;
}

}  // namespace chatd
