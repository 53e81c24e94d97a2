/// Bytes that must not stay in memory: keys, and what keys are made of. They are overwritten
/// when their owner goes and when they move elsewhere, by OPENSSL_cleanse(), which no optimiser
/// leaves out.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace chatd::tls {

/// Overwrites `size` bytes with zeros.
void cleanse(void* bytes, std::size_t size) noexcept;

/// A fixed number of bytes with one owner.
template <std::size_t Size>
class Cleansed {
 public:
  Cleansed() = default;
  Cleansed(Cleansed&& other) noexcept : bytes_{other.bytes_} { other.clear(); }
  Cleansed& operator=(Cleansed&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.clear();
    }
    return *this;
  }
  Cleansed(const Cleansed&) = delete;
  Cleansed& operator=(const Cleansed&) = delete;
  ~Cleansed() { clear(); }

  [[nodiscard]] unsigned char* data() { return bytes_.data(); }
  [[nodiscard]] const unsigned char* data() const { return bytes_.data(); }
  [[nodiscard]] static constexpr std::size_t size() { return Size; }
  /// The first `count` bytes, which are at most size().
  [[nodiscard]] std::string_view view(std::size_t count = Size) const {
    assert(count <= Size);
    return {reinterpret_cast<const char*>(bytes_.data()), count};
  }
  /// Replaces the first bytes; there are at most size() of them.
  void assign(std::string_view bytes) {
    assert(bytes.size() <= Size);
    bytes.copy(reinterpret_cast<char*>(bytes_.data()), bytes.size());
  }

 private:
  void clear() noexcept { cleanse(bytes_.data(), bytes_.size()); }

  std::array<unsigned char, Size> bytes_{};
};

/// A text of any length, such as a private key in PEM, with one owner. It does not grow:
/// growing would leave copies behind.
class CleansedText {
 public:
  CleansedText() = default;
  explicit CleansedText(std::size_t size) : text_(size, '\0') {}
  CleansedText(CleansedText&& other) noexcept : text_{std::move(other.text_)} { other.clear(); }
  CleansedText& operator=(CleansedText&& other) noexcept {
    text_.swap(other.text_);
    return *this;
  }
  CleansedText(const CleansedText&) = delete;
  CleansedText& operator=(const CleansedText&) = delete;
  ~CleansedText() { clear(); }

  [[nodiscard]] char* data() { return text_.data(); }
  [[nodiscard]] std::string_view view() const { return text_; }
  /// `size` is at most what it has.
  void shrink(std::size_t size) {
    assert(size <= text_.size());
    cleanse(text_.data() + size, text_.size() - size);
    text_.resize(size);
  }

 private:
  /// Also what stands behind the end: a short text that has moved is still in the string itself.
  void clear() noexcept {
    text_.resize(text_.capacity());
    cleanse(text_.data(), text_.size());
    text_.clear();
  }

  std::string text_;
};

}  // namespace chatd::tls
