/// Plain values written down one after the other, and read back: what one process
/// leaves to the next. Numbers have a fixed width and the byte order of the machine; times
/// are relative to now, because the next process may have another clock.
///
/// Invariant: a reader never reads past its bytes and never allocates more than they
/// could fill. What is wrong once stays wrong: every later value is empty, and ok()
/// says so at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/payload.hpp"
#include "base/time.hpp"

namespace chatd {

/// Counts up whenever a field is added to what a process writes down, or changes its meaning.
/// 6 is that of chatd 0.1.0.
inline constexpr std::uint32_t kSavedVersion = 10;
inline constexpr std::uint32_t kOldestSavedVersion = 6;

class ByteWriter {
 public:
  using Sink = std::function<void(std::string_view)>;

  ByteWriter() = default;
  /// Gives the bytes to `sink` in pieces, as they come; bytes() has only those that it has not
  /// got yet. What it has got is overwritten here: there may be keys among it.
  explicit ByteWriter(Sink sink) : sink_{std::move(sink)} {
    bytes_.reserve(2 * kPiece);  // it does not grow: growing would leave copies behind
  }

  template <class T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    const auto begin = bytes_.size();
    bytes_.resize(begin + sizeof value);
    std::memcpy(bytes_.data() + begin, &value, sizeof value);
    if (sink_ && bytes_.size() >= kPiece) flush();
  }
  template <class E>
  void enumerator(E value) {
    number(static_cast<std::underlying_type_t<E>>(value));
  }
  void flag(bool value) { number(static_cast<std::uint8_t>(value)); }
  void time(Time when, Time now) {
    number<std::int64_t>(when == kNever ? kNever.time_since_epoch().count() : (when - now).count());
  }
  void text(std::string_view bytes) {
    number(static_cast<std::uint64_t>(bytes.size()));
    if (sink_ && bytes.size() >= kPiece) {
      flush();
      sink_(bytes);
    } else {
      bytes_ += bytes;
    }
  }
  /// A payload that several share is written once. It must live as long as this.
  void payload(const Payload& shared) {
    const auto [place, is_new] = payloads_.try_emplace(shared.view().data(), count_);
    number(place->second);
    if (!is_new) return;
    ++count_;
    number(shared.weight());
    text(shared.view());
  }
  /// The same for bytes that are not shared.
  void payload(std::string_view bytes, std::uint32_t weight) {
    number(count_++);
    number(weight);
    text(bytes);
  }

  /// Gives what is left to the sink.
  void flush() {
    if (bytes_.empty()) return;
    sink_(bytes_);
    ::explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// Gives the bytes away.
  [[nodiscard]] std::string take() { return std::move(bytes_); }
  /// Begins anew, in the same memory.
  void clear() {
    bytes_.clear();
    payloads_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::size_t kPiece = 256UL * 1024;

  Sink sink_;
  std::string bytes_;
  std::unordered_map<const void*, std::uint32_t> payloads_;
  std::uint32_t count_ = 0;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes, std::uint32_t version = kSavedVersion)
      : rest_{bytes}, version_{version} {}

  /// Of what was written down: from kOldestSavedVersion to kSavedVersion.
  [[nodiscard]] std::uint32_t version() const { return version_; }

  /// Whether everything so far was there and was right.
  [[nodiscard]] bool ok() const { return ok_; }
  /// ok(), and nothing is left over.
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }
  /// For a caller that finds an impossible value.
  void refuse() {
    ok_ = false;
    rest_ = {};
  }
  void require(bool right) {
    if (!right) refuse();
  }

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    const auto bytes = take(sizeof value);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  /// `last` is the enumerator with the highest value.
  template <class E>
  E enumerator(E last) {
    const auto value = number<std::underlying_type_t<E>>();
    require(value <= static_cast<std::underlying_type_t<E>>(last));
    return ok_ ? static_cast<E>(value) : E{};
  }
  bool flag() {
    const auto value = number<std::uint8_t>();
    require(value <= 1);
    return ok_ && value == 1;
  }
  Time time(Time now) {
    const Duration delay{number<std::int64_t>()};
    if (delay == kNever.time_since_epoch()) return kNever;
    require(delay <= kFar && delay >= -kFar);
    return ok_ ? now + delay : now;
  }
  /// Part of the bytes that this was made with.
  std::string_view text() { return take(number<std::uint64_t>()); }
  Payload payload() {
    const auto index = number<std::uint32_t>();
    if (index < payloads_.size()) return payloads_[index];
    require(index == payloads_.size());
    const auto weight = number<std::uint32_t>();
    const auto bytes = text();
    if (!ok_) return {};
    return payloads_.emplace_back(bytes, weight);
  }
  /// How many things follow, each of which takes at least a byte.
  std::size_t count() {
    const auto value = number<std::uint64_t>();
    require(value <= rest_.size());
    return ok_ ? static_cast<std::size_t>(value) : 0;
  }

 private:
  /// No time is further away than this. It can be added to now without an overflow.
  static constexpr Duration kFar = std::chrono::hours{24 * 365 * 100};

  std::string_view take(std::uint64_t size) {
    require(size <= rest_.size());
    if (!ok_) return {};
    const auto taken = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  std::uint32_t version_;
  std::vector<Payload> payloads_;
  bool ok_ = true;
};

}  // namespace chatd
