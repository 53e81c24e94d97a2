/// A client of TLS: OpenSSL's, on memory.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "support/certificates.hpp"

namespace chatd::test {

class TlsClient {
 public:
  struct Options {
    int lowest = TLS1_2_VERSION;
    int highest = TLS1_3_VERSION;
    const char* suites = nullptr;      ///< of TLS 1.3, as SSL_CTX_set_ciphersuites() takes them
    const char* ciphers = nullptr;     ///< of TLS 1.2
    const char* signatures = nullptr;  ///< "ECDSA+SHA256"
    std::string server_name = {};
    std::string protocols = {};  ///< ALPN, each behind its length
    const Issued* certificate = nullptr;
    SSL_SESSION* session = nullptr;  ///< to be resumed
  };

  explicit TlsClient(const Options& options)
      : context_{SSL_CTX_new(TLS_client_method())}, ssl_{nullptr} {
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_min_proto_version(context, options.lowest);
    SSL_CTX_set_max_proto_version(context, options.highest);
    if (options.suites != nullptr) SSL_CTX_set_ciphersuites(context, options.suites);
    if (options.ciphers != nullptr) SSL_CTX_set_cipher_list(context, options.ciphers);
    if (options.signatures != nullptr) SSL_CTX_set1_sigalgs_list(context, options.signatures);
    if (options.certificate != nullptr) {
      SSL_CTX_use_certificate(context, options.certificate->x509.get());
      SSL_CTX_use_PrivateKey(context, options.certificate->key.get());
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context, on_session);
    ssl_.reset(SSL_new(context));
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
    if (!options.server_name.empty()) {
      SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
    }
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    }
    if (options.session != nullptr) {
      // A copy, because OpenSSL uses one of TLS 1.3 only once.
      const std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>> copy{
          SSL_SESSION_dup(options.session)};
      SSL_set_session(ssl_.get(), copy.get());
    }
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() = default;

  /// Takes what came from the server: its handshake goes on, then what it says is read. Returns
  /// what the client has to send.
  std::string receive(std::string_view bytes) {
    if (!bytes.empty()) {
      BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
    ERR_clear_error();
    if (!SSL_is_init_finished(ssl_.get())) {
      const int done = SSL_do_handshake(ssl_.get());
      note(done);
    }
    while (SSL_is_init_finished(ssl_.get())) {
      char text[4096];
      const int size = SSL_read(ssl_.get(), text, sizeof text);
      note(size);
      if (size <= 0) break;
      heard_.append(text, static_cast<std::size_t>(size));
    }
    return output();
  }
  std::string say(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    return output();
  }
  std::string close() {
    SSL_shutdown(ssl_.get());
    return output();
  }
  std::string update_key(bool server_too) {
    SSL_key_update(ssl_.get(),
                   server_too ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(ssl_.get());
    return output();
  }
  std::string output() {
    BIO* const out = SSL_get_wbio(ssl_.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    if (!bytes.empty()) BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  /// What the server has said, once.
  std::string heard() { return std::exchange(heard_, {}); }
  [[nodiscard]] bool is_established() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  [[nodiscard]] bool has_failed() const { return failed_; }
  [[nodiscard]] bool got_close_notify() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  /// The reason of its failure, in OpenSSL's words.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] int tickets() const { return tickets_; }
  /// The last ticket's.
  [[nodiscard]] SSL_SESSION* session() const { return session_.get(); }
  /// The common name of the server's certificate.
  [[nodiscard]] std::string server() const {
    X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return {};
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    return name;
  }

 private:
  static int on_session(SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsClient*>(SSL_get_app_data(ssl));
    self->session_.reset(session);
    ++self->tickets_;
    return 1;
  }

  void note(int done) {
    if (done > 0) return;
    const int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_ZERO_RETURN || failed_) return;
    failed_ = true;
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    reason_ = reason == nullptr ? "" : reason;
  }

  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
  std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>> session_;
  std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
  std::string heard_;
  std::string reason_;
  int tickets_ = 0;
  bool failed_ = false;
};

}  // namespace chatd::test
