/// Both sides of a daemon, Clients and Operators, in this process, on a loop that the test runs:
/// clients come over loopback, operators over a socketpair as the console does. Nothing here
/// sleeps.
#pragma once

#include <arpa/inet.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/clients.hpp"
#include "events/journal.hpp"
#include "io/endpoint.hpp"
#include "log/log.hpp"
#include "operators/operators.hpp"
#include "support/catch.hpp"
#include "support/io.hpp"

namespace chatd::test {

using nlohmann::json;

/// One listener on a free port, for clients that send lines.
inline Config line_config() {
  Config config;
  config.listen = {{{"127.0.0.1", 0}, core::DialectSetting::kLine, 64}};
  config.limits.messages_per_second = 1'000'000;
  config.limits.messages_burst = 1'000'000;
  config.limits.connects_per_second = 0;
  config.limits.bytes_per_second = 0;
  return config;
}

class Bench {
 public:
  explicit Bench(const Config& config = line_config(), std::size_t kept_bytes = 2UL << 20U)
      : in_force{config},
        journal{kept_bytes},
        clients{loop, config, 10'000, journal},
        operators{loop,
                  clients,
                  journal,
                  config.control.max_operators,
                  {[this] { return reload(); }, [this] { ++stops; },
                   [this]() -> const Config& { return in_force; }}},
        turn_end{loop, [this] {
                   clients.connections().read_waiting(!operators.keep_up());
                   operators.go_on();
                   clients.eviction().bound_memory();
                   clients.crash_records().keep();
                   clients.connections().flush();
                   operators.seal();
                   operators.flush();
                 }} {
    Log::set_level(LogLevel::kError);
    REQUIRE(clients.listen());
  }

  /// Connects to a listener; `buffer`, if not 0, bounds what the kernel keeps for it. `from`, if
  /// not null, is the address that it comes from.
  std::unique_ptr<Peer> connect(std::size_t listener = 0, int buffer = 0,
                                const char* from = nullptr) {
    auto endpoint = io::Endpoint::parse(clients.doors().addresses().at(listener));
    REQUIRE(endpoint);
    sockaddr_storage address{};
    auto length = endpoint->to_socket_address(address);
    REQUIRE(length);
    UniqueFd socket{::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (buffer != 0) ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (from != nullptr) {
      sockaddr_storage source{};
      const auto size = io::Endpoint{from, 0}.to_socket_address(source);
      REQUIRE(size);
      REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&source), *size) == 0);
    }
    REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), *length) == 0);
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    return std::make_unique<Peer>(loop, std::move(socket));
  }

  /// A client that has said "hi", so that what is sent to it goes out at once.
  std::unique_ptr<Peer> speaking_client(int buffer = 0) {
    auto client = connect(0, buffer);
    const auto before = clients.stats().messages_in;
    client->send("hi\n");
    REQUIRE(run_until(loop, [&] { return clients.stats().messages_in > before; }));
    return client;
  }

  /// An event that operators hear of, in which nothing happens.
  void operator_changed(std::string_view name, std::string_view state) {
    Event event;
    event.kind = EventKind::kOperator;
    event.name = name;
    event.state = state;
    journal.add(event);
  }

  Config in_force;
  io::Loop loop;
  Journal journal;
  Clients clients;
  Operators operators;
  io::TurnEnd turn_end;
  int stops = 0;
  Result<ConfigChange> (*reload)() = [] { return Result<ConfigChange>{ConfigChange{}}; };
};

/// The other end of an operator's connection.
class Operator {
 public:
  explicit Operator(Bench& bench, bool reads = true) : bench_{bench} {
    auto pair = unix_pair();
    socket_ = UniqueFd{::dup(pair.theirs.get())};
    peer_ = std::make_unique<Peer>(bench.loop, std::move(pair.theirs));
    REQUIRE(bench.operators.attach(std::move(pair.ours)));
    if (reads) peer_->read();
  }

  Peer& peer() { return *peer_; }
  void leave() {
    peer_->leave();
    socket_.reset();
  }

  /// Sends all of it, running the loop for as long as the daemon takes to read it.
  void send(std::string_view bytes) {
    REQUIRE(run_until(bench_.loop, [&] {
      bytes.remove_prefix(peer_->send(bytes));
      if (!bytes.empty()) bench_.loop.turn_again();
      return bytes.empty();
    }));
  }

  /// Reads up to `size` bytes of what is there: for an operator who otherwise does not read.
  void take(std::size_t size) {
    gather();
    std::string bytes(size, '\0');
    const auto count = ::recv(socket_.get(), bytes.data(), size, 0);
    if (count > 0) all_.append(bytes, 0, static_cast<std::size_t>(count));
  }

  /// The line of a request; its id is that of its answer in answers().
  static std::string request(int id, const std::string& method, const json& params) {
    return json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump() +
           "\n";
  }

  /// The answer, with its "result" or "error".
  json call(const std::string& method, const json& params = json::object()) {
    const int id = ++last_id_;
    send(request(id, method, params));
    REQUIRE(run_until(bench_.loop, [&] { return answers().count(id) > 0; }));
    return answers_.at(id);
  }
  json result(const std::string& method, const json& params = json::object()) {
    const auto answer = call(method, params);
    INFO(answer);
    REQUIRE(answer.contains("result"));
    return answer["result"];
  }
  int error(const std::string& method, const json& params = json::object()) {
    const auto answer = call(method, params);
    INFO(answer);
    REQUIRE(answer.contains("error"));
    return answer["error"]["code"];
  }

  /// What arrived so far: answers by id, events, and answers to nobody.
  const std::map<int, json>& answers() {
    parse();
    return answers_;
  }
  const std::vector<json>& events() {
    parse();
    return events_;
  }
  const std::vector<json>& complaints() {
    parse();
    return complaints_;
  }

  /// Runs until there are events of `method`, `count` of them; returns the last one's
  /// params.
  json wait_event(const std::string& method, std::size_t count = 1) {
    json found;
    REQUIRE(run_until(bench_.loop, [&] {
      std::size_t seen = 0;
      for (const auto& event : events()) {
        if (event["method"] == method && ++seen == count) found = event["params"];
      }
      return seen >= count;
    }));
    return found;
  }
  bool wait_end() {
    return run_until(bench_.loop, [&] { return peer_->ended(); });
  }

 private:
  void gather() {
    all_.append(peer_->received(), gathered_);
    gathered_ = peer_->received().size();
  }

  void parse() {
    gather();
    for (auto end = all_.find('\n', parsed_); end != std::string::npos;
         end = all_.find('\n', parsed_)) {
      json line = json::parse(std::string_view{all_}.substr(parsed_, end - parsed_));
      parsed_ = end + 1;
      if (line.contains("method")) {
        events_.push_back(std::move(line));
      } else if (line["id"].is_number_integer()) {
        const int id = line["id"];
        REQUIRE_FALSE(answers_.contains(id));
        answers_.emplace(id, std::move(line));
      } else {
        complaints_.push_back(std::move(line));
      }
    }
  }

  Bench& bench_;
  UniqueFd socket_;  ///< the same as that of peer_
  std::unique_ptr<Peer> peer_;
  std::string all_;           ///< all that arrived
  std::size_t gathered_ = 0;  ///< of what peer_ received
  int last_id_ = 1'000'000;
  std::size_t parsed_ = 0;
  std::map<int, json> answers_;
  std::vector<json> events_;
  std::vector<json> complaints_;
};

}  // namespace chatd::test
