/// The parts of a configuration whose keys are free: [replies], [names] and
/// [web.texts.LANGUAGE].
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"
#include "config/keys.hpp"
#include "config/toml_document.hpp"

namespace chatd {

/// Reads `node`, which is a table, into the texts of `config` that are the table's.
void read_table(const ConfigTable& table, const TomlNode& node, Config& config, Findings& findings);

/// Reads `texts` of [web], whatever it is, into Config::web.texts.
void read_web_texts(const TomlNode& node, Config& config, Findings& findings);

}  // namespace chatd
