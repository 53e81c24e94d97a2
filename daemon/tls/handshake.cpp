#include "tls/handshake.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "tls/certificate.hpp"
#include "tls/openssl.hpp"
#include "tls/require_memory.hpp"
#include "tls/secrets.hpp"

namespace chatd::tls {

namespace {

/// The name in lower case, or nothing if it is none of a host.
std::string host_name(const char* name) {
  std::string host{name == nullptr ? "" : name};
  if (host.size() > kMostServerName) return {};
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!good) return {};
  }
  return host;
}

bool chose_http(const SSL* ssl) {
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &chosen, &size);
  return size > 0;  // nothing else is ever chosen
}

PeerFacts facts_of(const SSL* ssl, const Credentials& credentials) {
  PeerFacts facts;
  facts.version = SSL_version(ssl) == TLS1_3_VERSION ? Version::kTls13 : Version::kTls12;
  facts.cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
  facts.server_name = host_name(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
  facts.speaks_http = chose_http(ssl);
  facts.resumed = SSL_session_reused(ssl) == 1;
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (credentials.asks_for_client_certificate() && certificate != nullptr &&
      SSL_get_verify_result(ssl) == X509_V_OK) {
    facts.client_name = client_name_of(certificate);
  }
  return facts;
}

/// How many records of that kind of which the bytes consist are encrypted.
std::uint64_t encrypted_records(std::string_view bytes) {
  std::uint64_t count = 0;
  while (bytes.size() >= kRecordHeader) {
    if (bytes[0] == '\x17') ++count;
    const auto high = static_cast<unsigned char>(bytes[3]);
    const auto low = static_cast<unsigned char>(bytes[4]);
    const auto size = kRecordHeader + (static_cast<std::size_t>(high) << 8U | low);
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return count;
}

std::string take_all(BIO* from) {
  std::string all(BIO_ctrl_pending(from), '\0');
  if (!all.empty()) BIO_read(from, all.data(), static_cast<int>(all.size()));
  return all;
}

std::string why_it_failed(const SSL* ssl, int kind) {
  auto reason = take_reason();
  if (kind == SSL_ERROR_ZERO_RETURN) return "the client gave it up";
  const auto verified = SSL_get_verify_result(ssl);
  if (verified == X509_V_OK) return reason;
  return std::string{"the client's certificate is refused: "} +
         X509_verify_cert_error_string(verified);
}

}  // namespace

Handshake::Handshake(std::shared_ptr<const Credentials> credentials)
    : credentials_{std::move(credentials)},
      secrets_{std::make_unique<Secrets>()},
      ssl_{SSL_new(credentials_->context())} {
  require_memory(ssl_ != nullptr);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_.get());
  secrets_->collect_for(ssl_.get());
}

Handshake::Handshake(Handshake&&) noexcept = default;
Handshake& Handshake::operator=(Handshake&&) noexcept = default;
Handshake::~Handshake() = default;

Handshake::State Handshake::receive(std::string_view bytes, std::string& to_send) {
  assert(state_ == State::kGoingOn);
  const auto fit = bytes.substr(0, kMostHandshakeBytes - taken_);
  taken_ += fit.size();
  give_input(ssl_.get(), fit);
  const auto begin = to_send.size();
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  const int why = SSL_get_error(ssl_.get(), done);
  take_output(ssl_.get(), to_send);
  if (done == 1) {
    return establish(bytes.substr(fit.size()), std::string_view{to_send}.substr(begin));
  }
  if (why != SSL_ERROR_WANT_READ) return fail(why_it_failed(ssl_.get(), why));
  if (fit.size() < bytes.size()) return fail("it is longer than 64 KiB");
  return state_;
}

/// `beyond` was more than a handshake may be, so OpenSSL has not got it.
Handshake::State Handshake::establish(std::string_view beyond, std::string_view sent_last) {
  state_ = State::kEstablished;
  facts_ = facts_of(ssl_.get(), *credentials_);
  Secrets::stop_collecting(ssl_.get());
  if (facts_.version == Version::kTls13) {
    // What OpenSSL writes once it has the client's last message are the tickets, the first
    // records under the session's key.
    records_sent_ = encrypted_records(sent_last);
    rest_ = take_all(SSL_get_rbio(ssl_.get()));
  }
  rest_ += beyond;
  return state_;
}

Handshake::State Handshake::fail(std::string why) {
  failure_ = std::move(why);
  ssl_.reset();
  secrets_.reset();
  state_ = State::kFailed;
  return state_;
}

RecordLayer Handshake::take_record_layer() {
  assert(state_ == State::kEstablished && facts_.version == Version::kTls13);
  const auto suite =
      suite_of_number(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl_.get())));
  assert(suite);
  RecordLayer layer{*suite, {secrets_->client(), 0}, {secrets_->server(), records_sent_}};
  ssl_.reset();
  secrets_.reset();
  return layer;
}

Tls12 Handshake::take_tls12() {
  assert(state_ == State::kEstablished && facts_.version == Version::kTls12);
  secrets_.reset();
  return {std::move(ssl_), credentials_};
}

std::size_t Handshake::memory() const {
  return ssl_ ? kOpenSslBytes + taken_ : 0;
}

}  // namespace chatd::tls
