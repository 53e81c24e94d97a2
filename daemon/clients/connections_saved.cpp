/// Connections: what one process leaves to the next of each.
#include <cassert>
#include <utility>

#include "base/bytes.hpp"
#include "clients/connections.hpp"
#include "clients/tls_cipher.hpp"

namespace chatd {

namespace {

/// The first document that has ways and ciphers.
constexpr std::uint32_t kWithWays = 10;

const tls::Channel& channel_of(const io::StreamCipher& cipher) {
  return static_cast<const TlsCipher&>(cipher).channel();
}

}  // namespace

void Connections::end_unsaveable() {
  for (const core::Slot slot : slots()) {
    const io::StreamCipher* const cipher = streams_.cipher(slot);
    if (cipher == nullptr || !streams_.is_open(slot) || channel_of(*cipher).is_saveable()) continue;
    if (Audience* const audience = audience_of(slot)) {
      dismiss(slot);
      audience->on_gone(slot);
      continue;
    }
    // What waits is sealed yet, and goes out: of that on_closed() says what is lost.
    router_.broken(slot, "its TLS cannot go on in another process", 0, loop_.now(), outbox_);
    deliver();
    (void)streams_.close(slot);
  }
}

int Connections::save(core::Slot slot, ByteWriter& out) {
  const int descriptor = streams_.save(slot, out);
  const Way& way = this->way(slot);
  out.text(way.verified);
  out.text(way.via);
  out.text(way.tls);
  // One that closes has sealed all that it says.
  const io::StreamCipher* const cipher = streams_.is_open(slot) ? streams_.cipher(slot) : nullptr;
  out.flag(cipher != nullptr);
  if (cipher == nullptr) return descriptor;
  channel_of(*cipher).save(out);
  const auto text = streams_.unsealed(slot);
  out.number<std::uint64_t>(text.size());
  for (const Payload& each : text) out.payload(each);
  out.flag(streams_.is_input_over(slot));
  return descriptor;
}

Connections::Saved Connections::read(ByteReader& in) {
  Saved saved;
  saved.stream = io::SavedStream::read(in);
  if (in.version() < kWithWays) return saved;
  saved.way.verified = in.text();
  saved.way.via = in.text();
  saved.way.tls = in.text();
  if (!in.flag()) return saved;
  auto channel = tls::Channel::restore(in);
  in.require(channel && !saved.stream.closing);
  if (!in.ok()) return saved;
  channel->forget_peer();
  saved.cipher = std::make_unique<TlsCipher>(std::move(*channel));
  for (auto count = in.count(); count > 0 && in.ok(); --count) {
    saved.text.push_back(in.payload());
  }
  saved.input_over = in.flag();
  return saved;
}

Result<core::Slot> Connections::restore(UniqueFd socket, Saved saved, const Client& client) {
  auto id = streams_.restore(std::move(socket), std::move(saved.stream));
  if (!id) return id;
  remember(*id, client);
  set_way(*id, std::move(saved.way));
  if (saved.cipher) {
    streams_.restore_cipher(*id, std::move(saved.cipher), std::move(saved.text), saved.input_over);
  }
  return id;
}

}  // namespace chatd
