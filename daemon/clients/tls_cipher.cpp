#include "clients/tls_cipher.hpp"

#include <cassert>

namespace chatd {

TlsCipher::State TlsCipher::open(std::string_view bytes, std::string& text, std::string& reply) {
  switch (channel_.receive(bytes, text, reply)) {
    case tls::Channel::State::kHandshake:
      return State::kOpening;
    case tls::Channel::State::kOpen:
      return State::kOpen;
    case tls::Channel::State::kEnded:
      return State::kEnded;
    case tls::Channel::State::kFailed:
      return State::kFailed;
  }
  assert(false);
  return State::kFailed;
}

}  // namespace chatd
