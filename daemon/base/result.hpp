/// The outcome of a call that the environment may refuse: a value, or an Error that
/// travels up. Each hop adds what it was trying to do. What a peer does wrong is
/// not an Error (that is an enum of the module concerned), and a bug is an assert.
#pragma once

#include <cassert>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace chatd {

/// Why something could not be done, as one sentence without a full stop.
struct Error {
  std::string message;
  int code = 0;  ///< errno where there is one, else 0

  /// "ATTEMPT: strerror(code)".
  static Error from_errno(std::string_view attempt, int code) {
    return {std::string{attempt} + ": " + std::strerror(code), code};
  }
  /// The same error with what was attempted put in front.
  [[nodiscard]] Error while_doing(std::string_view attempt) && {
    return {std::string{attempt} + ": " + std::move(message), code};
  }
};

template <class T = void, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
  Result(E error) : state_{std::in_place_index<1>, std::move(error)} {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  T& value() {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  E& error() {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : state_{std::in_place_index<1>, std::move(error)} {}

  explicit operator bool() const { return state_.index() == 0; }
  E& error() {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<std::monostate, E> state_;
};

}  // namespace chatd
