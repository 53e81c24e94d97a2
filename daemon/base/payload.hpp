/// Bytes that are written once and sent to many: immutable, reference-counted,
/// one allocation, one pointer wide. The count is not atomic: a Payload lives on
/// the loop's thread alone.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace chatd {

class Payload {
 public:
  Payload() = default;
  /// `weight`: how many units of the sender, such as messages, these bytes stand for. What
  /// could not be sent wholly is reported in that unit.
  explicit Payload(std::string_view bytes, std::uint32_t weight = 1)
      : block_{Block::make(bytes, weight, true)} {}
  /// Bytes that live_bytes() leaves out.
  [[nodiscard]] static Payload uncounted(std::string_view bytes) {
    Payload payload;
    payload.block_ = Block::make(bytes, 1, false);
    return payload;
  }

  Payload(const Payload& other) noexcept : block_{other.block_} {
    if (block_ != nullptr) ++block_->references;
  }
  Payload(Payload&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
  Payload& operator=(Payload other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Payload() {
    if (block_ == nullptr || --block_->references > 0) return;
    if (block_->is_counted) live_bytes_ -= block_->size;
    ::operator delete(block_);
  }

  [[nodiscard]] std::string_view view() const {
    return block_ == nullptr ? std::string_view{} : std::string_view{block_->data(), block_->size};
  }
  [[nodiscard]] std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  [[nodiscard]] std::uint32_t weight() const { return block_ == nullptr ? 0 : block_->weight; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// The bytes of all payloads that live, each counted once, however many share it, but for those
  /// that were made uncounted().
  [[nodiscard]] static std::size_t live_bytes() { return live_bytes_; }

 private:
  struct Block {
    std::uint32_t size;
    std::uint32_t references;
    std::uint32_t weight;
    bool is_counted;

    [[nodiscard]] char* data() { return reinterpret_cast<char*>(this + 1); }

    static Block* make(std::string_view bytes, std::uint32_t weight, bool is_counted) {
      assert(bytes.size() <= UINT32_MAX);
      auto* block = static_cast<Block*>(::operator new(sizeof(Block) + bytes.size()));
      block->size = static_cast<std::uint32_t>(bytes.size());
      block->references = 1;
      block->weight = weight;
      block->is_counted = is_counted;
      if (is_counted) live_bytes_ += bytes.size();
      if (!bytes.empty()) std::memcpy(block->data(), bytes.data(), bytes.size());
      return block;
    }
  };

  static inline std::size_t live_bytes_ = 0;

  Block* block_ = nullptr;
};

}  // namespace chatd
