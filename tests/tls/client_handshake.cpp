// The client of `chatctl talk` against the daemon's own channel, in one process.
#include "tls/client_handshake.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/tls_pair.hpp"
#include "tls/channel.hpp"
#include "tls/self_signed.hpp"

namespace chatd::tls {
namespace {

using test::CredentialFolder;
using test::Folder;
using test::issue;
using test::Issued;
using test::make_file;
using State = ClientHandshake::State;
using Failure = ClientHandshake::Failure;

const Issued& authority() {
  static const auto kIssued = issue({.common_name = "authority", .is_authority = true});
  return kIssued;
}

Issued server(const std::string& names) {
  return issue({.common_name = "server", .alternative_names = names, .issuer = &authority()});
}

/// A client that trusts the authority, and the daemon's side.
struct Two {
  Two(std::shared_ptr<const Credentials> credentials, const std::string& host,
      const std::string& trusted = authority().certificate())
      : channel{std::move(credentials)} {
    const Folder folder;
    auto begun = ClientHandshake::begin(host, {make_file(folder / "ca.pem", 0644, trusted), {}});
    REQUIRE(begun);
    client = std::move(*begun);
  }

  /// Lets both talk, `step` bytes at a time, until the client has a result or nothing comes.
  State shake(std::size_t step = SIZE_MAX) {
    std::string from_client;
    client->receive({}, from_client);
    while (!from_client.empty() && client->state() == State::kGoingOn) {
      std::string from_channel;
      for (std::string_view rest = from_client; !rest.empty();) {
        channel.receive(rest.substr(0, step), text, from_channel);
        rest.remove_prefix(std::min(step, rest.size()));
      }
      from_client.clear();
      for (std::string_view rest = from_channel; !rest.empty();) {
        if (client->state() != State::kGoingOn) break;
        client->receive(rest.substr(0, step), from_client);
        rest.remove_prefix(std::min(step, rest.size()));
      }
    }
    if (!from_client.empty()) channel.receive(from_client, text, to_client);
    return client->state();
  }

  std::optional<ClientHandshake> client;
  Channel channel;
  std::string text;
  std::string to_client;
};

TEST_CASE("client handshake: a conversation, however its bytes come", "[tls][client-handshake]") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    Two two{CredentialFolder{}.with(server("DNS:chat.example")).load(), "chat.example."};
    REQUIRE(two.shake(step) == State::kEstablished);
    CHECK(two.client->suite() == "TLS_AES_128_GCM_SHA256");
    CHECK(two.channel.peer().server_name == "chat.example");
    auto session = two.client->take_session();
    std::string sent;
    session.seal("hello\n", sent);
    session.close(sent);
    std::string said;
    CHECK(two.channel.receive(sent, said, two.to_client) == Channel::State::kEnded);
    CHECK(said == "hello\n");
    two.channel.send("answer\n", two.to_client);
    two.channel.close(two.to_client);
    std::string heard;
    sent.clear();
    CHECK(session.open(two.to_client, heard, sent) == ClientSession::State::kEnded);
    CHECK(heard == "answer\n");
  }
}

TEST_CASE("client handshake: what comes with its end is opened by the session",
          "[tls][client-handshake]") {
  Two two{CredentialFolder{}.with(server("IP:192.0.2.1")).load(), "192.0.2.1"};
  std::string bytes;
  two.client->receive({}, bytes);
  std::string answer;
  two.channel.receive(bytes, two.text, answer);
  bytes.clear();
  REQUIRE(two.client->receive(answer, bytes) == State::kEstablished);
  answer.clear();
  two.channel.receive(bytes, two.text, answer);
  two.channel.send("at once\n", answer);
  auto session = two.client->take_session();
  std::string heard;
  session.open(answer, heard, bytes);
  CHECK(heard == "at once\n");
  CHECK(two.channel.peer().server_name.empty());  // an address is none (RFC 6066, 3)
}

TEST_CASE("client handshake: a server has to be the one that was meant",
          "[tls][client-handshake]") {
  struct Row {
    std::string names;
    std::string host;
    std::string why;  // empty: it is the one
  };
  const std::string is_for = "has a certificate that is for ";
  const std::vector<Row> rows{
      {"DNS:a.example", "a.example", ""},
      {"DNS:a.example", "A.Example", ""},
      {"DNS:*.chat.example", "a.chat.example", ""},
      {"DNS:a.example,IP:192.0.2.1", "192.0.2.1", ""},
      {"IP:fe80:0:0:0:0:0:0:1", "fe80::1%eth0", ""},
      {"DNS:a.example", "b.example", is_for + "a.example, and not for b.example"},
      {"DNS:*.chat.example", "a.b.chat.example",
       is_for + "*.chat.example, and not for a.b.chat.example"},
      {"DNS:a*.example", "ab.example", is_for + "a*.example, and not for ab.example"},
      {"DNS:192.0.2.1", "192.0.2.1", is_for + "192.0.2.1, and not for 192.0.2.1"},
      {"DNS:a,DNS:b,IP:192.0.2.1,DNS:d,DNS:e", "::1",
       is_for + "a, b, 192.0.2.1, d or others, and not for ::1"},
  };
  for (const Row& row : rows) {
    INFO(row.names << " " << row.host);
    Two two{CredentialFolder{}.with(server(row.names)).load(), row.host};
    two.shake();
    CHECK(two.client->why() == row.why);
    CHECK(two.client->failure() == (row.why.empty() ? Failure::kNone : Failure::kUntrusted));
    CHECK(two.channel.is_established() == row.why.empty());
  }
}

TEST_CASE("client handshake: whoever signed has to be trusted", "[tls][client-handshake]") {
  const auto other = issue({.common_name = "other", .is_authority = true});
  Two two{CredentialFolder{}.with(server("DNS:a")).load(), "a", other.certificate()};
  CHECK(two.shake() == State::kFailed);
  CHECK(two.client->failure() == Failure::kUnknownAuthority);
  CHECK(two.client->why() == "has a certificate of an authority that is not known here");

  const auto itself = issue({.common_name = "a", .alternative_names = "DNS:a"});
  Two alone{CredentialFolder{}.with(itself).load(), "a"};
  CHECK(alone.shake() == State::kFailed);
  CHECK(alone.client->failure() == Failure::kUnknownAuthority);
  CHECK(alone.client->why() ==
        "has a certificate that it signed itself, and that is not known here");
  Two known{CredentialFolder{}.with(itself).load(), "a", itself.certificate()};
  CHECK(known.shake() == State::kEstablished);
}

TEST_CASE("client handshake: a pair to begin with is trusted by itself and signs for nobody",
          "[tls][client-handshake]") {
  const auto made = make_self_signed({"a", "::1"}, test::wall_clock());
  CredentialFolder folder;
  folder.files().certificates.push_back(
      {make_file(folder.folder() / "a.pem", 0644, made.certificate),
       make_file(folder.folder() / "a.key", 0600, std::string{made.key.view()})});
  for (const char* const host : {"a", "::1"}) {
    Two two{folder.load(), host, made.certificate};
    CHECK(two.shake() == State::kEstablished);
  }
  Issued issuer;
  const auto* text = made.certificate.data();
  const std::unique_ptr<BIO, test::Freed<BIO_free>> one{BIO_new_mem_buf(text, -1)};
  issuer.x509.reset(PEM_read_bio_X509(one.get(), nullptr, nullptr, nullptr));
  const std::unique_ptr<BIO, test::Freed<BIO_free>> key{
      BIO_new_mem_buf(made.key.view().data(), static_cast<int>(made.key.view().size()))};
  issuer.key.reset(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  const auto forged = issue({.common_name = "b", .alternative_names = "DNS:b", .issuer = &issuer});
  Two two{CredentialFolder{}.with(forged).load(), "b", made.certificate};
  CHECK(two.shake() == State::kFailed);
  CHECK(!two.channel.is_established());
}

TEST_CASE("client handshake: a certificate has its time", "[tls][client-handshake]") {
  const auto of_time = [](long from, long until) {
    const auto outdated = issue({.common_name = "a",
                                 .alternative_names = "DNS:a",
                                 .issuer = &authority(),
                                 .from = from,
                                 .until = until});
    auto folder = std::make_unique<CredentialFolder>();
    folder->with(outdated);
    auto loaded = Credentials::load(folder->files(), test::wall_clock(), TicketKeys{},
                                    Credentials::Outdated::kAccepted);
    REQUIRE(loaded);
    Two two{*loaded, "a"};
    two.shake();
    CHECK(two.client->failure() == Failure::kUntrusted);
    return two.client->why().substr(0, two.client->why().rfind(' '));
  };
  CHECK(of_time(-7200, -3600) == "has a certificate that expired at");
  CHECK(of_time(3600, 7200) == "has a certificate that is not valid before");
}

TEST_CASE("client handshake: what is no TLS is told", "[tls][client-handshake]") {
  const Folder folder;
  const auto answer = [&](std::string_view bytes) {
    auto begun = ClientHandshake::begin(
        "a", {make_file(folder / "ca.pem", 0644, authority().certificate()), {}});
    REQUIRE(begun);
    std::string sent;
    begun->receive({}, sent);
    begun->receive(bytes, sent);
    return std::pair{begun->failure(), begun->why()};
  };
  const std::pair no_tls{Failure::kNoTls, std::string{"answers, but not in TLS"}};
  CHECK(answer("Welcome!\n") == no_tls);
  CHECK(answer("HTTP/1.1 400 Bad Request\r\n") == no_tls);
  CHECK(answer({"\0", 1}) == no_tls);
  // An alert: protocol_version.
  CHECK(answer({"\x15\x03\x03\0\x02\x02\x46", 7}) ==
        std::pair{Failure::kRefused, std::string{"does not speak TLS 1.3"}});
  // handshake_failure
  const auto refused = answer({"\x15\x03\x03\0\x02\x02\x28", 7});
  CHECK(refused.first == Failure::kRefused);
  CHECK(refused.second.starts_with("did not agree on TLS ("));
}

TEST_CASE("client handshake: a file that cannot be used is named", "[tls][client-handshake]") {
  const Folder folder;
  const auto fault = [](const ClientFiles& files) {
    auto begun = ClientHandshake::begin("a", files);
    REQUIRE(!begun);
    return begun.error().message;
  };
  CHECK(fault({folder / "none", {}}).find("none: No such file or directory") != std::string::npos);
  const auto empty = make_file(folder / "empty", 0644, "");
  CHECK(fault({empty, {}}).find("there is no certificate in it") != std::string::npos);
  const auto pem = make_file(folder / "a.pem", 0644, authority().certificate());
  CHECK(fault({"", {pem, pem}}).find("there is no private key in it") != std::string::npos);
}

TEST_CASE("client handshake: what can be no host is told before anybody is asked",
          "[tls][client-handshake]") {
  for (const std::string& host : {std::string{}, std::string{"%eth0"}, std::string(256, 'a')}) {
    INFO(host);
    auto begun = ClientHandshake::begin(host, {});
    REQUIRE(!begun);
    CHECK(begun.error().message == host + ": it is no host");
  }
  CHECK(ClientHandshake::begin(std::string(255, 'a'), {}));
}

}  // namespace
}  // namespace chatd::tls
