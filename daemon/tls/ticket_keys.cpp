#include "tls/ticket_keys.hpp"

#include <openssl/rand.h>

#include "base/bytes.hpp"
#include "tls/require_memory.hpp"

namespace chatd::tls {

TicketKeys::TicketKeys() {
  require_memory(RAND_bytes(bytes_.data(), static_cast<int>(Bytes::size())) == 1);
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
