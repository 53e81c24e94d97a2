#include "tls/credentials.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include "tls/certificate.hpp"
#include "tls/openssl.hpp"
#include "tls/require_memory.hpp"
#include "tls/rules.hpp"
#include "tls/secrets.hpp"
#include "tls/ticket_keys.hpp"

namespace chatd::tls {

namespace {

constexpr const char* kSuitesOf12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// RFC 8446, 4.6.1, allows a week.
constexpr long kTicketSeconds = 2 * 60 * 60;

int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int size, void* /*nobody*/) {
  constexpr std::string_view kHttp = "http/1.1";
  std::string_view rest{reinterpret_cast<const char*>(offered), size};
  while (!rest.empty()) {
    const auto length = static_cast<unsigned char>(rest.front());
    const auto one = rest.substr(1, length);
    if (one == kHttp) {
      *chosen = reinterpret_cast<const unsigned char*>(one.data());
      *chosen_size = length;
      return SSL_TLSEXT_ERR_OK;
    }
    rest.remove_prefix(1 + one.size());
  }
  return SSL_TLSEXT_ERR_NOACK;
}

/// What does not depend on any file.
void set_rules(SSL_CTX* context, Version minimum) {
  set_rules_of_both_sides(context, minimum == Version::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  bool good = SSL_CTX_set_cipher_list(context, kSuitesOf12) == 1;
  good = good && SSL_CTX_set_num_tickets(context, 1) == 1;
  good = good && SSL_CTX_set_max_early_data(context, 0) == 1;
  require_memory(good);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_timeout(context, kTicketSeconds);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_keylog_callback(context, Secrets::on_line);
}

/// A ticket is good only where the same authorities decide who a client is.
void bind_tickets(SSL_CTX* context, const std::vector<UniqueX509>& authorities) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>> all{EVP_MD_CTX_new()};
  bool good = EVP_DigestInit_ex2(all.get(), EVP_sha256(), nullptr) == 1;
  for (const auto& authority : authorities) {
    good = good && X509_digest(authority.get(), EVP_sha256(), digest.data(), &size) == 1;
    good = good && EVP_DigestUpdate(all.get(), digest.data(), size) == 1;
  }
  good = good && EVP_DigestFinal_ex(all.get(), digest.data(), &size) == 1;
  good = good && SSL_CTX_set_session_id_context(context, digest.data(), size) == 1;
  require_memory(good);
}

}  // namespace

void Credentials::FreeContext::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Credentials::Credentials(OnlyLoad /*only*/) : context_{SSL_CTX_new(TLS_server_method())} {
  require_memory(context_ != nullptr);
}

Credentials::~Credentials() = default;

Result<std::shared_ptr<const Credentials>> Credentials::load(const CredentialFiles& files,
                                                             WallTime now,
                                                             const TicketKeys& tickets,
                                                             Outdated outdated) {
  assert(!files.certificates.empty());
  const auto made = std::make_shared<Credentials>(OnlyLoad{});
  for (const auto& pair : files.certificates) {
    auto certificate = Certificate::load(pair);
    if (!certificate) return std::move(certificate.error());
    auto valid = certificate->check_validity(now);
    if (!valid && outdated == Outdated::kRefused) return std::move(valid.error());
    made->certificates_.push_back(std::move(*certificate));
  }
  set_rules(made->context(), files.minimum);
  made->use(tickets);
  if (auto used = made->use_certificates(); !used) return std::move(used.error());
  if (auto trusted = made->trust(files.client_ca); !trusted) return std::move(trusted.error());
  return std::shared_ptr<const Credentials>{made};
}

void Credentials::use(const TicketKeys& tickets) const {
  TicketKeys::Bytes keys;  // OpenSSL takes no const ones
  keys.assign(tickets.bytes().view());
  require_memory(
      SSL_CTX_set_tlsext_ticket_keys(context(), keys.data(), static_cast<int>(keys.size())) == 1);
}

std::vector<CertificateFacts> Credentials::certificates() const {
  std::vector<CertificateFacts> all;
  for (const auto& certificate : certificates_) all.push_back(certificate.facts());
  return all;
}

/// Gives each to OpenSSL, which refuses some. The last that it gets of a kind of key is the first
/// of the files.
Result<> Credentials::use_certificates() {
  for (auto each = certificates_.rbegin(); each != certificates_.rend(); ++each) {
    if (auto used = each->use_in(context()); !used) return std::move(used.error());
  }
  if (certificates_.size() > 1) SSL_CTX_set_cert_cb(context(), choose, this);
  return {};
}

Result<> Credentials::trust(const std::string& client_ca) {
  std::vector<UniqueX509> authorities;
  if (!client_ca.empty()) {
    auto read = read_certificates(client_ca);
    if (!read) return std::move(read.error());
    authorities = std::move(*read);
  }
  bind_tickets(context(), authorities);
  if (authorities.empty()) return {};
  trust_in(context(), authorities);
  for (const auto& authority : authorities) {
    SSL_CTX_add_client_CA(context(), authority.get());
    authorities_.push_back(facts_of(client_ca, authority.get()));
  }
  SSL_CTX_set_verify(context(), SSL_VERIFY_PEER, nullptr);
  return {};
}

/// Those that have that name themselves, or else those that have it by a wildcard.
std::vector<const Certificate*> Credentials::named(const std::string& name) const {
  std::vector<const Certificate*> exact;
  std::vector<const Certificate*> by_wildcard;
  for (const auto& certificate : certificates_) {
    const auto fit = certificate.fit(name);
    if (fit == Certificate::Fit::kExact) exact.push_back(&certificate);
    if (fit == Certificate::Fit::kWildcard) by_wildcard.push_back(&certificate);
  }
  return exact.empty() ? by_wildcard : exact;
}

/// The certificates to show to who asks for that name, "" for none: where there is none of it, the
/// first one, and others that have the same name and may have another kind of key.
std::vector<const Certificate*> Credentials::to_show(const std::string& name) const {
  if (!name.empty()) {
    if (auto found = named(name); !found.empty()) return found;
  }
  const auto* first = &certificates_.front();
  if (const auto& names = first->facts().names; !names.empty()) {
    auto found = named(names.front());
    if (std::find(found.begin(), found.end(), first) != found.end()) return found;
  }
  return {first};
}

/// Called by OpenSSL in each handshake, when there are several certificates.
int Credentials::choose(SSL* ssl, void* self) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const auto found =
      static_cast<const Credentials*>(self)->to_show(name == nullptr ? std::string{} : name);
  SSL_certs_clear(ssl);
  for (auto each = found.rbegin(); each != found.rend(); ++each) {
    const auto& one = **each;
    if (SSL_use_cert_and_key(ssl, one.x509(), one.key(), one.chain(), 1) != 1) return 0;
  }
  return 1;
}

}  // namespace chatd::tls
