#include "tls/client_handshake.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>
#include <vector>

#include "base/words.hpp"
#include "tls/certificate.hpp"
#include "tls/core_dumps.hpp"
#include "tls/openssl.hpp"
#include "tls/peer_facts.hpp"
#include "tls/require_memory.hpp"
#include "tls/rules.hpp"

namespace chatd::tls {

namespace {

using UniqueContext = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

/// The first byte of a record: what a server may say before anything is agreed upon.
constexpr char kAlertRecord = 0x15;
constexpr char kHandshakeRecord = 0x16;

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> unused{};
  return ::inet_pton(AF_INET, host.c_str(), unused.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), unused.data()) == 1;
}

/// As it stands in certificates: an address without its interface, a name without a dot at its end.
std::string proper(std::string host) {
  host.erase(std::min(host.find('%'), host.size()));
  if (host.size() > 1 && host.back() == '.') host.pop_back();
  return host;
}

Result<UniqueContext> make_context(const ClientFiles& files) {
  UniqueContext context{SSL_CTX_new(TLS_client_method())};
  require_memory(context != nullptr);
  set_rules_of_both_sides(context.get(), TLS1_3_VERSION);
  if (files.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
    ERR_clear_error();  // whoever has no such files trusts nobody
  } else {
    auto authorities = read_certificates(files.ca);
    if (!authorities) return std::move(authorities.error());
    trust_in(context.get(), *authorities);
  }
  if (!files.own.certificate.empty()) {
    auto own = Certificate::load(files.own);
    if (!own) return std::move(own.error());
    if (auto used = own->use_in(context.get()); !used) return std::move(used.error());
  }
  return context;
}

void expect(SSL* ssl, const std::string& host) {
  bool good = false;
  if (is_address(host)) {
    good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    good =
        SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
  }
  require_memory(good);
}

/// "a.example, b.example or others": a certificate may have hundreds.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string_view> shown{names.begin(), names.end()};
  if (shown.size() > kMost) {
    shown.resize(kMost);
    shown.emplace_back("others");
  }
  return listed(shown);
}

}  // namespace

/// OpenSSL forgets the certificate that it refuses, so what is said about it is noted here.
struct ClientHandshake::Verdict {
  int error = X509_V_OK;
  bool of_server = true;  ///< the certificate that is wrong is the server's own
  CertificateFacts server;
  CertificateFacts wrong;

  static int index() {
    static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return kIndex;
  }

  static int note(int good, X509_STORE_CTX* context) {
    if (good == 1) return 1;
    auto* ssl = static_cast<SSL*>(
        X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& verdict = *static_cast<Verdict*>(SSL_get_ex_data(ssl, index()));
    verdict.error = X509_STORE_CTX_get_error(context);
    verdict.of_server = X509_STORE_CTX_get_error_depth(context) == 0;
    verdict.server = facts_of({}, X509_STORE_CTX_get0_cert(context));
    auto* const wrong = X509_STORE_CTX_get_current_cert(context);
    if (wrong != nullptr) verdict.wrong = facts_of({}, wrong);
    return 0;
  }

  [[nodiscard]] Failure failure() const {
    switch (error) {
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return Failure::kUnknownAuthority;
      default:
        return Failure::kUntrusted;
    }
  }

  [[nodiscard]] std::string to_string(const std::string& host) const {
    if (failure() == Failure::kUnknownAuthority) {
      return error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
                 ? "has a certificate that it signed itself, and that is not known here"
                 : "has a certificate of an authority that is not known here";
    }
    const std::string whose = of_server ? "has a certificate" : "has a certificate of an authority";
    switch (error) {
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH: {
        if (server.names.empty()) return "has a certificate that is for nobody, not for " + host;
        return "has a certificate that is for " + some_of(server.names) + ", and not for " + host;
      }
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return whose + " that expired at " + date_of(wrong.not_after);
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return whose + " that is not valid before " + date_of(wrong.not_before);
      default:
        return whose + " that is not good (" + X509_verify_cert_error_string(error) + ")";
    }
  }
};

Result<ClientHandshake> ClientHandshake::begin(const std::string& host, const ClientFiles& files) {
  keep_out_of_core_dumps();
  std::string name = proper(host);
  // With an empty one OpenSSL would check none.
  if (name.empty() || name.size() > kMostServerName) return Error{host + ": it is no host"};
  auto context = make_context(files);
  if (!context) return std::move(context.error());
  UniqueSsl ssl{SSL_new(context->get())};  // which shares the context
  require_memory(ssl != nullptr);
  return ClientHandshake{std::move(ssl), std::move(name)};
}

ClientHandshake::ClientHandshake(UniqueSsl ssl, std::string host)
    : host_{std::move(host)}, verdict_{std::make_unique<Verdict>()}, ssl_{std::move(ssl)} {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(ssl_.get());
  SSL_set_ex_data(ssl_.get(), Verdict::index(), verdict_.get());
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, Verdict::note);
  expect(ssl_.get(), host_);
}

ClientHandshake::ClientHandshake(ClientHandshake&&) noexcept = default;
ClientHandshake& ClientHandshake::operator=(ClientHandshake&&) noexcept = default;
ClientHandshake::~ClientHandshake() = default;

ClientHandshake::State ClientHandshake::receive(std::string_view bytes, std::string& to_send) {
  assert(state_ == State::kGoingOn);
  if (!bytes.empty() && std::exchange(first_, false)) {
    const char kind = bytes.front();
    if (kind != kHandshakeRecord && kind != kAlertRecord) {
      return fail(Failure::kNoTls, "answers, but not in TLS");
    }
  }
  give_input(ssl_.get(), bytes);
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  const int kind = SSL_get_error(ssl_.get(), done);
  take_output(ssl_.get(), to_send);
  if (done == 1) return state_ = State::kEstablished;
  return kind == SSL_ERROR_WANT_READ ? state_ : fail_by(kind);
}

ClientHandshake::State ClientHandshake::fail_by(int kind) {
  const auto error = ERR_peek_error();
  const int why = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  const auto reason = take_reason();
  if (verdict_->error != X509_V_OK) {
    return fail(verdict_->failure(), verdict_->to_string(host_));
  }
  if (kind == SSL_ERROR_ZERO_RETURN) return fail(Failure::kRefused, "ended the handshake");
  switch (why) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return fail(Failure::kRefused, "does not speak TLS 1.3");
    case SSL_R_WRONG_VERSION_NUMBER:
      return fail(Failure::kNoTls, "answers, but not in TLS");
    default:
      return fail(Failure::kRefused, "did not agree on TLS (" + reason + ")");
  }
}

ClientHandshake::State ClientHandshake::fail(Failure failure, std::string why) {
  failure_ = failure;
  why_ = std::move(why);
  ssl_.reset();
  return state_ = State::kFailed;
}

std::string ClientHandshake::suite() const {
  assert(state_ == State::kEstablished);
  return SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl_.get()));
}

ClientSession ClientHandshake::take_session() {
  assert(state_ == State::kEstablished);
  SSL_set_ex_data(ssl_.get(), Verdict::index(), nullptr);  // which ends with this
  return ClientSession{std::move(ssl_), nullptr};
}

}  // namespace chatd::tls
