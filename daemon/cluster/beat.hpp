/// What each node says of itself once a second: that it is there, how far its log is, how far it
/// has those of others, and who its operators are. One line of JSON; of a peer, so that all of it
/// is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "cluster/block.hpp"
#include "cluster/mirror.hpp"

namespace chatd::cluster {

/// What nodes have to agree on. Another number: they do not understand each other.
inline constexpr std::uint64_t kClusterProtocol = 1;

/// The nodes that one can know.
inline constexpr std::size_t kMostNodes = 64;

struct Beat {
  static constexpr std::size_t kMostBytes = 256UL * 1024;
  static constexpr std::size_t kMostOperators = 1024;

  struct Operator {
    std::string name;
    bool away = false;
    bool watching = false;
    std::string text;  ///< what is said for it while it is away

    bool operator==(const Operator&) const = default;
  };
  /// How far the log of a node is here.
  struct Has {
    std::string node;
    LogId log;
    Number upto = 0;

    bool operator==(const Has&) const = default;
  };

  LogId log;
  std::string
      boot;  ///< 16 hexadecimal digits, drawn anew by each process that nobody handed over to
  std::string version;
  std::uint64_t protocol = kClusterProtocol;
  Number last = 0;  ///< the last number of its log that is recorded
  WallTime time{};  ///< by its clock
  std::uint64_t sessions = 0;
  std::vector<Operator> operators;
  std::vector<Has> has;

  bool operator==(const Beat&) const = default;

  /// Of a beat of another protocol there are log, boot, version and protocol alone.
  [[nodiscard]] static Result<Beat> read(std::string_view line);
  [[nodiscard]] std::string written() const;
};

}  // namespace chatd::cluster
