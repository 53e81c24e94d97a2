/// Clients of TLS 1.3: OpenSSL's, each on a socket that is there already. What is not as it should
/// be ends the process. They trust everybody: it is not this that is measured.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace chatd::bench {

class TlsClients {
 public:
  TlsClients();

  /// One more, whose number is the next from 0 on, has connected by a non-blocking socket: its
  /// ClientHello goes out. The socket stays the caller's.
  void begin(int socket);
  /// Goes on until its handshake is done, and waits for that.
  void finish(std::uint32_t client);
  /// Sends all of `bytes` as one record, and waits if it must.
  void send(std::uint32_t client, std::string_view bytes);
  /// As recv(2): -1 with EAGAIN if there is no text yet, and 0 at the end.
  ssize_t receive(std::uint32_t client, char* to, std::size_t size);
  /// Whether there may be text that the socket does not tell of any more.
  [[nodiscard]] bool has_more(std::uint32_t client) const {
    return SSL_has_pending(clients_[client].get()) == 1;
  }
  /// Forgets it, without a word to the server.
  void forget(std::uint32_t client) { clients_[client].reset(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* client) const { SSL_free(client); }
  };

  std::unique_ptr<SSL_CTX, Free> context_;
  std::vector<std::unique_ptr<SSL, Free>> clients_;
};

}  // namespace chatd::bench
