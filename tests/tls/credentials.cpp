// Certificates and keys from files: what is wrong with them in words, which one is shown to whom,
// and whom they make of a client.
#include "tls/credentials.hpp"

#include <chrono>
#include <string>

#include "support/catch.hpp"
#include "support/certificates.hpp"
#include "support/folder.hpp"
#include "support/tls_client.hpp"
#include "support/tls_pair.hpp"

namespace chatd::tls {
namespace {

using namespace std::chrono_literals;
using test::CredentialFolder;
using test::issue;
using test::Issued;
using test::KeyKind;
using test::make_file;
using test::TlsPair;
using State = Channel::State;

const Issued& server() {
  static const auto kIssued =
      issue({.common_name = "chat.example", .alternative_names = "DNS:chat.example"});
  return kIssued;
}

/// Replaces what is in the first certificate's file, or in its key's.
std::string fault_with(const std::string& certificate, const std::string& key) {
  CredentialFolder folder;
  folder.with(server());
  make_file(folder.files().certificates[0].certificate, 0644, certificate);
  make_file(folder.files().certificates[0].key, 0600, key);
  return folder.fault();
}

// ---- loading ----

TEST_CASE("credentials: what is wrong with a file is said in words", "[tls][credentials]") {
  const auto good = server().certificate();
  const auto key = server().key_text();
  CHECK(fault_with(good, key) == "nothing");
  CHECK(fault_with("", key) == "certificate0.pem: there is no certificate in it (it must be PEM)");
  CHECK(fault_with(key, key) == "certificate0.pem: there is no certificate in it (it must be PEM)");
  CHECK(fault_with(good.substr(0, good.size() / 2), key)
            .starts_with("certificate0.pem: certificate 1 in it is broken ("));
  CHECK(fault_with(good + good.substr(0, good.size() / 2), key)
            .starts_with("certificate0.pem: certificate 2 in it is broken ("));
  CHECK(fault_with(good, "") == "certificate0.key: there is no private key in it (it must be PEM)");
  CHECK(fault_with(good, good) ==
        "certificate0.key: there is no private key in it (it must be PEM)");
  CHECK(fault_with(good, key.substr(0, key.size() / 2))
            .starts_with("certificate0.key: the private key in it is broken ("));
  CHECK(fault_with(good, server().key_text("secret")) ==
        "certificate0.key: the private key is encrypted, and there is nobody to ask for its "
        "password");
  CHECK(fault_with(good, issue({}).key_text()) ==
        "certificate0.key: this key does not belong to the first certificate in certificate0.pem");
  CHECK(fault_with(issue({}).certificate() + good, key) ==
        "certificate0.key: this key does not belong to the first certificate in certificate0.pem");
  CHECK(fault_with(std::string(1024 * 1024 + 1, 'x'), key) ==
        "certificate0.pem: it is longer than 1 MiB");
}

TEST_CASE("credentials: what cannot be read is said with its reason", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server());
  auto& pair = folder.files().certificates[0];
  const auto certificate = pair.certificate;
  pair.certificate = folder.folder() / "missing";
  CHECK(folder.fault() == "missing: No such file or directory");
  pair.certificate = test::make_folder(folder.folder() / "folder", 0700);
  CHECK(folder.fault() == "folder: it is not a file");
  pair.certificate = folder.folder() / "fifo";
  REQUIRE(mkfifo(pair.certificate.c_str(), 0600) == 0);
  CHECK(folder.fault() == "fifo: it is not a file");
  pair.certificate = certificate;
  pair.key = folder.folder() / "gone";
  CHECK(folder.fault() == "gone: No such file or directory");
}

TEST_CASE("credentials: certificate and key may be one file", "[tls][credentials]") {
  CHECK(fault_with(server().key_text() + server().certificate(),
                   server().certificate() + server().key_text()) == "nothing");
}

TEST_CASE("credentials: a key that is too weak is refused", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(issue({.common_name = "weak", .key = KeyKind::kWeakRsa}));
  CHECK(folder.fault() == "certificate0.pem: OpenSSL refuses the certificate (ee key too small)");
}

TEST_CASE("credentials: a certificate is judged by the time that is passed", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server());
  const auto facts = folder.load()->certificates();
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].not_after - facts[0].not_before == 30 * 24h + 1h);
  CHECK(folder.fault(facts[0].not_after) == "nothing");
  const auto late = folder.fault(facts[0].not_after + 1s);
  CHECK(late.starts_with("certificate0.pem: the certificate expired at 20"));
  CHECK(late.ends_with("Z"));
  CHECK(late.size() == std::string{"certificate0.pem: the certificate expired at "}.size() + 20);
  CHECK(folder.fault(facts[0].not_before) == "nothing");
  CHECK(folder.fault(facts[0].not_before - 1s)
            .starts_with("certificate0.pem: the certificate is not valid before 20"));
  CHECK(Credentials::load(folder.files(), facts[0].not_after + 1s, TicketKeys{},
                          Credentials::Outdated::kAccepted));
}

TEST_CASE("credentials: the names of a certificate can be read", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(issue({.common_name = "x",
                     .alternative_names = "DNS:a.example,DNS:*.b.example,"
                                          "IP:192.0.2.1,IP:2001:db8::1,"
                                          "email:c@d.example"}));
  folder.with(issue({.common_name = "z\xc3\xb6lf"}));
  folder.with(issue({}));
  folder.with_authority(issue({.common_name = "authority", .is_authority = true}).certificate());
  const auto loaded = folder.load();
  const auto facts = loaded->certificates();
  using Names = std::vector<std::string>;
  REQUIRE(facts.size() == 3);
  CHECK(facts[0].names == Names{"a.example", "*.b.example", "192.0.2.1", "2001:db8::1"});
  CHECK(facts[1].names == Names{"z\xc3\xb6lf"});
  CHECK(facts[2].names.empty());
  CHECK(facts[2].file == folder.files().certificates[2].certificate);
  REQUIRE(loaded->authorities().size() == 1);
  CHECK(loaded->authorities()[0].names == Names{"authority"});
}

TEST_CASE("credentials: a key that everybody may read is noticed", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server());
  CHECK(!folder.load()->certificates()[0].key_is_public);
  REQUIRE(chmod(folder.files().certificates[0].key.c_str(), 0644) == 0);
  CHECK(folder.load()->certificates()[0].key_is_public);
}

TEST_CASE("credentials: a list of authorities is checked too", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server()).with_authority("");
  CHECK(folder.fault() == "ca.pem: there is no certificate in it (it must be PEM)");
}

TEST_CASE("credentials: a handshake that has begun keeps its own", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server());
  auto credentials = folder.load();
  const std::weak_ptr<const Credentials> watched = credentials;
  {
    TlsPair pair{std::move(credentials)};
    CHECK(!watched.expired());
    pair.talk();
    CHECK(pair.client.server() == "chat.example");
    CHECK(watched.expired());  // the session of TLS 1.3 needs it no more
    CHECK(pair.said("hello") == "hello");
  }
}

// ---- which certificate ----

TEST_CASE("credentials: by the name that is asked for", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(server());
  folder.with(issue({.common_name = "wild", .alternative_names = "DNS:*.example.org"}));
  folder.with(issue({.common_name = "exact", .alternative_names = "DNS:a.example.org"}));
  folder.with(issue({.common_name = "too late", .alternative_names = "DNS:a.example.org"}));
  folder.with(issue({.common_name = "by-name.example"}));
  const auto credentials = folder.load();
  const auto shown_to = [&](const std::string& name) {
    TlsPair pair{credentials, {.server_name = name}};
    pair.talk();
    CHECK(pair.channel.is_established());
    return pair.client.server();
  };
  CHECK(shown_to("") == "chat.example");
  CHECK(shown_to("chat.example") == "chat.example");
  CHECK(shown_to("a.example.org") == "exact");
  CHECK(shown_to("A.Example.Org") == "exact");
  CHECK(shown_to("b.example.org") == "wild");
  CHECK(shown_to("b.c.example.org") == "chat.example");
  CHECK(shown_to("example.org") == "chat.example");
  CHECK(shown_to("by-name.example") == "by-name.example");
  CHECK(shown_to("elsewhere.example") == "chat.example");
}

TEST_CASE("credentials: by the kind of key that a client understands", "[tls][credentials]") {
  CredentialFolder folder;
  folder.with(issue({.common_name = "ec", .alternative_names = "DNS:chat.example"}));
  folder.with(
      issue({.common_name = "rsa", .alternative_names = "DNS:chat.example", .key = KeyKind::kRsa}));
  folder.with(issue(
      {.common_name = "ed", .alternative_names = "DNS:other.example", .key = KeyKind::kEd25519}));
  const auto credentials = folder.load();
  const auto shown_to = [&](const char* signatures, const std::string& name) {
    TlsPair pair{credentials, {.signatures = signatures, .server_name = name}};
    pair.talk();
    return pair.client.server();
  };
  for (const auto* name : {"", "chat.example", "unknown.example"}) {
    CHECK(shown_to("ECDSA+SHA256:rsa_pss_rsae_sha256", name) == "ec");
    CHECK(shown_to("rsa_pss_rsae_sha256", name) == "rsa");
    CHECK(shown_to("ed25519", name).empty());
  }
  CHECK(shown_to("ed25519", "other.example") == "ed");
}

TEST_CASE("credentials: the chain is shown", "[tls][credentials]") {
  const auto root = issue({.common_name = "root", .is_authority = true});
  const auto between = issue({.common_name = "between", .issuer = &root, .is_authority = true});
  const auto leaf =
      issue({.common_name = "leaf", .alternative_names = "DNS:leaf.example", .issuer = &between});
  CredentialFolder folder;
  folder.with(leaf, between.certificate());
  folder.with(server());
  for (const auto* name : {"", "leaf.example"}) {
    TlsPair pair{folder.load(), {.server_name = name}};
    pair.talk();
    auto* chain = SSL_get_peer_cert_chain(pair.client.ssl());
    REQUIRE(sk_X509_num(chain) == 2);
    CHECK(X509_cmp(sk_X509_value(chain, 1), between.x509.get()) == 0);
  }
}

// ---- clients ----

/// An authority, and what a channel makes of a client with that certificate.
struct Clients {
  Issued authority = issue({.common_name = "authority", .is_authority = true});
  std::shared_ptr<const Credentials> credentials =
      CredentialFolder{}.with(server()).with_authority(authority.certificate()).with_tls12().load();

  [[nodiscard]] std::string name_of(const Issued& certificate, int version = TLS1_3_VERSION) const {
    TlsPair pair{credentials, {.highest = version, .certificate = &certificate}};
    pair.talk();
    if (!pair.channel.is_established()) return pair.channel.failure();
    CHECK(pair.said("hello") == "hello");
    CHECK(pair.heard("hi") == "hi");
    return pair.channel.peer().client_name;
  }
};

TEST_CASE("client certificates: a good one has a name", "[tls][credentials]") {
  const Clients clients;
  const auto* issuer = &clients.authority;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CHECK(clients.name_of(issue({.common_name = "Ann", .issuer = issuer}), version) == "Ann");
  }
  CHECK(clients.name_of(issue({.common_name = "x",
                               .alternative_names = "URI:urn:x,email:ann@a.example,DNS:b.example",
                               .issuer = issuer})) == "ann@a.example");
  CHECK(clients.name_of(issue({.common_name = "x",
                               .alternative_names = "DNS:b.example",
                               .issuer = issuer,
                               .usage = "clientAuth"})) == "b.example");
  CHECK(clients.name_of(issue({.common_name = "Zo\xc3\xab", .issuer = issuer})) == "Zo\xc3\xab");
  CHECK(clients.name_of(issue({.common_name = "x", .issuer = issuer, .key = KeyKind::kRsa})) ==
        "x");
}

TEST_CASE("client certificates: a name that could deceive is none", "[tls][credentials]") {
  const Clients clients;
  const auto* issuer = &clients.authority;
  const auto name_of = [&](const std::string& common, const std::string& alternative = {}) {
    return clients.name_of(
        issue({.common_name = common, .alternative_names = alternative, .issuer = issuer}));
  };
  CHECK(name_of("").empty());
  CHECK(name_of("a\nb").empty());
  CHECK(name_of("a\xe2\x80\x8b"
                "b")
            .empty());
  CHECK(name_of(" a").empty());
  CHECK(name_of(std::string(64, 'a')) == std::string(64, 'a'));
  const auto label = std::string(60, 'a') + '.';
  CHECK(name_of("short", "DNS:" + label + label + label + "example") == "short");
}

TEST_CASE("client certificates: their authority is no part of our chain", "[tls][credentials]") {
  const auto authority = issue({.common_name = "authority", .is_authority = true});
  const auto leaf = issue({.common_name = "leaf", .issuer = &authority});
  CredentialFolder folder;
  folder.with(leaf).with_authority(authority.certificate());
  TlsPair pair{folder.load()};
  pair.talk();
  REQUIRE(pair.channel.is_established());
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(pair.client.ssl())) == 1);
}

TEST_CASE("client certificates: none is asked for nothing", "[tls][credentials]") {
  const Clients clients;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPair pair{clients.credentials, {.highest = version}};
    pair.talk();
    REQUIRE(pair.channel.is_established());
    CHECK(pair.channel.peer().client_name.empty());
    CHECK(pair.said("hello") == "hello");
  }
  // Where there is no authority nobody is asked, so a certificate names nobody.
  const auto certificate = issue({.common_name = "Ann"});
  TlsPair pair{CredentialFolder{}.with(server()).load(), {.certificate = &certificate}};
  pair.talk();
  REQUIRE(pair.channel.is_established());
  CHECK(pair.channel.peer().client_name.empty());
}

TEST_CASE("client certificates: a bad one ends the handshake", "[tls][credentials]") {
  const Clients clients;
  const auto* issuer = &clients.authority;
  const auto refused = [&](const Issued& certificate, const std::string& why) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const auto failure = clients.name_of(certificate, version);
      CHECK(failure.starts_with("the TLS handshake failed: the client's certificate is refused: "));
      CHECK(failure.find(why) != std::string::npos);
    }
  };
  const auto other = issue({.common_name = "authority", .is_authority = true});
  refused(issue({.common_name = "Ann", .issuer = &other}), "");
  refused(issue({.common_name = "Ann"}), "self");
  refused(issue({.common_name = "Ann", .issuer = issuer, .from = -7200, .until = -3600}),
          "expired");
  refused(issue({.common_name = "Ann", .issuer = issuer, .from = 3600}), "not yet valid");
  refused(issue({.common_name = "Ann", .issuer = issuer, .usage = "serverAuth"}), "purpose");
  const auto leaf = issue({.common_name = "leaf", .issuer = issuer});
  refused(issue({.common_name = "Ann", .issuer = &leaf}), "");
}

TEST_CASE("client certificates: what is in the file is trusted, whoever signed it",
          "[tls][credentials]") {
  const auto root = issue({.common_name = "root", .is_authority = true});
  const auto between = issue({.common_name = "between", .issuer = &root, .is_authority = true});
  const auto alone = issue({.common_name = "alone"});
  CredentialFolder folder;
  folder.with(server()).with_authority(between.certificate() + alone.certificate());
  Clients clients;
  clients.credentials = folder.load();
  CHECK(clients.name_of(issue({.common_name = "Ann", .issuer = &between})) == "Ann");
  CHECK(clients.name_of(alone) == "alone");
  CHECK(clients.name_of(issue({.common_name = "Ann", .issuer = &root})).find("refused") !=
        std::string::npos);
}

TEST_CASE("client certificates: a ticket keeps the name, but not for another authority",
          "[tls][credentials]") {
  const TicketKeys tickets;
  const auto authority = issue({.common_name = "authority", .is_authority = true});
  const auto other = issue({.common_name = "other", .is_authority = true});
  const auto ann = issue({.common_name = "Ann", .issuer = &authority});
  CredentialFolder folder;
  folder.with(server()).with_authority(authority.certificate());
  TlsPair first{folder.load(tickets), {.certificate = &ann}};
  first.talk();
  first.talk(first.client.close());
  TlsPair second{folder.load(tickets), {.session = first.client.session()}};
  second.talk();
  REQUIRE(second.channel.is_established());
  CHECK(second.channel.peer().resumed);
  CHECK(second.channel.peer().client_name == "Ann");
  second.talk(second.client.close());
  folder.with_authority(other.certificate());
  TlsPair third{folder.load(tickets), {.session = first.client.session()}};
  third.talk();
  REQUIRE(third.channel.is_established());
  CHECK(!third.channel.peer().resumed);
  CHECK(third.channel.peer().client_name.empty());
}

}  // namespace
}  // namespace chatd::tls
