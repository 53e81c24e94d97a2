/// A client as it was written down, until it is gone on with. Of the server alone.
#pragma once

#include <cstdint>
#include <memory>

#include "clients/clients.hpp"
#include "core/session.hpp"
#include "io/stream.hpp"

namespace chatd {

struct Clients::SavedClient {
  std::uint32_t descriptor = 0;
  Client client;
  io::SavedStream stream;
  std::unique_ptr<core::Session> session;  ///< null: it has ended, the stream closes
};

}  // namespace chatd
