#include "tls.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <string>

#include "sockets.hpp"

namespace chatd::bench {
namespace {

/// What browsers and people ask for.
constexpr const char* kServerName = "chat.example.org";

[[noreturn]] void give_up_tls(const std::string& attempt) {
  const char* const why = ERR_reason_error_string(ERR_get_error());
  errno = 0;
  give_up(attempt + " by TLS: " + (why == nullptr ? "the connection ends" : why));
}

}  // namespace

TlsClients::TlsClients() : context_{SSL_CTX_new(TLS_client_method())} {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

void TlsClients::begin(int socket) {
  SSL* const client = clients_.emplace_back(SSL_new(context_.get())).get();
  SSL_set_fd(client, socket);
  SSL_set_tlsext_host_name(client, kServerName);
  // The server may have answered by the time this is read.
  const int done = SSL_connect(client);
  if (done != 1 && SSL_get_error(client, done) != SSL_ERROR_WANT_READ) {
    give_up_tls("begin a handshake");
  }
}

void TlsClients::finish(std::uint32_t client) {
  SSL* const ssl = clients_[client].get();
  for (;;) {
    const int done = SSL_connect(ssl);
    if (done == 1) return;
    if (SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ) give_up_tls("shake hands");
    wait_to_read(SSL_get_fd(ssl));
  }
}

void TlsClients::send(std::uint32_t client, std::string_view bytes) {
  SSL* const ssl = clients_[client].get();
  for (;;) {
    const int count = SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    if (count == static_cast<int>(bytes.size())) return;
    if (SSL_get_error(ssl, count) != SSL_ERROR_WANT_WRITE) give_up_tls("send");
    wait_to_write(SSL_get_fd(ssl));
  }
}

ssize_t TlsClients::receive(std::uint32_t client, char* to, std::size_t size) {
  SSL* const ssl = clients_[client].get();
  const int count = SSL_read(ssl, to, static_cast<int>(size));
  if (count > 0) return count;
  const int error = SSL_get_error(ssl, count);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error != SSL_ERROR_WANT_READ) give_up_tls("receive");
  errno = EAGAIN;
  return -1;
}

}  // namespace chatd::bench
