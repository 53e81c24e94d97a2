#include "tls/ticket_keys.hpp"

#include <openssl/rand.h>

#include <cassert>

#include "base/bytes.hpp"

namespace chatd::tls {

TicketKeys::TicketKeys() {
  [[maybe_unused]] const int made = RAND_bytes(bytes_.data(), static_cast<int>(Bytes::size()));
  assert(made == 1);
}

void TicketKeys::save(ByteWriter& out) const {
  out.text(bytes_.view());
}

TicketKeys TicketKeys::restore(ByteReader& in) {
  TicketKeys keys;
  const auto bytes = in.text();
  in.require(bytes.size() == Bytes::size());
  if (in.ok()) keys.bytes_.assign(bytes);
  return keys;
}

}  // namespace chatd::tls
