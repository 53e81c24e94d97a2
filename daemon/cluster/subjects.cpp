#include "cluster/subjects.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace chatd::cluster {

namespace {

constexpr std::size_t kMostName = 16;

/// In the order of Topic.
constexpr std::array<std::string_view, 6> kWords{"ev", "beat", "log", "state", "do", "re"};

/// Up to the next dot, or the end.
std::string_view cut_part(std::string_view& rest) {
  const auto end = rest.find('.');
  const auto part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

bool is_node_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

Subjects::Subjects(std::string_view cluster, std::string_view node)
    : before_{"chatd." + std::string{cluster} + '.'}, node_{node} {
  assert(is_node_name(cluster) && is_node_name(node));
}

std::string Subjects::of(Topic topic, std::string_view node) const {
  std::string subject = before_;
  subject += kWords[static_cast<std::size_t>(topic)];
  subject += '.';
  subject += node;
  return subject;
}

std::string Subjects::answer_to(std::uint64_t question) const {
  return of(Topic::kAnswer, node_) + '.' + std::to_string(question);
}

std::vector<std::string> Subjects::own() const {
  return {of(Topic::kEvents, "*"),  of(Topic::kBeat, "*"),      of(Topic::kLog, node_),
          of(Topic::kState, node_), of(Topic::kCommand, node_), of(Topic::kAnswer, node_) + ".*"};
}

std::optional<Subjects::Address> Subjects::read(std::string_view subject) const {
  if (!subject.starts_with(before_)) return {};
  auto rest = subject.substr(before_.size());
  const auto word = cut_part(rest);
  const auto* const place = std::find(kWords.begin(), kWords.end(), word);
  if (place == kWords.end()) return {};
  Address address{static_cast<Topic>(place - kWords.begin()), cut_part(rest)};
  if (!is_node_name(address.node)) return {};
  if (address.topic == Topic::kAnswer) {
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), address.question);
    if (read.ec != std::errc{} || read.ptr != rest.data() + rest.size()) return {};
    rest = {};
  }
  if (!rest.empty()) return {};
  return address;
}

}  // namespace chatd::cluster
