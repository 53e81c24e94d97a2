#include "console/knock.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/text.hpp"
#include "console/control_client.hpp"

namespace chatd::console {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 65'536;

// A request that changes nothing and is announced to nobody. The daemon refuses who may not
// come in before it reads any.
constexpr std::string_view kRequest =
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"stats\",\"params\":{}}\n";

// The first line that comes, without its LF; nothing if none comes in time.
std::optional<std::string> first_line(int fd, Duration patience) {
  const auto end = Steady::now() + patience;
  std::string line;
  while (line.size() < kLongestAnswer) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Steady::now());
    pollfd ready{fd, POLLIN, 0};
    if (left.count() <= 0) return std::nullopt;
    const int found = ::poll(&ready, 1, static_cast<int>(left.count()));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return std::nullopt;
    line.append(buffer.data(), static_cast<std::size_t>(got));
    // One answer is due, so what ends with an LF is all of it.
    if (line.back() == '\n') {
      line.pop_back();
      return line;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<UniqueFd> knock(const std::string& path, Duration patience) {
  auto socket = connect_control(path);
  if (!socket) return socket;
  const ssize_t sent = ::write(socket->get(), kRequest.data(), kRequest.size());
  // A daemon that refuses may have closed its end already; its reason can still be read.
  const auto line = first_line(socket->get(), patience);
  const json answer = line ? json::parse(*line, nullptr, false) : json{};
  const bool asked = sent == static_cast<ssize_t>(kRequest.size());
  if (asked && answer.is_object() && answer.contains("result")) return socket;
  if (answer.is_object() && answer.contains("error")) {
    const RpcError refusal = decode_error(answer["error"]);
    if (refusal.code == kNotAllowedCode) {
      return Error{escaped(path) + ": " + escaped(refusal.message), EACCES};
    }
  }
  return connect_control(path);
}

}  // namespace chatd::console
