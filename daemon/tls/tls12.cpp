#include "tls/tls12.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "tls/credentials.hpp"
#include "tls/openssl.hpp"
#include "tls/require_memory.hpp"

namespace chatd::tls {

void FreeSsl::operator()(ssl_st* ssl) const {
  // Without it OpenSSL takes the session for one that broke, which must not be resumed.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

void give_input(ssl_st* ssl, std::string_view bytes) {
  if (bytes.empty()) return;  // it may be no memory at all, which OpenSSL takes for an error
  const auto size = static_cast<int>(bytes.size());
  require_memory(BIO_write(SSL_get_rbio(ssl), bytes.data(), size) == size);
}

void take_output(ssl_st* ssl, std::string& to_send) {
  BIO* const output = SSL_get_wbio(ssl);
  const auto size = BIO_ctrl_pending(output);
  if (size == 0) return;
  const auto begin = to_send.size();
  to_send.resize(begin + size);
  require_memory(BIO_read(output, to_send.data() + begin, static_cast<int>(size)) ==
                 static_cast<int>(size));
}

Tls12::Tls12(UniqueSsl ssl, std::shared_ptr<const Credentials> credentials)
    : ssl_{std::move(ssl)}, credentials_{std::move(credentials)} {}
Tls12::Tls12(Tls12&&) noexcept = default;
Tls12& Tls12::operator=(Tls12&&) noexcept = default;
Tls12::~Tls12() = default;

/// Piece by piece, so that OpenSSL's own buffers stay small.
Tls12::State Tls12::open(std::string_view bytes, std::string& plaintext, std::string& to_send) {
  do {
    const auto piece = bytes.substr(0, kMostRecordBytes);
    bytes.remove_prefix(piece.size());
    if (state_ != State::kOpen) break;
    give_input(ssl_.get(), piece);
    read(plaintext);
    take_output(ssl_.get(), to_send);
  } while (!bytes.empty());
  return state_;
}

void Tls12::read(std::string& plaintext) {
  for (;;) {
    const auto begin = plaintext.size();
    plaintext.resize(begin + kMostPlaintext);
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_read_ex(ssl_.get(), plaintext.data() + begin, kMostPlaintext, &size);
    plaintext.resize(begin + size);
    if (done == 1) continue;
    const int why = SSL_get_error(ssl_.get(), done);
    if (why == SSL_ERROR_WANT_READ) return;
    if (why == SSL_ERROR_ZERO_RETURN) {
      state_ = State::kEnded;
    } else {
      state_ = State::kFailed;
      closed_ = true;
      failure_ = take_reason();
    }
    return;
  }
}

void Tls12::seal(std::string_view plaintext, std::string& to_send) {
  assert(can_seal());
  while (!plaintext.empty()) {
    const auto piece = plaintext.substr(0, kMostPlaintext);
    plaintext.remove_prefix(piece.size());
    ERR_clear_error();
    std::size_t size = 0;
    require_memory(SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &size) == 1);
    take_output(ssl_.get(), to_send);
  }
}

void Tls12::close(std::string& to_send) {
  if (std::exchange(closed_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  take_output(ssl_.get(), to_send);
}

}  // namespace chatd::tls
