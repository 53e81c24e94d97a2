/// The two secrets of a session of TLS 1.3 that OpenSSL tells no other way than by its key log.
/// They go from there into a RecordLayer, and nowhere else.
///
/// For the sources of this room alone.
#pragma once

#include <cstddef>
#include <string_view>

#include "tls/cleansed.hpp"
#include "tls/suite.hpp"

struct ssl_st;

namespace chatd::tls {

class Secrets {
 public:
  /// What SSL_CTX_set_keylog_callback() calls; takes the lines that belong to the Secrets which
  /// collect_for() was called with, and forgets all others.
  static void on_line(const ssl_st* ssl, const char* line);

  /// From now on until the other call the session's lines come here. It must not move meanwhile.
  void collect_for(ssl_st* ssl);
  static void stop_collecting(ssl_st* ssl);

  /// client_application_traffic_secret_0 and server_application_traffic_secret_0 (RFC 8446, 7.1);
  /// empty while unknown.
  [[nodiscard]] std::string_view client() const { return client_.view(client_size_); }
  [[nodiscard]] std::string_view server() const { return server_.view(server_size_); }

 private:
  void take(std::string_view line);

  Cleansed<kMostSecretBytes> client_;
  Cleansed<kMostSecretBytes> server_;
  std::size_t client_size_ = 0;
  std::size_t server_size_ = 0;
};

}  // namespace chatd::tls
