/// A file in memory that outlives this process in the descriptor store: records of a
/// fixed size, each at its place, which the next process reads when this one had no time
/// to leave anything better. Writing one is a copy into memory. Knows nothing of the
/// contents of a record.
///
/// Invariant: a record that is read is one that was written, as a whole, whenever the
/// process ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

class RecordFile {
 public:
  /// The longest record.
  static constexpr std::size_t kMaxRecord = 4080;

  /// An empty one with places 0, 1, ... `places` - 1.
  [[nodiscard]] static Result<RecordFile> make(std::size_t places);
  /// The file of an earlier process. Errors: it is no such file, of another version, or
  /// damaged.
  [[nodiscard]] static Result<RecordFile> open(UniqueFd file);
  RecordFile(RecordFile&& other) noexcept;
  RecordFile& operator=(RecordFile&& other) noexcept;
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;
  ~RecordFile();

  [[nodiscard]] int descriptor() const { return file_.get(); }
  [[nodiscard]] std::size_t places() const { return places_; }

  /// False if it is too long; then there is no record at that place.
  bool write(std::size_t place, std::string_view record);
  void clear(std::size_t place);
  /// Nothing if none was written, or it was cleared, or it is damaged.
  [[nodiscard]] std::optional<std::string> read(std::size_t place) const;

 private:
  struct Head;
  struct Record;

  RecordFile(UniqueFd file, void* memory, std::size_t places)
      : file_{std::move(file)}, memory_{memory}, places_{places} {}
  static Result<RecordFile> map(UniqueFd file, std::size_t places);
  [[nodiscard]] Record& at(std::size_t place) const;

  UniqueFd file_;
  void* memory_ = nullptr;
  std::size_t places_ = 0;
};

}  // namespace chatd::service
