// A pair to begin with.
#include "tls/self_signed.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/tls_pair.hpp"
#include "tls/certificate.hpp"

namespace chatd::tls {
namespace {

using namespace std::chrono_literals;
using test::Folder;
using test::make_file;

TEST_CASE("self-signed: what is a host and what is not", "[tls][self-signed]") {
  const std::string long_label(64, 'a');
  for (const char* const host :
       {"localhost", "chat.example.org", "a", "a_b.example", "192.0.2.1", "::1", "2001:db8::7",
        "xn--bcher-kva.example", "7.example", "CHAT.example"}) {
    INFO(host);
    CHECK(fault_of_host(host).empty());
  }
  for (const std::string& host :
       {std::string{}, std::string{"."}, std::string{"a..b"}, std::string{"a."}, std::string{".a"},
        std::string{"-a"}, std::string{"a-"}, std::string{"a b"}, std::string{"a/b"},
        std::string{"a:80"}, std::string{"[::1]"}, std::string{"fe80::1%eth0"}, std::string{"*.a"},
        std::string{"b\xc3\xbc"}, std::string{"300.1.1.1"}, std::string{"1.2.3"}, long_label,
        std::string{"a\0b", 3}, std::string(260, 'a')}) {
    INFO(host);
    CHECK(!fault_of_host(host).empty());
  }
}

TEST_CASE("self-signed: the pair fits, and is good for its hosts and 825 days",
          "[tls][self-signed]") {
  const auto now = test::wall_clock();
  const auto made = make_self_signed({"chat.example", "192.0.2.1", "::1"}, now);
  const Folder folder;
  const auto file =
      make_file(folder / "both.pem", 0600, made.certificate + std::string{made.key.view()});
  auto loaded = Certificate::load({file, file});
  REQUIRE(loaded);
  const auto& facts = loaded->facts();
  CHECK(facts.names == std::vector<std::string>{"chat.example", "192.0.2.1", "::1"});
  CHECK(loaded->check_validity(now));
  CHECK(loaded->check_validity(now - 30min));
  CHECK(loaded->check_validity(now + 24h * 824));
  CHECK(!loaded->check_validity(now + 24h * 825));
  CHECK(facts.not_after - facts.not_before < 24h * 825);
  CHECK(std::chrono::floor<std::chrono::seconds>(made.not_after) == facts.not_after);
  CHECK(loaded->fit("chat.example") == Certificate::Fit::kExact);
  CHECK(loaded->fit("example") == Certificate::Fit::kNone);
  CHECK(X509_check_ca(loaded->x509()) == 0);
  CHECK(made.fingerprint.size() == 32 * 3 - 1);
}

TEST_CASE("self-signed: no two have a key, a number or a fingerprint in common",
          "[tls][self-signed]") {
  const auto now = test::wall_clock();
  const auto one = make_self_signed({"a"}, now);
  const auto other = make_self_signed({"a"}, now);
  CHECK(one.key.view() != other.key.view());
  CHECK(one.certificate != other.certificate);
  CHECK(one.fingerprint != other.fingerprint);
}

TEST_CASE("self-signed: a name that is too long for a common name is one all the same",
          "[tls][self-signed]") {
  const std::string host = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
  const auto made = make_self_signed({host}, test::wall_clock());
  const Folder folder;
  auto read = read_certificates(make_file(folder / "one.pem", 0644, made.certificate));
  REQUIRE(read);
  CHECK(facts_of("", read->front().get()).names == std::vector{host});
  CHECK(common_name(read->front().get()) == "chatd");
}

}  // namespace
}  // namespace chatd::tls
