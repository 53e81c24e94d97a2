/// The tables of a transcript, and how an older file becomes a newer one. Knows
/// nothing of what is written to them.
#pragma once

#include "base/result.hpp"
#include "store/database.hpp"

namespace chatd::store {

/// Of the files that this program writes (PRAGMA user_version).
inline constexpr int kSchemaVersion = 7;

/// Makes the file ready for use: sets the connection up, makes the tables in an empty
/// file, brings an older version to kSchemaVersion in one transaction. Errors: a newer
/// version, and whatever SQLite says.
[[nodiscard]] Result<> prepare_schema(Database& database);

}  // namespace chatd::store
