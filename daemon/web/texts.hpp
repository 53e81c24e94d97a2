/// What the visitor's page says, by name: web/texts.js says what, and in which languages.
/// cmake/embed_web.cmake finds the names there when chatd is built.
#pragma once

#include <span>
#include <string_view>

namespace chatd::web {

/// The languages that the page has texts in: "en", "de".
[[nodiscard]] std::span<const std::string_view> languages();

/// The names of its texts, the same in each language, in the order of texts.js: "title", ...
[[nodiscard]] std::span<const std::string_view> text_names();

}  // namespace chatd::web
