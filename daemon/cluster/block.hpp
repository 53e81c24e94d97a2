/// A part of a node's log, as it goes to other nodes: a line that says which log it is of and
/// which numbers it covers, and a line for each event, as operators get it. All of it is text, so
/// that whoever looks at the servers can read it.
///
/// {"jsonrpc":"2.0","method":"block","params":{"log":"0f3a...","after":17,"upto":20}}
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cluster/mirror.hpp"
#include "cluster/peer_event.hpp"

namespace chatd::cluster {

/// The name of a log: 32 hexadecimal digits, which nobody else has drawn.
using LogId = std::string;

[[nodiscard]] bool is_log_id(std::string_view text);

struct Block {
  /// A block ends with the event that makes it larger than this.
  static constexpr std::size_t kFull = 512UL * 1024;
  static constexpr std::size_t kMostBytes = kFull + PeerEvent::kMostLine + 256;
  static constexpr std::size_t kMostEvents = 16 * 1024;

  LogId log;
  Interval covers{};
  std::vector<PeerEvent> events;  ///< their numbers go up, and are among those that it covers
};

/// The line that begins a block. The lines of its events follow.
void begin_block(std::string& out, const LogId& log, Interval covers);

/// Reads a whole block; of a peer, so that all of it is checked.
[[nodiscard]] Result<Block> read_block(std::string_view bytes);

}  // namespace chatd::cluster
