// The whole way in: clients of all sorts at listeners of all sorts, on sockets. The input chooses
// who comes, what is said and in which pieces, half closes and resets, how time passes, and when
// another process goes on. Whatever happens, the sums are right, events say the same as counters,
// whoever is quiet is found out in time, and in the end nothing is held. A byte of the input
// chooses what happens next; most of what is said is good, so that it gets far.
#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "clients/clients.hpp"
#include "clients/proxy_bytes.hpp"
#include "events/journal.hpp"
#include "fuzz/fuzz.hpp"
#include "http/client_frames.hpp"
#include "support/io.hpp"
#include "support/tls_client.hpp"

namespace {

/// How much later it is than the machine says.
chatd::Duration passed{0};

}  // namespace

/// In place of the library's: nobody waits here for time to pass.
// NOLINTNEXTLINE(readability-identifier-naming): it is called so
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto status = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE) {
    now->tv_sec += passed.count() / 1000;
    now->tv_nsec += passed.count() % 1000 * 1'000'000;
    if (now->tv_nsec >= 1'000'000'000) {
      now->tv_nsec -= 1'000'000'000;
      ++now->tv_sec;
    }
  }
  return status;
}

namespace chatd {
namespace {

using fuzz::Input;
using fuzz::must;

constexpr std::size_t kKeptEvents = 1UL << 20U;
constexpr std::size_t kMostClients = 12;
constexpr std::size_t kMostSteps = 60;  // or one input would take a second
/// The longest that somebody may be waited for who says nothing, with a turn or two.
constexpr Duration kLongest = Reception::kBrowserSilence + Duration{1000};

/// Sockets and a certificate, made once.
class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "chatd-fuzz-XXXXXX").string();
    must(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
    const auto issued = test::issue({.common_name = "localhost"});
    std::ofstream{path_ + "/certificate"} << issued.certificate();
    std::ofstream{path_ + "/key"} << issued.key_text();
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// Listeners of all sorts.
  [[nodiscard]] Config config() const {
    Config config;
    config.listen.clear();
    const auto add = [&](const char* name) -> Listener& {
      return config.listen.emplace_back(Listener{.endpoint = {"unix:" + path_ + '/' + name}});
    };
    Listener::Tls tls;
    tls.pairs = {{path_ + "/certificate", path_ + "/key"}};
    tls.allow_1_2 = true;
    const std::vector<io::Network> everybody = {io::Network::of(io::Network::Kind::kUser, 0, {})};
    add("auto").tls = tls;
    add("plain");
    add("web").web = Listener::Web::kOnly;
    Listener& secure = add("secure");
    secure.tls = tls;
    secure.tls.required = true;
    Listener& behind = add("behind");
    behind.proxy_from = everybody;
    behind.tls = tls;
    Listener& line = add("line");
    line.dialect = core::DialectSetting::kLine;
    line.web = Listener::Web::kOff;
    line.proxy_from = everybody;
    Listener& room = add("room");
    room.room = "lounge";
    room.tls = tls;
    room.web = Listener::Web::kOff;
    config.session.greeting = "welcome";
    config.session.farewell = "farewell";
    config.limits.connects_per_second = 0;
    config.limits.sessions = 10;
    config.web.resume = Duration{60'000};
    return config;
  }

 private:
  std::string path_;
};

const Place& place() {
  static const Place kPlace;
  return kPlace;
}

std::string upgrade(std::string_view protocol) {
  std::string head =
      "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  if (!protocol.empty()) head += "Sec-WebSocket-Protocol: " + std::string{protocol} + "\r\n";
  return head + "\r\n";
}

std::string text_frame(std::string_view text) {
  return test::client_frame(test::kFin | test::kText, text);
}

/// What clients say, most of it right.
const std::vector<std::string>& sayings() {
  static const std::vector<std::string> kAll = {
      "hello\n",
      "bye\n",
      "\xff\xfd\x03telnet\r\n",
      "no line",
      "\n",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /page.js HTTP/1.1\r\nHost: a\r\n",
      "\r\n",
      "GET well soon\n",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      upgrade({}),
      upgrade("chat.chatd.v1"),
      text_frame(R"({"type":"hello","seen":0})"),
      text_frame(R"({"type":"say","id":"1","text":"from a page"})"),
      text_frame(R"({"type":"seen","seq":1})"),
      text_frame(R"({"type":"bye"})"),
      text_frame("a text"),
      test::client_frame(test::kText, "the beginning of one"),
      test::client_frame(test::kFin | test::kContinuation, " and its end"),
      test::client_frame(test::kPing, "ping"),
      test::client_frame(test::kClose, std::string_view{"\x03\xe8", 2}),
      test::frame_head(test::kFin | test::kText, 100),
      "PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n",
      "PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n",
      "PROXY UNKNOWN\r\n",
      test::binary_header(0x21, 0x11, test::kIpv4Ends),
      test::binary_header(0x20, 0x00, {}),
      "PROXY TCP4 192.0.2.300 192.0.2.1 4711 80\r\n",
      std::string{"\x16\x03\x01\x00\xc8\x01\x00\x00", 8},
      std::string(3000, 'x'),
  };
  return kAll;
}

/// One process: it goes on with what another has written down.
struct Process {
  Process() { start(place().config()); }
  Process(std::string_view bytes, std::vector<UniqueFd>& with) {
    ByteReader in{bytes};
    ByteReader log{in.text()};
    events.restore(log);
    make(place().config());
    must(clients->restore(in, with), "what a process wrote down is refused");
    must(static_cast<bool>(clients->listen()), "listen");
  }

  io::Loop loop;
  Journal events{kKeptEvents};
  std::unique_ptr<Clients> clients;
  std::unique_ptr<io::TurnEnd> flush;

 private:
  void make(const Config& config) {
    clients = std::make_unique<Clients>(loop, config, 100, events);
    flush = std::make_unique<io::TurnEnd>(loop, [this] {
      clients->connections().read_waiting(false);
      clients->connections().flush();
    });
  }
  void start(const Config& config) {
    make(config);
    must(static_cast<bool>(clients->listen()), "listen");
  }
};

struct Client {
  UniqueFd socket;
  std::unique_ptr<test::TlsClient> tls;
  std::string to_send;
  std::string heard;  ///< as it was said
};

class World {
 public:
  void run(Input& input) {
    for (std::size_t step = 0; step < kMostSteps && !input.empty(); ++step) {
      act(input);
      go_on();
    }
    end();
  }

 private:
  Clients& server() { return *process_->clients; }

  void act(Input& input) {
    const auto what = input.byte();
    if (what % 16 == 0) return come(input);
    if (clients_.empty()) return come(input);
    const std::size_t which = input.byte() % clients_.size();
    Client& client = clients_[which];
    switch (what % 16) {
      case 1:
      case 2:
      case 3:
        quiet_since_ = now();
        return say(client, sayings()[input.byte() % sayings().size()]);
      case 4:
        return anything(client, input);
      case 5:
      case 6:
        return send(client, input.byte());
      case 7:
        return begin_tls(client, input.byte());
      case 8:
      case 9:
        return read(client);
      case 10:
        return half_close(client);
      case 11:
        return leave(which, input.byte());
      case 12:
        passed += Duration{input.byte() * 100};
        return;
      case 13:
        return hand_over();
      case 14:
        return come_back(client);
      default:
        return operate(input.byte());
    }
  }

  Time now() { return process_->loop.update_now(); }

  void come(Input& input) {
    const auto& addresses = server().doors().addresses();
    auto endpoint = io::Endpoint::parse(addresses.at(input.byte() % addresses.size()));
    if (clients_.size() >= kMostClients) return;
    sockaddr_storage address{};
    auto length = endpoint->to_socket_address(address);
    Client client;
    client.socket = UniqueFd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (::connect(client.socket.get(), reinterpret_cast<const sockaddr*>(&address), *length) != 0) {
      return;  // its backlog is full
    }
    clients_.push_back(std::move(client));
    quiet_since_ = now();
  }

  /// Within TLS, where it is spoken.
  static void say(Client& client, std::string_view text) {
    if (!client.tls) {
      client.to_send += text;
    } else if (client.tls->is_established()) {
      client.to_send += client.tls->say(text);
    }
    send(client, 0);
  }

  void anything(Client& client, Input& input) {
    quiet_since_ = now();
    std::string text;
    for (auto c = input.byte(); c != '\n' && !input.empty(); c = input.byte()) {
      text += static_cast<char>(c);
    }
    // As bytes on the way: what becomes of TLS then is its affair.
    client.to_send += text;
    send(client, 0);
  }

  /// `most` bytes of what waits; 0: all of them.
  static void send(Client& client, std::size_t most) {
    const auto size = most == 0 ? client.to_send.size() : std::min(most, client.to_send.size());
    if (size == 0) return;
    const auto sent = ::send(client.socket.get(), client.to_send.data(), size, MSG_NOSIGNAL);
    if (sent > 0) client.to_send.erase(0, static_cast<std::size_t>(sent));
  }

  void begin_tls(Client& client, std::uint8_t how) {
    if (client.tls) return;
    test::TlsClient::Options options;
    if (how % 4 == 0) options.highest = TLS1_2_VERSION;
    if (how % 4 == 1) options.suites = "TLS_CHACHA20_POLY1305_SHA256";
    client.tls = std::make_unique<test::TlsClient>(options);
    client.to_send += client.tls->receive({});
    quiet_since_ = now();
    send(client, how < 64 ? how : 0);  // perhaps its first bytes alone
  }

  void read(Client& client) {
    char buffer[16 * 1024];
    for (;;) {
      const auto count = ::recv(client.socket.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return;
      const std::string_view bytes{buffer, static_cast<std::size_t>(count)};
      if (client.tls) {
        quiet_since_ = now();
        client.to_send += client.tls->receive(bytes);
        client.heard += client.tls->heard();
        send(client, 0);
      } else {
        client.heard += bytes;
      }
    }
  }

  void half_close(Client& client) {
    quiet_since_ = now();
    if (client.tls && client.tls->is_established()) {
      client.to_send += client.tls->close();
      send(client, 0);
    }
    ::shutdown(client.socket.get(), SHUT_WR);
  }

  void leave(std::size_t which, std::uint8_t how) {
    if (how % 2 == 0) test::reset_connection(clients_[which].socket);
    clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  /// As the page whose token it has heard, or somebody else has.
  void come_back(Client& client) {
    constexpr std::string_view kBefore = R"("resume":")";
    for (const Client& each : clients_) {
      const auto begin = each.heard.rfind(kBefore);
      if (begin == std::string::npos) continue;
      const auto from = begin + kBefore.size();
      token_ = each.heard.substr(from, each.heard.find('"', from) - from);
    }
    quiet_since_ = now();
    say(client, text_frame(R"({"type":"hello","resume":")" + token_ + R"(","seen":0})"));
  }

  void operate(std::uint8_t choice) {
    auto& sessions = server().sessions();
    const auto list = sessions.list();
    const core::SessionId one = list.empty() ? 1 : list[choice / 8U % list.size()].id;
    switch (choice % 8) {
      case 0:
        return (void)sessions.bye(one, "ann");
      case 1:
        return (void)sessions.kick(one, "enough", "ann");
      case 2:
        return (void)sessions.send({false, {one}}, std::string(4000, 'y'), "ann");
      case 3:
        return sessions.writing(one, "ann");
      case 4:
        must(static_cast<bool>(server().apply(place().config())), "a reload fails");
        return;
      default:
        return (void)sessions.send({true, {}}, "to all", "ann");
    }
  }

  void hand_over() {
    ByteWriter clients;
    std::vector<int> numbers;
    server().save(clients, numbers);
    count_events();  // some end here
    std::uint32_t sealed = 0;
    (void)process_->events.seal(sealed);
    ByteWriter log;
    process_->events.save(log);
    ByteWriter out;
    out.text(log.bytes());
    std::vector<UniqueFd> copies;
    for (const int number : numbers) copies.emplace_back(::dup(number));
    const auto before = server().stats();
    const auto bytes = out.bytes() + clients.bytes();
    process_ = std::make_unique<Process>(bytes, copies);
    for (const auto& each : copies) must(!each, "a descriptor is left over");
    must(server().stats().sessions <= before.sessions, "a session comes out of nothing");
    must(server().stats().messages_out == before.messages_out, "messages are lost");
  }

  void go_on() {
    test::run_pending(process_->loop);
    check();
  }

  /// Counts what operators heard of.
  void count_events() {
    std::uint32_t sealed = 0;
    (void)process_->events.seal(sealed);
    while (told_ < process_->events.sealed_seq()) {
      const auto lines = process_->events.after(told_);
      must(!lines.empty(), "an event is missing");
      const std::string_view text = lines.view();
      connected_ += count(text, R"("method":"connected")");
      disconnected_ += count(text, R"("method":"disconnected")");
    }
  }
  static std::size_t count(std::string_view text, std::string_view word) {
    std::size_t found = 0;
    for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
      ++found;
    }
    return found;
  }

  void check() {
    count_events();
    const auto stats = server().stats();
    must(stats.messages_out == stats.delivered + stats.held + stats.lost, "the sum is wrong");
    must(stats.accepted == connected_, "accepted are others than those who have connected");
    must(stats.sessions == connected_ - disconnected_, "sessions are not those who are there");
    if (now() - quiet_since_ <= kLongest) return;
    const auto none = [this] { return !has_arrivals(); };
    if (becomes_so(none)) return;
    // One that had waited for a place has come in just now.
    passed += kLongest;
    must(becomes_so(none), "nobody finds out who is quiet");
  }

  bool has_arrivals() {
    auto& connections = server().connections();
    bool found = false;
    for (const auto slot : connections.slots()) {
      if (connections.client(slot).kind != Connections::Kind::kArrival) continue;
      must(connections.is_open(slot), "an arrival that closes");
      found = true;
    }
    return found;
  }

  /// In a few turns more: where one was long, because the machine was busy, the rest is done later.
  bool becomes_so(const std::function<bool()>& condition) {
    for (int i = 0; i < 100 && !condition(); ++i) {
      passed += Duration{1};
      test::run_pending(process_->loop);
    }
    return condition();
  }

  /// All leave; then nothing is left.
  void end() {
    for (Client& client : clients_) read(client);
    go_on();
    passed += kLongest + Duration{1};
    go_on();
    clients_.clear();
    go_on();
    // Who waits for an answer, or for its page; and what nobody has acknowledged.
    for (const int seconds : {700, 60}) {
      passed += std::chrono::seconds{seconds};
      go_on();
    }
    auto& connections = server().connections();
    must(becomes_so([this] { return server().stats().sessions == 0; }), "a session is held");
    must(becomes_so([&] { return connections.size() == 0; }), "a connection is held");
    must(connections.queued_bytes() == 0, "bytes are held");
    must(server().accounts().sessions() == 0, "an account is held");
    bool done = false;
    server().stop([&done] { done = true; });
    must(becomes_so([&done] { return done; }), "it does not stop");
    passed = Duration{0};
  }

  std::unique_ptr<Process> process_ = std::make_unique<Process>();
  std::vector<Client> clients_;
  std::string token_ = "none";
  Time quiet_since_ = now();  ///< the last time that a client did anything
  Seq told_ = 0;
  std::size_t connected_ = 0;
  std::size_t disconnected_ = 0;
};

}  // namespace
}  // namespace chatd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool kQuiet = [] {
    spdlog::set_level(spdlog::level::off);
    const chatd::io::Loop first;  // libuv opens a pipe with the first, for good
    return true;
  }();
  chatd::fuzz::must(kQuiet, "it says nothing");
  (void)chatd::place();
  const auto before = chatd::test::open_descriptors();
  {
    chatd::World world;
    chatd::fuzz::Input input{data, size};
    world.run(input);
  }
  chatd::fuzz::must(chatd::test::open_descriptors() == before, "a descriptor is held");
  return 0;
}
