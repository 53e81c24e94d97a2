/// The document that one process leaves to the next, in its envelope, in a file in memory. It is
/// written there as it is made and read where it lies, so that neither process needs memory for
/// a copy: it may have hundreds of MiB, when there is no memory to spare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace chatd::service {

/// Writes one. What could not be written is told by finish().
class DocumentFile {
 public:
  /// Errors: there is no room for a file in memory.
  [[nodiscard]] static Result<DocumentFile> make();

  void append(std::string_view bytes);
  /// Bytes of the body so far.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Puts `number` in the place of eight bytes of the body that are there already.
  void overwrite(std::uint64_t place, std::uint64_t number);
  /// Closes the envelope, and gives the file away.
  [[nodiscard]] Result<UniqueFd> finish(std::uint32_t version = kSavedVersion);

 private:
  explicit DocumentFile(UniqueFd file) : file_{std::move(file)} {}

  void write(std::uint64_t place, std::string_view bytes);

  UniqueFd file_;
  std::uint64_t size_ = 0;
  int error_ = 0;  ///< an errno, of the first call that failed
};

/// Reads one where it lies, for as long as it lives. No core file has it.
class MappedDocument {
 public:
  /// Errors: it is no file, or there is no memory.
  [[nodiscard]] static Result<MappedDocument> of(int fd);
  ~MappedDocument();
  MappedDocument(MappedDocument&& other) noexcept;
  MappedDocument& operator=(MappedDocument&&) = delete;
  MappedDocument(const MappedDocument&) = delete;
  MappedDocument& operator=(const MappedDocument&) = delete;

  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedDocument(std::string_view bytes) : bytes_{bytes} {}

  std::string_view bytes_;
};

/// Makes a document useless, for it is never used twice. What is mapped of it changes as well.
void use_up(int fd);

}  // namespace chatd::service
