/// The certificates of the listeners: which are loaded, which is shown to whom, what a reload does,
/// and who is warned of what.
#include "clients/certificates.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "support/catch.hpp"
#include "support/tls_pair.hpp"

namespace chatd::test {
namespace {

using namespace std::chrono_literals;
using Outdated = tls::Credentials::Outdated;
using Texts = std::vector<std::string>;

constexpr long kDay = 24L * 3600;

/// Pairs of files, and listeners that have them.
class Files {
 public:
  Listener::Tls::Pair make(const std::string& name, const std::string& names = {},
                           long until = 30 * kDay) {
    const auto issued = issue({.common_name = name, .alternative_names = names, .until = until});
    return {make_file(folder_ / (name + ".pem"), 0644, issued.certificate()),
            make_file(folder_ / (name + ".key"), 0600, issued.key_text())};
  }
  static Listener listener(std::vector<Listener::Tls::Pair> pairs) {
    Listener made;
    made.tls.pairs = std::move(pairs);
    return made;
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return folder_ / name; }

 private:
  Folder folder_;
};

Certificates loaded(const std::vector<Listener>& listeners) {
  Certificates certificates;
  auto all = certificates.load(listeners, wall_clock(), Outdated::kRefused);
  REQUIRE(all);
  certificates.use(std::move(*all));
  return certificates;
}

/// The common name of the certificate that a client gets who asks for that name.
std::string shown(const Certificates& certificates, const Listener& listener,
                  const std::string& name) {
  TlsClient::Options options;
  options.server_name = name;
  TlsPair pair{certificates.of(listener), options};
  pair.talk();
  REQUIRE(pair.client.is_established());
  return pair.client.server();
}

TEST_CASE("certificates: each listener shows its own, by the name that is asked for",
          "[clients][certificates]") {
  Files files;
  const auto first = files.make("first", "DNS:chat.example");
  const auto second = files.make("second", "DNS:help.example");
  const auto wildcard = files.make("wildcard", "DNS:*.help.example");
  const auto many = Files::listener({first, second, wildcard});
  const auto one = Files::listener({second});
  const auto certificates = loaded({many, one, Listener{}});
  CHECK(shown(certificates, many, "chat.example") == "first");
  CHECK(shown(certificates, many, "help.example") == "second");
  CHECK(shown(certificates, many, "a.help.example") == "wildcard");
  CHECK(shown(certificates, many, "a.b.help.example") == "first");
  CHECK(shown(certificates, many, "other.example") == "first");
  CHECK(shown(certificates, many, "") == "first");
  CHECK(shown(certificates, one, "chat.example") == "second");
  CHECK(certificates.of(Listener{}) == nullptr);
}

TEST_CASE("certificates: listeners with the same files share them", "[clients][certificates]") {
  Files files;
  const auto pair = files.make("shared");
  auto first = Files::listener({pair});
  auto second = Files::listener({pair});
  second.endpoint.port = 8443;
  auto required = Files::listener({pair});
  required.tls.required = true;
  Certificates certificates;
  auto all = certificates.load({first, second, required}, wall_clock(), Outdated::kRefused);
  REQUIRE(all);
  CHECK(all->size() == 2);
  certificates.use(std::move(*all));
  CHECK(certificates.of(first) == certificates.of(second));
  CHECK(certificates.of(required) != nullptr);
}

TEST_CASE("certificates: a reload takes renewed files, and a bad pair changes nothing",
          "[clients][certificates]") {
  Files files;
  const auto pair = files.make("renewed", "DNS:before.example");
  const auto listener = Files::listener({pair});
  auto certificates = loaded({listener});
  const auto before = certificates.of(listener);

  files.make("renewed", "DNS:after.example");
  CHECK(before->certificates().front().names == Texts{"before.example"});  // read once
  auto renewed = certificates.load({listener}, wall_clock(), Outdated::kRefused);
  REQUIRE(renewed);
  CHECK(certificates.of(listener) == before);  // until it is used
  certificates.use(std::move(*renewed));
  const auto after = certificates.of(listener);
  CHECK(after->certificates().front().names == Texts{"after.example"});

  make_file(pair.key, 0600, issue({}).key_text());
  auto refused = certificates.load({listener}, wall_clock(), Outdated::kRefused);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with(pair.key));
  CHECK(certificates.of(listener) == after);
}

TEST_CASE("certificates: one that has expired is a fault of a new configuration, not of a start",
          "[clients][certificates]") {
  Files files;
  const auto listener = Files::listener({files.make("old")});
  const Certificates certificates;
  const auto late = wall_clock() + 31 * 24h;
  CHECK_FALSE(certificates.load({listener}, late, Outdated::kRefused));
  CHECK(certificates.load({listener}, late, Outdated::kAccepted));
}

TEST_CASE("certificates: who has to renew one hears of it 14 days before",
          "[clients][certificates]") {
  Files files;
  const auto pair = files.make("soon");
  auto listener = Files::listener({pair});
  const auto certificates = loaded({listener, listener});
  const auto end = certificates.of(listener)->certificates().front().not_after;
  std::string date;
  append_rfc3339(date, end);
  date = date.substr(0, 10);
  CHECK(certificates.warnings(end - Certificates::kWarning - 1ms).empty());
  CHECK(certificates.warnings(end - Certificates::kWarning) ==
        Texts{pair.certificate + " expires on " + date});
  CHECK(certificates.warnings(end - 1ms) == Texts{pair.certificate + " expires on " + date});
  CHECK(certificates.warnings(end) == Texts{pair.certificate + " has expired on " + date});
}

TEST_CASE("certificates: what is warned of is said once, of each authority too",
          "[clients][certificates]") {
  Files files;
  const auto pair = files.make("server");
  REQUIRE(chmod(pair.key.c_str(), 0644) == 0);
  const auto authority =
      issue({.common_name = "authority", .is_authority = true, .until = 3 * kDay});
  const auto second = issue({.common_name = "second", .is_authority = true, .until = 5 * kDay});
  auto listener = Files::listener({pair});
  auto other = Files::listener({pair});
  listener.tls.client_ca = other.tls.client_ca =
      make_file(files / "ca.pem", 0644, authority.certificate() + second.certificate());
  other.tls.required = true;
  const auto warnings = loaded({listener, other}).warnings(wall_clock());
  REQUIRE(warnings.size() == 3);
  CHECK(warnings[0] == "anybody may read the key of " + pair.certificate);
  CHECK(warnings[1].starts_with(listener.tls.client_ca + " expires on 20"));
  CHECK(warnings[2].starts_with(listener.tls.client_ca + " expires on 20"));
}

TEST_CASE("certificates: a ticket is good after a reload, and in the next process, for a day",
          "[clients][certificates]") {
  Files files;
  const auto listener = Files::listener({files.make("tickets")});
  auto certificates = loaded({listener});
  certificates.renew_tickets(wall_clock());
  TlsPair first{certificates.of(listener)};
  first.talk();
  (void)first.heard("hello");  // behind the tickets
  REQUIRE(first.client.session() != nullptr);
  const auto is_resumed = [&](const Certificates& by) {
    TlsClient::Options options;
    options.session = first.client.session();
    TlsPair pair{by.of(listener), options};
    pair.talk();
    REQUIRE(pair.client.is_established());
    return pair.channel.peer().resumed;
  };
  auto renewed = certificates.load({listener}, wall_clock(), Outdated::kRefused);
  REQUIRE(renewed);
  certificates.use(std::move(*renewed));
  CHECK(is_resumed(certificates));

  ByteWriter out;
  certificates.save(out);
  Certificates next;
  ByteReader in{out.bytes()};
  next.restore(in);
  REQUIRE(in.finished());
  auto again = next.load({listener}, wall_clock(), Outdated::kRefused);
  REQUIRE(again);
  next.use(std::move(*again));
  CHECK(is_resumed(next));
  next.renew_tickets(wall_clock() + 23h);
  CHECK(is_resumed(next));
  next.renew_tickets(wall_clock() + 25h);
  CHECK_FALSE(is_resumed(next));
  CHECK_FALSE(is_resumed(loaded({listener})));
}

}  // namespace
}  // namespace chatd::test
