// The schema of the database as numbered steps, each a text that runs in one transaction
// (storage/database/migrations.h). A step that has been released is never edited; a change is a new step at the end.
#pragma once

#include <span>

namespace writecanary::storage {

// Step n (from 1) leads from version n - 1 to version n.
std::span<const char* const> schema_steps();

}  // namespace writecanary::storage
