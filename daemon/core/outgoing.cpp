#include "core/outgoing.hpp"

#include <cassert>
#include <string>

#include "http/frame.hpp"

namespace chatd::core {

Payload encode(std::string_view text, Dialect dialect, std::uint32_t weight,
               std::string_view author) {
  switch (dialect) {
    case Dialect::kOriginal:
    case Dialect::kRaw:
      return Payload{text, weight};
    case Dialect::kUndecided:
    case Dialect::kLine: {
      std::string line;
      line.reserve(text.size() + 1);
      line += text;
      line += '\n';
      return Payload{line, weight};
    }
    case Dialect::kTelnet: {
      std::string lines;
      lines.reserve(text.size() + 2);
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') {
          lines += "\r\n";
        } else if (text[i] == '\r') {
          // A CR of its own is CR NUL in RFC 854; before an LF it belongs to that.
          if (i + 1 == text.size() || text[i + 1] != '\n') lines += std::string_view{"\r\0", 2};
        } else {
          lines += text[i];
        }
      }
      lines += "\r\n";
      return Payload{lines, weight};
    }
    case Dialect::kWebSocket: {
      std::string frame;
      frame.reserve(text.size() + http::kMostFrameHead);
      http::append_text(frame, text);
      return Payload{frame, weight};
    }
    case Dialect::kWeb: {
      assert(author.find('\0') == std::string_view::npos);
      std::string whole;
      whole.reserve(author.size() + 1 + text.size());
      whole += author;
      whole += '\0';
      whole += text;
      return Payload{whole, weight};
    }
  }
  return {};
}

WebText web_text(std::string_view payload) {
  const auto author = payload.substr(0, payload.find('\0'));
  assert(author.size() < payload.size());
  return {author, payload.substr(author.size() + 1)};
}

const Payload& Outgoing::as(Dialect dialect) {
  Payload& payload = place_of(dialect);
  if (payload.view().data() == nullptr) payload = encode(text_, dialect, weight_, author_);
  return payload;
}

Payload& Outgoing::place_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::kOriginal:
    case Dialect::kRaw:
      return as_it_is_;
    case Dialect::kTelnet:
      return telnet_;
    case Dialect::kWebSocket:
      return websocket_;
    case Dialect::kWeb:
      return web_;
    case Dialect::kUndecided:
    case Dialect::kLine:
      break;
  }
  return line_;
}

}  // namespace chatd::core
