#include "tls/secrets.hpp"

#include "tls/openssl.hpp"

namespace chatd::tls {

namespace {

unsigned digit_of(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/// Reads hexadecimal digits; returns the number of bytes, 0 if there are more than fit.
std::size_t read_hex(std::string_view hex, Cleansed<kMostSecretBytes>& out) {
  const auto size = hex.size() / 2;
  if (size > kMostSecretBytes) return 0;
  for (std::size_t i = 0; i < size; ++i) {
    out.data()[i] =
        static_cast<unsigned char>(digit_of(hex[2 * i]) << 4U | digit_of(hex[2 * i + 1]));
  }
  return size;
}

}  // namespace

void Secrets::on_line(const ssl_st* ssl, const char* line) {
  auto* self = static_cast<Secrets*>(SSL_get_app_data(ssl));
  if (self != nullptr) self->take(line);
}

void Secrets::collect_for(ssl_st* ssl) {
  SSL_set_app_data(ssl, this);
}

void Secrets::stop_collecting(ssl_st* ssl) {
  SSL_set_app_data(ssl, nullptr);
}

/// LABEL CLIENT_RANDOM SECRET, as in the format of SSLKEYLOGFILE.
void Secrets::take(std::string_view line) {
  const auto secret = line.substr(line.rfind(' ') + 1);
  if (line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) client_size_ = read_hex(secret, client_);
  if (line.starts_with("SERVER_TRAFFIC_SECRET_0 ")) server_size_ = read_hex(secret, server_);
}

}  // namespace chatd::tls
