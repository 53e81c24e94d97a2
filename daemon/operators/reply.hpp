/// The answer to one request, as it is built. It is given once: a result or an error.
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>

#include "operators/rpc.hpp"

namespace chatd {

struct Reply {
  std::string_view id;  ///< as JSON; empty: nobody wants an answer
  std::string out;      ///< the line, with its LF; empty if there is none

  void result(std::string_view json) {
    result_by([json](std::string& line) { line += json; });
  }
  /// The same; `append(out)` appends the JSON.
  template <class Append>
  void result_by(Append append) {
    assert(out.empty());
    if (id.empty()) return;
    rpc::begin_result(out, id);
    append(out);
    rpc::end_result(out);
  }
  void fail(int code, std::string message) {
    assert(out.empty());
    if (!id.empty()) rpc::append_failure(out, {std::string{id}, code, std::move(message)});
  }
  /// False, with the answer that says so, if the params are not right.
  bool accept(rpc::Params& params) {
    if (params.good()) return true;
    fail(rpc::kInvalidParams, params.problem());
    return false;
  }
};

}  // namespace chatd
