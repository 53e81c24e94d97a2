/// TLS as the cipher of a stream (io/stream_cipher.hpp): a tls::Channel behind that interface.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "io/stream_cipher.hpp"
#include "tls/channel.hpp"

namespace chatd {

class TlsCipher : public io::StreamCipher {
 public:
  explicit TlsCipher(tls::Channel channel) : channel_{std::move(channel)} {}

  State open(std::string_view bytes, std::string& text, std::string& reply) override;
  [[nodiscard]] bool can_seal() const override { return channel_.can_send(); }
  void seal(std::string_view text, std::string& bytes) override { channel_.send(text, bytes); }
  void close(std::string& bytes) override { channel_.close(bytes); }
  [[nodiscard]] std::string failure() const override { return "TLS: " + channel_.failure(); }
  [[nodiscard]] std::size_t memory() const override { return channel_.memory(); }

  [[nodiscard]] const tls::Channel& channel() const { return channel_; }
  /// See tls::Channel.
  void forget_peer() { channel_.forget_peer(); }

 private:
  tls::Channel channel_;
};

}  // namespace chatd
