/// The subjects of a cluster, "chatd.CLUSTER.TOPIC.NODE". Permissions of the servers are made of
/// them (doc/operations.md): a node publishes `ev` and `beat` under its own name alone, and hears
/// what is asked of itself alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatd::cluster {

enum class Topic : std::uint8_t {
  kEvents,   ///< of NODE: blocks of its log
  kBeat,     ///< of NODE, each second: that it is there, and what everybody should know of it
  kLog,      ///< to NODE: what of its log somebody misses
  kState,    ///< to NODE: how it stands there
  kCommand,  ///< to NODE: something is to be done there
  kAnswer,   ///< to NODE: what it has asked for; a part more says which question it was
};

/// 1 to 16 of a-z, 0-9, -.
[[nodiscard]] bool is_node_name(std::string_view name);

class Subjects {
 public:
  /// Both are good as names of nodes.
  Subjects(std::string_view cluster, std::string_view node);

  [[nodiscard]] std::string of(Topic topic, std::string_view node) const;
  /// To which the answer to the question of that number goes.
  [[nodiscard]] std::string answer_to(std::uint64_t question) const;
  /// What this node subscribes to.
  [[nodiscard]] std::vector<std::string> own() const;

  struct Address {
    Topic topic;
    std::string_view node;
    std::uint64_t question = 0;  ///< kAnswer
  };
  /// What a subject of this cluster says; nothing if it is none.
  [[nodiscard]] std::optional<Address> read(std::string_view subject) const;

 private:
  std::string before_;
  std::string node_;
};

}  // namespace chatd::cluster
